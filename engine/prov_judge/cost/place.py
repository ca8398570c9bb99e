"""Where a resource is priced: its provider and region, the price book, and the parts that a rule makes there.

A rule says what is billed; this says at which price, and labels prices of other regions and what has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from prov_corpus import catalogue
from prov_corpus.prices import HOURS_PER_MONTH
from prov_corpus.similar import nearest
from prov_gen.effective import provider_of, region_of
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.amount import ONE, Amount
from prov_judge.cost.assumptions import assumed, not_sold, reason
from prov_judge.cost.index import Index
from prov_judge.cost.model import DEPENDS, Part, Usage
from prov_judge.prices.price import Price

if TYPE_CHECKING:
    from prov_judge.prices.book import PriceBook

OWN_HARDWARE = "own hardware"
_HOURS = Decimal(HOURS_PER_MONTH)
_ZERO = Decimal(0)
_COMPUTE = "compute"
# Each needs a look at a thousand names; a configuration with more unknown names than this gets them without nearest ones.
_MOST_HINTS = 20


@dataclass(slots=True)
class Pricing:
    """One estimate: what is asked of the price book is asked once."""

    config: InfrastructureConfig
    book: "PriceBook"
    usage: Usage
    region: str | None = None
    """Priced as if the configuration's provider were there."""
    today: date | None = None
    index: Index = field(init=False)
    _prices: dict[tuple[str, str, str, str], Price | None] = field(default_factory=dict)
    _hints: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _places: dict[tuple[str, str], "Place"] = field(default_factory=dict)
    _currencies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index = Index(self.config)

    def place_of(self, record: Any) -> "Place":
        """Where a record of the configuration is priced."""
        return self.place(provider_of(record, self.config), self.region_of(record))

    def place(self, provider: str, region: str) -> "Place":
        """A region of a provider."""
        key = provider, region
        if key not in self._places:
            self._places[key] = Place(self, provider, region, f"{provider} {region}")
        return self._places[key]

    def unknown_regions(self) -> list[tuple[str, str]]:
        """Provider and region of every place so far that neither the catalogue nor a price list knows, sorted.

        One's own hardware stands where its owner says.
        """
        return sorted(
            (provider, region)
            for provider, region in self._places
            if provider != "local" and region not in catalogue.regions(provider) and region not in self.book.regions(provider)
        )

    def region_of(self, record: Any) -> str:
        """A record's region, or the one that everything of the configuration's provider is priced in."""
        if self.region is not None and provider_of(record, self.config) == self.config.provider:
            return self.region
        return region_of(record, self.config)

    def price(self, provider: str, region: str, service: str, item: str) -> Price | None:
        """The book's answer, remembered. What runs at home costs nothing unless the book holds the user's own rate."""
        key = provider, region, service, item
        if key in self._prices:
            return self._prices[key]
        if service == _COMPUTE:
            found = self.book.machine(provider, region, item)
        else:
            found = self.book.service(provider, region, service, item)
        if found is None and provider == "local":
            found = self.nothing(provider, region, OWN_HARDWARE)
        self._prices[key] = found
        return found

    def nothing(self, provider: str, region: str, why: str) -> Price:
        """The price of what truly costs nothing, in the currency in which that provider is paid."""
        return Price(_ZERO, "months", self.currency(provider), region, "list", None, source=why, precision="free")

    def currency(self, provider: str) -> str:
        """The currency in which a provider is paid; for own hardware that of the user's rate, else of the budget."""
        if provider not in self._currencies:
            self._currencies[provider] = self._find_currency(provider)
        return self._currencies[provider]

    def _find_currency(self, provider: str) -> str:
        if provider == "local":
            rates = [self.book.machine("local", "local", "vcpu"), self.book.machine("local", "local", "memory_gb")]
            own = next((rate.currency for rate in rates if rate), None)
            if own or self.config.limits or self.config.provider == "local":
                return own or (self.config.limits.currency if self.config.limits else "USD")
            return self.currency(self.config.provider)
        medium = catalogue.sizes(provider)["medium"]
        found = self.book.machine(provider, catalogue.reference_region(provider), str(medium))
        return found.currency if found else "USD"

    def hint(self, provider: str, service: str, item: str) -> str:
        """What to do about an item without a price: the likeliest names that have one."""
        key = provider, service, item
        if key not in self._hints:
            likely = self._likely(provider, service, item) if len(self._hints) < _MOST_HINTS else ""
            self._hints[key] = f"{likely}import its price: prov prices import FILE ({provider},{service},{item})"
        return self._hints[key]

    def _likely(self, provider: str, service: str, item: str) -> str:
        """The nearest names with a price; of the same ending, since `:mysql` is another product than the plain name."""
        _, colon, ending = item.partition(":")
        known = [name for name in self.book.priced_items(provider, service) if name != item]
        like = [name for name in known if name.partition(":")[1:] == (colon, ending)]
        if ending and not like:
            return f"no {service} of {provider} has a price for {ending}; "
        close = nearest(item, like) if like else []
        return f"the nearest priced names are {', '.join(close)}; or " if close else ""


@dataclass(frozen=True, slots=True)
class Place:
    """A region of a provider, and the parts that can be made there. Quantities are a month's."""

    pricing: Pricing
    provider: str
    region: str
    name: str

    @property
    def is_local(self) -> bool:
        """Whether it is the user's own hardware."""
        return self.provider == "local"

    def price(self, service: str, item: str) -> Price | None:
        """The price of an item here."""
        return self.pricing.price(self.provider, self.region, service, item)

    def sells(self, service: str) -> bool:
        """Whether the provider sells it; own hardware needs no extras."""
        return not self.is_local and not_sold(self.provider, service) is None

    def measured(
        self,
        name: str,
        service: str,
        item: str,
        unit: str,
        amount: Amount,
        *,
        notes: Sequence[str] = (),
        factor: Decimal = Decimal(1),
    ) -> Part:
        """A part with a quantity in the unit of the price list, such as GB."""
        price = self.price(service, item)
        if price is None:
            hint = not_sold(self.provider, service) or self.pricing.hint(self.provider, service, item)
        elif price.unit != unit and price.precision != "free":
            hint = f"its price is for {price.unit}, not {unit}: import one for {unit}"
            price = None
        else:
            hint = ""
        return self._part(name, unit, price, amount, notes, factor, hint)

    def lasting(
        self,
        name: str,
        service: str,
        item: str,
        count: Amount = ONE,
        *,
        notes: Sequence[str] = (),
        factor: Decimal = Decimal(1),
    ) -> Part:
        """A part that is there all month, billed by the hour or by the month, whichever the price list does."""
        price = self.price(service, item)
        if price is not None and price.unit == "hours":
            return self._part(name, "hours", price, count.times(_HOURS), notes, factor, "")
        return self.measured(name, service, item, "months", count, notes=notes, factor=factor)

    def used(self, name: str, service: str, item: str, unit: str, key: str, *, notes: Sequence[str] = ()) -> Part:
        """A part of which the configuration does not say how much: the assumption of usage.toml."""
        return self.measured(name, service, item, unit, assumed(key), notes=(*notes, reason(key)))

    def own(self, name: str, item: str, unit: str, amount: Amount) -> Part:
        """A part of a machine at home (`vcpu`, `memory_gb`), at the user's own rate when there is one."""
        return self.measured(name, _COMPUTE, item, unit, amount)

    def free(self, name: str, why: str) -> Part:
        """A part that costs nothing, and why."""
        price = self.pricing.nothing(self.provider, self.region, why)
        return Part(name, Decimal(1), "months", price, (why,), place=self.name)

    def missing(self, name: str, hint: str, unit: str = "months") -> Part:
        """A part that has no price, and what to do."""
        return Part(name, Decimal(1), unit, None, hint=hint, place=self.name)

    def _part(
        self,
        name: str,
        unit: str,
        price: Price | None,
        amount: Amount,
        notes: Sequence[str],
        factor: Decimal,
        hint: str,
    ) -> Part:
        said = list(notes)
        if price is not None:
            if price.is_fallback:
                said.append(f"price of {price.region}: none is known for {self.region}")
            if price.precision == "free":
                said.append(price.source)
            elif price.precision == "approximate":
                said.append("approximate price")
            if price.origin == "negotiated":
                said.append("negotiated price")
        if amount.range is not None:
            said.append(DEPENDS)
        return Part(name, amount.at(self.pricing.usage), unit, price, tuple(said), amount.range, factor, hint, self.name)

"""What public resources send to the internet."""

from collections.abc import Iterator
from decimal import Decimal

from prov_judge.cost.amount import Amount
from prov_judge.cost.assumptions import assumed, billing, reason
from prov_judge.cost.model import Part
from prov_judge.cost.place import Place


def to_the_internet(place: Place) -> Iterator[Part]:
    """Data that leaves the provider, beyond what each resource includes. A line at home is paid for already."""
    yield from _sent(place, "Data to the internet", "internet", assumed("internet"), reason("internet"))


def between_regions(place: Place, name: str, size: Amount) -> Iterator[Part]:
    """Data to a copy of so many GB elsewhere; at the price of the internet where regions have none of their own."""
    item = "regions" if place.price("transfer", "regions") else "internet"
    yield from _sent(place, name, item, size.share(assumed("copied")), reason("copied"))


def _sent(place: Place, name: str, item: str, amount: Amount, why: str) -> Iterator[Part]:
    if place.is_local:
        return
    notes = [why]
    included = billing(place.provider).get("included_internet_gb")
    if included:
        amount = amount.beyond(Decimal(included))
        notes.append(f"{included:,} GB a month are included")
    yield place.measured(name, "transfer", item, "GB", amount, notes=notes)

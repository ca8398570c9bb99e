"""The bill of an estimate: resources, their parts, and the notes that they refer to."""

from decimal import Decimal

from rich.console import Console
from rich.text import Text

from prov_judge.cost.model import DEPENDS, Estimate, Part, ResourceCost
from prov_server.cli.console import visible
from prov_server.cli.views.columns import Row, print_columns, print_lines
from prov_server.cli.views.money import money, quantity, two_places, unit_price

WIDE = 120
"""From this width on, notes stand beside their part; below it they are numbered and follow the table."""
MOST_ON_A_TERMINAL = 60
"""A terminal shows as many resources, savings or differences; of more it shows the dearest."""
DEAREST = 40


def print_bill(console: Console, estimate: Estimate) -> None:
    """Print the table. On a terminal a large one has its dearest resources only, and says how many there are besides."""
    shown = estimate.resources
    if console.is_terminal and len(shown) > MOST_ON_A_TERMINAL:
        dearest = sorted(range(len(shown)), key=lambda at: (-_most(shown[at]), at))[:DEAREST]
        shown = tuple(shown[at] for at in dearest)
    _Bill(estimate, is_wide=console.width >= WIDE).print_to(console, shown)
    more = len(estimate.resources) - len(shown)
    if more:
        words = f"the dearest {len(shown)} of {len(estimate.resources):,} resources; {more:,} more: --json or a pipe has them all"
        print_lines(console, [Text(words, "warning")])
    print_lines(console, [Text("")])


def _most(resource: ResourceCost) -> Decimal:
    # Amounts in several currencies are not compared with each other exactly: this is an order to show, not a sum.
    return max(resource.monthly().values(), default=Decimal(0))


class _Bill:
    """The rows of the table, and the numbers of its notes."""

    def __init__(self, estimate: Estimate, *, is_wide: bool) -> None:
        currencies = {part.currency for _, part in estimate.parts() if part.currency}
        self.is_wide = is_wide
        self.only = currencies.pop() if len(currencies) == 1 else None
        self.notes: dict[str, int] = {}
        self.rows: list[Row] = []

    def print_to(self, console: Console, resources: tuple[ResourceCost, ...]) -> None:
        of = f" {self.only}" if self.only else ""
        self._add("resource", ("quantity", "unit", f"price{of}", f"monthly{of}"), "notes", style="quiet")
        for resource in resources:
            self._add_resource(resource)
        if self.is_wide:
            print_columns(console, self.rows, "lrlrrl", (5, 0))
        else:
            print_columns(console, self.rows, "lrlrr", (0,))
        print_lines(console, (Text(f"[{number}] {visible(note)}", "quiet") for note, number in self.notes.items()))

    def _add(
        self, name: str, cells: tuple[str, str, str, str], notes: str = "", *, style: str = "", price_style: str = ""
    ) -> None:
        first = [(visible(cell), style) for cell in (name, *cells[:2])]
        money_cells = [(cell, price_style or style) for cell in cells[2:]]
        self.rows.append([*first, *money_cells, *([(visible(notes), "quiet")] if self.is_wide else [])])

    def _add_resource(self, resource: ResourceCost) -> None:
        sums = [self._money(amount, currency) for currency, amount in sorted(resource.monthly().items())] or ["-"]
        place = f"{resource.provider} {resource.region}".strip()
        self._add(resource.address, ("", "", "", sums[0]), place, style="heading")
        for other in sums[1:]:
            self._add("", ("", "", "", other), style="heading")
        for part in resource.parts:
            self._add_part(part)

    def _add_part(self, part: Part) -> None:
        style = "quiet" if part.is_usage else ""
        notes = [note for note in part.notes if note != DEPENDS]
        amounts, price_style = ("unpriced", "-"), "warning"
        if part.price is not None and part.monthly is not None:
            mark = "" if self.only else f" {part.price.currency}"
            amounts, price_style = (unit_price(part.price.amount) + mark, self._money(part.monthly, part.price.currency)), style
        cells = (quantity(part.quantity), part.unit, *amounts)
        span = _span(part)
        if self.is_wide:
            said = [f"{DEPENDS}: {span}" if span else DEPENDS] if part.is_usage else []
            self._add(f"  {part.name}", cells, "; ".join([*said, *notes]), style=style, price_style=price_style)
            return
        numbers = "".join(f" [{self.notes.setdefault(note, len(self.notes) + 1)}]" for note in notes)
        self._add(f"  {part.name}{numbers}", cells, style=style, price_style=price_style)
        if part.is_usage:
            self._add(f"    {DEPENDS}", ("", "", "", span), style=style)

    def _money(self, amount: Decimal, currency: str) -> str:
        return two_places(amount) if self.only else money(amount, currency)


def _span(part: Part) -> str:
    low, high = part.monthly_at("small"), part.monthly_at("large")
    return "" if low is None or high is None else f"{two_places(low)} to {two_places(high)}"

"""An estimate: a table of resources and their parts, the totals, what could cost less, what differs from another, pictures."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from prov_judge.cost.budget import BudgetVerdict
from prov_judge.cost.difference import Delta, ResourceDelta, compare
from prov_judge.cost.model import DEPENDS, Estimate, Part, ResourceCost
from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.views.money import change, money, quantity, signed, two_places, unit_price

WIDE = 120
"""From this width on, notes stand beside their part; below it they are numbered and follow the table."""

Money = Mapping[str, Decimal]
_SIGNS = {"added": ("+", "good"), "removed": ("-", "error"), "changed": ("~", "warning")}


def show(answer: Answer) -> None:
    """Print the answer of `estimate_cost`."""
    from prov_tools.cost import EstimateCostOutput

    output = answer.output
    assert isinstance(output, EstimateCostOutput)
    show_estimate(answer.session.out, output.whole, against=output.whole_against, verdict=output.verdict)


def act(answer: Answer) -> None:
    """Draw what the person asked for (`--svg`, `--png`)."""
    from prov_server.cli.views.estimate_picture import draw
    from prov_tools.cost import EstimateCostOutput

    output = answer.output
    assert isinstance(output, EstimateCostOutput)
    draw(
        output.whole,
        against=output.whole_against,
        svg=answer.extras.get("svg"),
        png=answer.extras.get("png"),
        force=bool(answer.extras.get("force")),
    )


def show_estimate(
    console: Console, estimate: Estimate, *, against: Estimate | None = None, verdict: BudgetVerdict | None = None
) -> None:
    """Print the bill; `against` is what it was before, `verdict` how it stands to a budget."""
    currencies = sorted({part.currency for _, part in estimate.parts() if part.currency})
    if estimate.resources:
        _Bill(estimate, currencies, is_wide=console.width >= WIDE).print_to(console)
    else:
        console.print("nothing in this configuration is billed", style="quiet")
    if against is not None:
        _show_difference(console, against, estimate)
    for line in (*_totals(estimate), *_unpriced(estimate), *_savings(estimate)):
        console.print(line, soft_wrap=True)
    of_the_other = (f"compared with: {note}" for note in (against.notes if against else ()) if note not in estimate.notes)
    for note in (*estimate.notes, *of_the_other):
        console.print(Text.assemble(("note", "info"), f": {visible(note)}"), soft_wrap=True)
    if verdict is not None:
        _show_verdict(console, verdict)


class _Bill:
    """The table, and the notes that it refers to."""

    def __init__(self, estimate: Estimate, currencies: list[str], *, is_wide: bool) -> None:
        self.estimate, self.is_wide = estimate, is_wide
        self.only = currencies[0] if len(currencies) == 1 else None
        self.notes: dict[str, int] = {}

    def print_to(self, console: Console) -> None:
        unit_of_money = f" {self.only}" if self.only else ""
        table = Table(box=None, header_style="quiet", pad_edge=False)
        table.add_column("resource", overflow="fold")
        table.add_column("quantity", justify="right", no_wrap=True)
        table.add_column("unit", no_wrap=True)
        table.add_column("price" + unit_of_money, justify="right", no_wrap=True)
        table.add_column("monthly" + unit_of_money, justify="right", no_wrap=True)
        if self.is_wide:
            table.add_column("notes", overflow="fold")
        for resource in self.estimate.resources:
            self._add_resource(table, resource)
        console.print(table)
        for note, number in self.notes.items():
            console.print(Text(f"[{number}] {visible(note)}", "quiet"), soft_wrap=True)
        console.print()

    def _add_resource(self, table: Table, resource: ResourceCost) -> None:
        name = Text.assemble((visible(resource.address), "heading"))
        place = Text(visible(f"{resource.provider} {resource.region}".strip()), "quiet")
        sums = resource.monthly()
        total = Text("\n".join(self._money(amount, currency) for currency, amount in sorted(sums.items())) or "-", "heading")
        if self.is_wide:
            table.add_row(name, "", "", "", total, place)
        else:
            table.add_row(name, "", "", "", total)
        for part in resource.parts:
            self._add_part(table, part)

    def _add_part(self, table: Table, part: Part) -> None:
        style = "quiet" if part.is_usage else ""
        notes = [note for note in part.notes if note != DEPENDS]
        span = self._span(part)
        name = Text(f"  {visible(part.name)}", style)
        cells = [Text(quantity(part.quantity), style), Text(visible(part.unit), style)]
        if part.price is None:
            cells += [Text("unpriced", "warning"), Text("-", "warning")]
        else:
            mark = "" if self.only else f" {part.price.currency}"
            cells += [Text(unit_price(part.price.amount) + mark, style), Text(self._monthly(part), style)]
        if self.is_wide:
            words = [*([f"{DEPENDS}{f': {span}' if span else ''}"] if part.is_usage else []), *notes]
            table.add_row(name, *cells, Text(visible("; ".join(words)), "quiet"))
            return
        for note in notes:
            name.append(f" [{self.notes.setdefault(note, len(self.notes) + 1)}]", "quiet")
        if part.is_usage:
            name.append(f"\n  {DEPENDS}", "quiet")
            cells[-1] = Text(f"{cells[-1].plain}\n{span}", style)
        table.add_row(name, *cells)

    def _monthly(self, part: Part) -> str:
        assert part.price is not None
        assert part.monthly is not None
        return self._money(part.monthly, part.price.currency)

    def _span(self, part: Part) -> str:
        """From small to large use; blank without a price."""
        low, high = part.monthly_at("small"), part.monthly_at("large")
        return "" if low is None or high is None else f"{two_places(low)} to {two_places(high)}"

    def _money(self, amount: Decimal, currency: str) -> str:
        return two_places(amount) if self.only else money(amount, currency)


def _totals(estimate: Estimate) -> Iterator[Text]:
    low, high = estimate.totals("small"), estimate.totals("large")
    nothing = Decimal(0)
    for currency, amount in sorted(estimate.totals().items()):
        line = Text.assemble(("total", "heading"), "  ", (money(amount, currency), "heading"), " a month")
        least, most = low.get(currency, nothing), high.get(currency, nothing)
        if least != most:
            line.append(f" ({two_places(least)} to {two_places(most)}, {DEPENDS})", "quiet")
        yield line
    if converted := estimate.converted():
        rates = ", ".join(f"1 {name} = {unit_price(rate)} {converted.currency}" for name, rate in sorted(converted.rates.items()))
        yield Text.assemble(
            ("all", "heading"), f"    {money(converted.monthly, converted.currency)} a month", (f" ({rates})", "quiet")
        )
        if converted.missing:
            yield Text(f"       without {', '.join(converted.missing)}: no rate was given", "warning")


def _unpriced(estimate: Estimate) -> Iterator[Text]:
    for address, part, hint in estimate.unpriced:
        line = Text.assemble(("unpriced", "warning"), "  ", visible(f"{address}: {part}"))
        yield line.append(f" ({visible(hint)})" if hint else "", "quiet")


def _savings(estimate: Estimate) -> Iterator[Text]:
    for saving in sorted(estimate.savings, key=lambda one: (one.currency, -one.monthly, one.address)):
        figure = f"save {money(saving.monthly, saving.currency)}"
        words = f"  {saving.address}: {saving.change}"
        why = f" ({saving.why}{'; test it first' if saving.needs_testing else ''})"
        yield Text.assemble((figure, "good"), visible(words), (visible(why), "quiet"))


def _show_difference(console: Console, before: Estimate, after: Estimate) -> None:
    found = compare(before, after)
    table = Table(box=None, show_header=False, pad_edge=False)
    for justify in ("left", "left", "right", "right"):
        table.add_column(justify=justify, overflow="fold", no_wrap=justify == "right")
    for one in found.resources:
        table.add_row(*_difference_row(one))
    if found.resources:
        console.print(table)
    else:
        console.print("nothing that is billed differs", style="quiet")
    for currency, delta in found.totals.delta.items():
        console.print(_total_difference(found.totals, currency, delta), soft_wrap=True)
    console.print()


def _difference_row(one: ResourceDelta) -> list[Text]:
    sign, style = _SIGNS[one.change]
    was, now = (_sums(money_of) for money_of in (one.cost.before, one.cost.after))
    path = f"{was} -> {now}" if one.change == "changed" else now if one.change == "added" else was
    delta = ", ".join(signed(amount, currency) for currency, amount in one.cost.delta.items() if amount)
    if one.unpriced[0] != one.unpriced[1]:
        delta = f"{delta or 'same'}, unpriced parts {one.unpriced[0]} -> {one.unpriced[1]}"
    return [Text(sign, style), Text(visible(one.address), style), Text(path, "quiet"), Text(delta or "0.00", style)]


def _total_difference(totals: Delta, currency: str, delta: Decimal) -> Text:
    style = "error" if delta > 0 else "good" if delta < 0 else "quiet"
    before, after = totals.before.get(currency, Decimal(0)), totals.after.get(currency, Decimal(0))
    return Text.assemble(("change", "heading"), "  ", (change(before, after, currency), style))


def _show_verdict(console: Console, verdict: BudgetVerdict) -> None:
    of = f"{two_places(verdict.cost)} of {money(verdict.budget, verdict.currency)} a month"
    if verdict.is_within:
        line = Text.assemble(("within the budget", "good"), f": {of}")
    elif verdict.is_within is None:
        line = Text.assemble(("whether it is within the budget cannot be told", "warning"), f": {of} are known")
    else:
        line = Text.assemble((f"over the budget by {money(verdict.over, verdict.currency)}", "error"), f": {of}")
    console.print(line, soft_wrap=True)
    for note in verdict.notes:
        console.print(Text.assemble(("note", "info"), f": {visible(note)}"), soft_wrap=True)


def _sums(amounts: Money) -> str:
    return ", ".join(money(amount, currency) for currency, amount in sorted(amounts.items())) or "0.00"

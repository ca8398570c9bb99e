"""An estimate: a table of resources and their parts, the totals, what could cost less, what differs from another, pictures."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from prov_judge.cost.budget import BudgetVerdict
from prov_judge.cost.difference import Delta, ResourceDelta, compare
from prov_judge.cost.model import DEPENDS, Estimate
from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.views.columns import Row, print_columns, print_lines
from prov_server.cli.views.estimate_bill import DEAREST, MOST_ON_A_TERMINAL, print_bill
from prov_server.cli.views.money import change, money, signed, two_places, unit_price

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
    if estimate.resources:
        print_bill(console, estimate)
    else:
        console.print("nothing in this configuration is billed", style="quiet")
    if against is not None:
        _show_difference(console, against, estimate)
    print_lines(console, _totals(estimate))
    print_lines(console, _short(console, list(_unpriced(estimate)), "unpriced parts"))
    print_lines(console, _short(console, list(_savings(estimate)), "savings"))
    of_the_other = (f"compared with: {note}" for note in (against.notes if against else ()) if note not in estimate.notes)
    print_lines(console, (_note(note) for note in (*estimate.notes, *of_the_other)))
    if verdict is not None:
        _show_verdict(console, verdict)


def _note(words: str) -> Text:
    return Text.assemble(("note", "info"), f": {visible(words)}")


def _short(console: Console, lines: list[Text], what: str) -> list[Text]:
    """The lines, on a terminal no more than a person reads."""
    if not console.is_terminal or len(lines) <= MOST_ON_A_TERMINAL:
        return lines
    return [*lines[:DEAREST], Text(f"... and {len(lines) - DEAREST:,} more {what}: --json or a pipe has them all", "warning")]


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
    for saving in sorted(estimate.savings, key=lambda one: (one.takes_away, one.currency, -one.monthly, one.address)):
        figure = f"save {money(saving.monthly, saving.currency)}"
        words = f"  {saving.address}: {saving.change}"
        why = f" ({saving.why}{'; test it first' if saving.needs_testing else ''})"
        yield Text.assemble((figure, "good"), visible(words), (visible(why), "quiet"))


def _show_difference(console: Console, before: Estimate, after: Estimate) -> None:
    found = compare(before, after)
    shown = found.resources
    if console.is_terminal and len(shown) > MOST_ON_A_TERMINAL:
        shown = tuple(sorted(shown, key=_least_changed_last)[:DEAREST])
    if shown:
        print_columns(console, [_difference_row(one) for one in shown], "llrr", (1,))
        if more := len(found.resources) - len(shown):
            words = f"the {DEAREST} largest of {len(found.resources):,} differences; {more:,} more: a pipe has them all"
            print_lines(console, [Text(words, "warning")])
    else:
        console.print("nothing that is billed differs", style="quiet")
    for currency, delta in found.totals.delta.items():
        console.print(_total_difference(found.totals, currency, delta), soft_wrap=True)
    console.print()


def _least_changed_last(one: ResourceDelta) -> Decimal:
    return -max(map(abs, one.cost.delta.values()), default=Decimal(0))


def _difference_row(one: ResourceDelta) -> Row:
    sign, style = _SIGNS[one.change]
    was, now = (_sums(money_of) for money_of in (one.cost.before, one.cost.after))
    path = f"{was} -> {now}" if one.change == "changed" else now if one.change == "added" else was
    delta = ", ".join(signed(amount, currency) for currency, amount in one.cost.delta.items() if amount)
    if one.unpriced[0] != one.unpriced[1]:
        delta = f"{delta or 'same'}, unpriced parts {one.unpriced[0]} -> {one.unpriced[1]}"
    return [(sign, style), (visible(one.address), style), (path, "quiet"), (delta or "0.00", style)]


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
    print_lines(console, (_note(note) for note in verdict.notes))


def _sums(amounts: Money) -> str:
    return ", ".join(money(amount, currency) for currency, amount in sorted(amounts.items())) or "0.00"

"""The bar picture of an estimate: cost by resource, or before and after; written where a person asked for it."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from prov_judge.cost.difference import compare
from prov_judge.cost.model import DEPENDS, Estimate
from prov_server.cli.paths import typed_path
from prov_server.cli.views.money import change, money, two_places
from stratumops.errors import ConflictError, InvalidInputError, PermissionDeniedError
from stratumops.pictures.bars import Amounts, Panel, Row, bars


def draw(
    estimate: Estimate, *, against: Estimate | None = None, svg: str | None = None, png: str | None = None, force: bool = False
) -> None:
    """Write the bar picture to the files that were named; both names are looked at before the first is written.

    Raises InvalidInputError (another ending, no path), ConflictError (a file exists and `force` is not said),
    PermissionDeniedError, UnavailableError (PNG on a machine without fonts).
    """
    for name, suffix in ((svg, ".svg"), (png, ".png")):
        if name is not None:
            _require_place(name, suffix, force=force)
    if svg is None and png is None:
        return
    text = picture(estimate, against)
    data = None
    if png is not None:
        from stratumops.pictures.png import png as rendered

        data = rendered(text)
    for name, content in ((svg, text.encode("utf-8")), (png, data)):
        if name is not None and content is not None:
            try:
                typed_path(name).write_bytes(content)
            except OSError as error:
                raise PermissionDeniedError(f"{name} cannot be written: {error.strerror}", hint="choose another place") from None


def _require_place(name: str, suffix: str, *, force: bool) -> None:
    path = typed_path(name)
    if path.suffix.lower() != suffix:
        raise InvalidInputError(f"{name!r} is no name for such a picture", hint=f"let it end in {suffix}")
    if not force and (path.exists() or path.is_symlink()):
        raise ConflictError(f"{name} exists already", hint="use --force to overwrite it, or choose another name", path=name)


def picture(estimate: Estimate, against: Estimate | None = None) -> str:
    """The cost of each resource as bars (SVG), a panel for each currency: fixed and usage, or before and after."""
    if against is None:
        note = f"A month of 730 hours, net of VAT, at {estimate.usage} usage. Parts without a price are not shown."
        return bars("Cost of a month", ["fixed", DEPENDS], list(_cost_panels(estimate)), note=note)
    note = f"A month of 730 hours, net of VAT, at {estimate.usage} usage. Resources that cost the same are not shown."
    panels = list(_difference_panels(against, estimate))
    return bars("What changes in a month", ["before", "after"], panels, layout="paired", note=note)


def _cost_panels(estimate: Estimate) -> Iterator[Panel]:
    for currency, total in sorted(estimate.totals().items()):
        rows = []
        for resource in estimate.resources:
            fixed, usage = Decimal(0), Decimal(0)
            for part in resource.parts:
                if part.currency == currency and part.monthly is not None:
                    fixed, usage = (fixed, usage + part.monthly) if part.is_usage else (fixed + part.monthly, usage)
            if fixed or usage:
                rows.append(Row(resource.address, (fixed, usage)))
        if rows:
            yield Panel(f"{money(total, currency)} a month", rows, _summed(currency))


def _difference_panels(before: Estimate, after: Estimate) -> Iterator[Panel]:
    found = compare(before, after)
    nothing = Decimal(0)
    for currency in found.totals.delta:
        rows = [
            Row(one.address, (one.cost.before.get(currency, nothing), one.cost.after.get(currency, nothing)))
            for one in found.resources
            if one.cost.delta.get(currency)
        ]
        if rows:
            before_all, after_all = (sums.get(currency, nothing) for sums in (found.totals.before, found.totals.after))
            heading = change(before_all, after_all, currency)
            yield Panel(heading, rows, _arrow)


def _summed(currency: str) -> Callable[[Amounts], str]:
    return lambda amounts: money(sum(amounts, Decimal(0)), currency)


def _arrow(amounts: Amounts) -> str:
    return f"{two_places(amounts[0])} -> {two_places(amounts[1])}"

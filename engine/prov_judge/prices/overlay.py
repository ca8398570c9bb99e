"""Prices of the workspace's own, as CSV: negotiated ones that a person imports, list prices that an update fetched.

One format for both: provider,region,service,item,unit,unit_price,currency,as_of,source. A blank region means every region;
date and source may be blank. It is read by the one importer of price tables, so nothing is skipped, guessed or repaired.
"""

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from prov_corpus import PROVIDERS
from prov_corpus.catalogue.regions import nearest_regions, price_region, regions
from prov_corpus.prices.compute import find_sku, nearest_skus, priced_regions
from prov_corpus.prices.table import currency, day, money, optional, read_table, text
from prov_corpus.similar import nearest
from prov_judge.prices.book import PriceBook
from prov_judge.prices.price import Origin
from prov_judge.prices.row import PriceRow
from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError

MAX_BYTES = 32 * 1024 * 1024
MOST_LIKELY = 10
"""Unknown names that are told with the likeliest ones."""

COLUMNS = {
    "provider": text,
    "region": optional(text),
    "service": text,
    "item": text,
    "unit": text,
    "unit_price": money,
    "currency": currency,
    "as_of": optional(day),
    "source": optional(text),
}
KEY = ("provider", "region", "service", "item")
_COMPUTE = "compute"
_OWN_RATES = ("vcpu", "memory_gb")
"""What one's own machines may be priced by."""

UNITS: Mapping[str, tuple[str, ...]] = {
    "compute": ("hours",),
    "block_storage": ("GB", "months"),
    "block_storage_iops": ("IOPS",),
    "block_storage_throughput": ("MBps",),
    "snapshot": ("GB",),
    "object_storage": ("GB",),
    "object_storage_requests": ("1k requests",),
    "object_storage_base": ("months",),
    "file_storage": ("GB",),
    "database": ("hours", "months"),
    "database_storage": ("GB",),
    "database_iops": ("IOPS",),
    "database_backup": ("GB",),
    "database_vcpu": ("hours",),
    "database_memory": ("GB",),
    "cache": ("hours", "months"),
    "kubernetes": ("hours", "months"),
    "load_balancer": ("hours", "months"),
    "load_balancer_capacity": ("LCU",),
    "load_balancer_data": ("GB",),
    "nat": ("hours", "months"),
    "nat_data": ("GB",),
    "transfer": ("GB",),
    "public_ip": ("hours", "months"),
    "kms": ("months",),
    "kms_requests": ("10k requests",),
    "secret": ("months",),
    "secret_requests": ("10k requests",),
    "dns": ("months",),
    "dns_queries": ("1M queries",),
    "logs": ("GB",),
    "registry": ("GB",),
    "queue": ("1M requests",),
    "waf": ("months",),
    "waf_requests": ("1M requests",),
    "backup": ("GB",),
}
"""The services that prices are known by, and the units that each is billed in (GB: a GB for a month)."""


def read_overlay(path: Path, origin: Origin) -> list[PriceRow]:
    """The prices of a file. Nothing else is changed or kept: a file that is wrong in one cell is refused as a whole.

    Raises InvalidInputError (with file, line and column in its details), NotFoundError or PermissionDeniedError.
    """
    _require_file(path)
    try:
        cells = read_table(path, COLUMNS, key=KEY, groups=PROVIDERS)
    except InvalidInputError as error:
        raise _explained(error, path) from None
    return [_row(values, path, line, origin) for line, values in enumerate(cells, 2)]


def unknown_items(rows: Iterable[PriceRow], book: PriceBook) -> list[str]:
    """A line for each price that may never be used: its item is in no list. Such prices are kept all the same.

    The first lines name the likeliest items; to look for those of every line would take minutes for a large file.
    """
    known: dict[tuple[str, str], frozenset[str]] = {}
    said: list[str] = []
    for row in rows:
        if row.provider == "local" or (row.service == _COMPUTE and find_sku(row.provider, row.item)):
            continue
        key = row.provider, row.service
        if key not in known:
            known[key] = frozenset(book.items(*key))
        if row.service == _COMPUTE or row.item not in known[key]:
            said.append(_unknown(row, known[key] if len(said) < MOST_LIKELY else ()))
    return said


def odd_rows(rows: Iterable[PriceRow], book: PriceBook) -> list[str]:
    """A line for each provider and currency that the provider's list is not in: totals and savings never mix currencies."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        usual = book.currency(row.provider)
        if usual is not None and row.currency != usual:
            found[row.provider, row.currency] = found.get((row.provider, row.currency), 0) + 1
    return [
        f"{number:,} {'price' if number == 1 else 'prices'} of {provider} in {currency}, its list is in "
        f"{book.currency(provider)}: there will be a total for each currency, and no saving that compares the two"
        for (provider, currency), number in sorted(found.items())
    ]


def refuse_future(rows: Iterable[PriceRow], path: Path, today: date) -> None:
    """Raise InvalidInputError where a price's date is after `today`: nobody can have had it yet.

    A day more is let pass, for who is ahead of this machine's clock.
    """
    for line, row in enumerate(rows, 2):
        if row.as_of is not None and row.as_of > today + timedelta(days=1):
            _fail(
                path,
                line,
                "as_of",
                f"{row.as_of} has not come yet",
                f"write the day that the price was valid on; today is {today}",
            )


def is_readable(service: str, item: str, unit: str, amount: Decimal) -> bool:
    """Whether a price that is written to a file would be read again."""
    try:
        return text(item) == item and unit in UNITS.get(service, ()) and money(f"{amount:f}") == amount
    except ValueError:
        return False


def as_text(rows: Iterable[PriceRow]) -> str:
    """Rows as such a file, sorted; read again they are the same rows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: (row.provider, row.region, row.service, row.item)):
        as_of = row.as_of.isoformat() if row.as_of else ""
        writer.writerow(
            (row.provider, row.region, row.service, row.item, row.unit, f"{row.amount:f}", row.currency, as_of, row.source)
        )
    return out.getvalue()


def _row(values: tuple[Any, ...], path: Path, line: int, origin: Origin) -> PriceRow:
    provider, region, service, item, unit, amount, money_of, as_of, source = values
    if region is not None and region not in _regions(provider):
        near = nearest_regions(provider, region)
        _fail(path, line, "region", f"{region[:40]!r} is not a region of {provider}", _did_you_mean(near))
    if service not in UNITS:
        _fail(path, line, "service", f"{service[:40]!r} is not a known service", _did_you_mean(nearest(service, UNITS)))
    if unit not in UNITS[service]:
        _fail(path, line, "unit", f"{unit[:40]!r} is not a unit of {service}", f"it is priced in {' or '.join(UNITS[service])}")
    if provider == "local" and service == _COMPUTE and item not in _OWN_RATES:
        _fail(path, line, "item", f"{item[:40]!r} is no rate of one's own machines", f"use {' or '.join(_OWN_RATES)}")
    row = PriceRow(
        provider=provider,
        region=region or "",
        service=service,
        item=item,
        unit=unit,
        amount=amount if isinstance(amount, Decimal) else Decimal(amount),
        currency=money_of,
        as_of=as_of,
        source=source or "",
        precision="listed",
        origin=origin,
        monthly_cap=None,
    )
    if service == _COMPUTE and provider != "local" and (known := find_sku(provider, item)):
        # The provider's own spelling is what a machine is looked up by.
        return replace(row, item=known.name)
    return row


def _regions(provider: str) -> set[str]:
    """Ids that a price may name: regions, and those of the price list."""
    known = set(regions(provider))
    return known | {price_region(provider, region) for region in known} | set(priced_regions(provider))


def _require_file(path: Path) -> None:
    try:
        if not path.exists():
            raise NotFoundError(f"no such file: {path}", hint="name a CSV file of prices", file=path.name)
        if not path.is_file():
            raise InvalidInputError(f"{path} is not a file", hint="name a CSV file of prices", file=path.name)
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInputError(f"{path.name} has more than {MAX_BYTES:,} bytes", hint="leave out what is not needed")
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise PermissionDeniedError(f"{path} cannot be read: {error.strerror}", hint="check its permissions") from None
    except ValueError:
        raise InvalidInputError("a null byte is no part of a file's name", hint="name a CSV file of prices") from None
    if start.startswith(b"\xef\xbb\xbf"):
        raise InvalidInputError(
            f"{path.name} begins with a byte-order mark", hint="save it as UTF-8 without one (spreadsheets: plain CSV)", line=1
        )


def _explained(error: InvalidInputError, path: Path) -> InvalidInputError:
    """The importer's error for a person whose own file it is."""
    line, column = error.details.get("line"), error.details.get("column")
    hint = "correct that cell; nothing was taken from the file"
    if line == 1:
        hint = f"the first line is {','.join(COLUMNS)}, with commas between"
    elif column == "provider" and line:
        given = path.read_text(encoding="utf-8").split("\n")[line - 1].partition(",")[0]
        hint = _did_you_mean(nearest(given, PROVIDERS)) or hint
    return InvalidInputError(error.message, hint=hint, **error.details)


def _fail(path: Path, line: int, column: str, problem: str, hint: str) -> NoReturn:
    raise InvalidInputError(
        f"{path.name}, line {line}, column {column}: {problem}",
        hint=hint or "correct that cell; nothing was taken from the file",
        file=path.name,
        line=line,
        column=column,
    )


def _did_you_mean(names: list[str]) -> str:
    return f"did you mean {' or '.join(names)}?" if names else ""


def _unknown(row: PriceRow, known: Collection[str]) -> str:
    kind = "machine size" if row.service == _COMPUTE else f"item of {row.service}"
    if not known:
        near = []
    elif row.service == _COMPUTE:
        near = nearest_skus(row.provider, row.item)
    else:
        near = nearest(row.item, sorted(known)) or sorted(known)[:3]
    like = f"; known are {', '.join(near)}" if near else ""
    return f"{row.item!r} is not a known {kind} of {row.provider}{like}"

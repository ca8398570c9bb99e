"""The one importer of price tables: CSV with a header, a known set of columns, a key, and a guard for each column.

A price that is read wrongly is money that is counted wrongly, so nothing is skipped, guessed or repaired: the first
damaged cell is an InvalidInputError that names file, line and column. A table is opened in a few milliseconds and parsed
block by block (a provider's region), a column at a time, with each distinct text parsed once.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from stratumops.errors import InvalidInputError, NotFoundError

Parser = Callable[[str], Any]

# ISO 4217 codes in which the providers publish price lists.
CURRENCIES = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "INR", "JPY", "KRW", "MXN", "NOK", "NZD"}
    | {"PLN", "SEK", "SGD", "USD", "ZAR"}
)

_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
LEAST_MONEY, MOST_MONEY = Decimal("1E-12"), Decimal("1E+10")
"""A price is at least the first and below the second: what is beyond has lost its point somewhere."""
_WHOLE = re.compile(r"[0-9]+")
_LONGEST_MONEY = 24
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def text(cell: str) -> str:
    """A name: not empty, printable, without space around it."""
    if not cell or cell != cell.strip() or not cell.isprintable():
        raise ValueError("must be a name without space around it")
    return cell


def money(cell: str) -> Decimal:
    """A positive amount, exact, of 24 characters at most. Zero is refused: what has no price has no row."""
    if not _DECIMAL.fullmatch(cell) or not (amount := Decimal(cell)):
        raise ValueError("must be a positive decimal number such as 0.0116")
    if not is_amount(amount) or len(cell) > _LONGEST_MONEY:
        raise ValueError("is no price: it must be below 10,000,000,000, at least 0.000000000001, and of 24 characters at most")
    return amount


def is_amount(amount: Decimal) -> bool:
    """Whether it is as large as a price can be."""
    return LEAST_MONEY <= amount < MOST_MONEY


def count(cell: str) -> int:
    """A positive whole number."""
    if not _WHOLE.fullmatch(cell) or not (number := int(cell)):
        raise ValueError("must be a positive whole number")
    return number


def quantity(cell: str) -> float:
    """A positive number that is not money."""
    if not _DECIMAL.fullmatch(cell) or not (number := float(cell)):
        raise ValueError("must be a positive number; leave the cell blank when it is not known")
    return number


def currency(cell: str) -> str:
    """An ISO 4217 code."""
    if cell not in CURRENCIES:
        raise ValueError(f"must be an ISO 4217 currency code, one of {', '.join(sorted(CURRENCIES))}")
    return cell


def day(cell: str) -> date:
    """An ISO 8601 calendar date."""
    if not _DATE.fullmatch(cell):
        raise ValueError("must be a date such as 2026-11-23")
    return date.fromisoformat(cell)


def optional(parser: Parser) -> Parser:
    """The parser of a column in which a blank cell means "not known" (None)."""

    def parse(cell: str) -> Any:
        return parser(cell) if cell else None

    return parse


def _fail(path: Path, line: int, column: str, problem: str) -> NoReturn:
    where = f"{path.name}, line {line}" + (f", column {column}" if column else "")
    raise InvalidInputError(
        f"{where}: {problem}",
        hint="restore the file from the release, or correct that cell",
        file=path.name,
        line=line,
        column=column or None,
    )


def _one_of(groups: Collection[str], parser: Parser) -> Parser:
    """The parser of a column that names one of some groups."""

    def parse(cell: str) -> Any:
        if cell not in groups:
            raise ValueError(f"is not one of {', '.join(groups)}")
        return parser(cell)

    return parse


@dataclass(frozen=True, slots=True)
class Columns:
    """Guarded rows as columns: equal cells are one object, and nothing is made of a row until somebody asks for it.

    `index` leads from what identifies a row in its block to its position in every column: the value of the last column of the
    key, or a tuple of values where the key has several columns more than the block's name.
    """

    by_name: Mapping[str, Sequence[Any]]
    index: Mapping[Any, int]

    def __getitem__(self, name: str) -> Sequence[Any]:
        return self.by_name[name]


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise NotFoundError(f"no such table: {path.name}", hint="reinstall the package", file=path.name) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        _fail(path, line, "", "is not UTF-8 text")
    if "\r" in content:
        content = content.replace("\r\n", "\n")
    return content.removesuffix("\n")


class Table:
    """An opened table: a block of rows is parsed when it is first asked for, the header and the groups are checked now.

    `columns` are the expected columns, in order, each with its parser (which raises ValueError). `key` names the columns that
    identify a row. `groups` are the values that the first column may have. The values of the `leading` first columns name a
    block; with none of them, all rows are one block in the order of the file. Raises InvalidInputError (file, line and column
    in its details) or NotFoundError.
    """

    def __init__(
        self, path: Path, columns: Mapping[str, Parser], *, key: Sequence[str], groups: Collection[str], leading: int
    ) -> None:
        self._path = path
        first = next(iter(columns))
        self._parsers = {**columns, first: _one_of(groups, columns[first])}
        self._leading = tuple(columns)[:leading]
        self._key = tuple(key)
        self._text = _read_text(path)
        self._parsed: dict[tuple[str, ...], Columns] = {}
        # What each text of a column was read as, over all blocks.
        self._values: dict[str, dict[str, Any]] = {name: {} for name in columns}
        header = self._text.partition("\n")[0]
        if header.split(",") != list(columns):
            _fail(path, 1, "", f"the columns must be {','.join(columns)}")
        self._spans = self._find_blocks(len(header))

    def _find_blocks(self, at: int) -> dict[tuple[str, ...], list[tuple[int, int]]]:
        """Where the rows of each block stand; rows of one block may stand apart, though in a shipped table they do not."""
        if not self._leading:
            return {(): [(at + 1, len(self._text))]} if at < len(self._text) else {}
        prefix = ",".join(["[^,\n]*"] * len(self._leading))
        rows_of_a_block = re.compile(rf"\n({prefix}),.*(?:\n\1,.*)*")
        spans: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        while at < len(self._text):
            found = rows_of_a_block.match(self._text, at)
            if found is None:
                line = self._text[at + 1 :].partition("\n")[0]
                _fail(self._path, self._line(at), "", f"has {line.count(',') + 1} cells, expected {len(self._parsers)}")
            named = tuple(found[1].split(","))
            for column, value in zip(self._leading, named, strict=True):
                self._check(column, value, at)
            spans.setdefault(named, []).append((at + 1, found.end()))
            at = found.end()
        return spans

    def _line(self, at: int) -> int:
        """The number of the line that the line break at `at` starts."""
        return self._text.count("\n", 0, at) + 2

    def _check(self, column: str, value: str, at: int) -> None:
        if '"' in value:
            _fail(self._path, self._line(at), column, f"{value[:40]!r} must not be quoted")
        try:
            self._parsers[column](value)
        except ValueError as error:
            _fail(self._path, self._line(at), column, f"{value[:40]!r} {error}")

    @property
    def blocks(self) -> tuple[tuple[str, ...], ...]:
        """The values of the leading columns, in the order of the file."""
        return tuple(self._spans)

    def block(self, *named: str) -> Columns:
        """The guarded rows of a block; none when the table has no such block."""
        if named not in self._spans:
            return Columns(dict.fromkeys(self._parsers, ()), {})
        if named not in self._parsed:
            self._parsed[named] = self._parse(named, self._spans[named])
        return self._parsed[named]

    def _parse(self, named: tuple[str, ...], spans: Sequence[tuple[int, int]]) -> Columns:
        names = list(self._parsers)

        def numbers() -> Iterator[int]:
            """The numbers of the lines that were read; only a damaged table is asked for them."""
            for start, end in spans:
                first = self._line(start - 1)
                yield from range(first, first + self._text.count("\n", start, end) + 1)

        block = "".join(self._text[start - 1 : end] for start, end in spans)
        cells_of = _cells(self._path, block, named, len(names), numbers)
        rows = len(cells_of[0])
        by_name: dict[str, Sequence[Any]] = {
            column: [self._parsers[column](value)] * rows for column, value in zip(self._leading, named, strict=True)
        }
        for name, cells in zip(names[len(named) :], cells_of, strict=True):
            by_name[name] = self._column(name, cells, numbers)
        identifying = [by_name[name] for name in self._key if name not in self._leading]
        identity = identifying[0] if len(identifying) == 1 else list(zip(*identifying, strict=True))
        index = dict(zip(identity, range(rows), strict=True))
        if len(index) != rows:
            seen = set()
            for number, values in zip(numbers(), zip(*(by_name[name] for name in self._key), strict=True), strict=True):
                if values in seen:
                    _fail(self._path, number, ", ".join(self._key), f"{' / '.join(map(str, values))} is there twice")
                seen.add(values)
        return Columns(by_name, index)

    def _column(self, name: str, cells: Sequence[str], numbers: Callable[[], Iterator[int]]) -> list[Any]:
        values, parser, distinct = self._values[name], self._parsers[name], set(cells)
        try:
            for cell in distinct.difference(values):
                values[cell] = parser(cell)
        except ValueError:
            for number, cell in zip(numbers(), cells, strict=True):
                try:
                    parser(cell)
                except ValueError as error:
                    _fail(self._path, number, name, f"{cell[:40]!r} {error}")
            raise
        return [values[cells[0]]] * len(cells) if len(distinct) == 1 else list(map(values.__getitem__, cells))


def _cells(
    path: Path, block: str, named: Sequence[str], columns: int, numbers: Callable[[], Iterator[int]]
) -> list[Sequence[str]]:
    """The cells of each column after those that name the block. Each line begins with a line break and these names.

    A line is a record (no cell holds a line break). Without quotes a cell ends at each comma, so one split of the whole text
    gives every cell, in a third of the time that the CSV reader takes. Each line's beginning is kept as a cell that holds a
    line break: they must be exactly every (width + 1)th.
    """
    width = columns - len(named)
    beginning = "\n" + "".join(f"{name}," for name in named)
    if '"' not in block:
        in_order = block.replace(beginning, ",\n,").split(",")
        breaks = in_order[1 :: width + 1]
        if (len(in_order) - 1) % (width + 1) == 0 and breaks.count("\n") == len(breaks) == block.count("\n"):
            return [in_order[at + 2 :: width + 1] for at in range(width)]
    lines = block.split(beginning)[1:]
    try:
        rows = list(csv.reader(lines, strict=True))
        if len(rows) == len(lines):
            by_column = list(zip(*rows, strict=True))
            if len(by_column) == width:
                return list(by_column)
    except (csv.Error, ValueError):
        pass  # the loop below says where
    for number, line in zip(numbers(), lines, strict=True):
        try:
            cells = next(csv.reader([line], strict=True), [])
        except csv.Error as error:
            _fail(path, number, "", f"is not CSV ({error})")
        if len(cells) != width:
            _fail(path, number, "", f"has {len(cells) + len(named)} cells, expected {columns}")
    raise AssertionError("a table that fails as a whole fails in one of its lines")


def read_table(
    path: Path, columns: Mapping[str, Parser], *, key: Sequence[str], groups: Collection[str]
) -> list[tuple[Any, ...]]:
    """All rows of a table as tuples in the order of `columns` and of the file; all else as `Table`."""
    return list(zip(*Table(path, columns, key=key, groups=groups, leading=0).block().by_name.values(), strict=True))

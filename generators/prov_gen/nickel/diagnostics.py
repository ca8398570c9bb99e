"""Nickel's text reports as data: what is wrong, and where in the user's own file.

Nickel prints reports in the style of codespan: a headline, excerpts (`┌─ file:line:column`, the line, markers below
it) and notes (`= ...`). Several reports may follow each other.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from prov_gen.nickel.advice import advice

MAX_DIAGNOSTICS = 50

_HEADLINE = re.compile(r"^(error|warning|bug)(?:\[[^\]]*\])?: (.*)$")
_NOTE_HEADLINE = re.compile(r"^note: ")
_LOCATION = re.compile(r"^ *┌─ (.*):(\d+):(\d+)$")
_GUTTER = re.compile(r"^ *(\d+)? *│(?: (.*))?$")
_NOTE = re.compile(r"^ *= (.*)$")
# A file of data: where Nickel's excerpts say the place, its parsers' own words and drawings only repeat it.
_OF_DATA = re.compile(r"^((?:json|yaml|toml) parse error): (?:TOML parse error at line \d+, column \d+)?(.*)$")
_BYTE = re.compile(r" at byte \d+ line \d+ column \d+$")
_DRAWING = re.compile(r"^ *(?:\d+ *)?\|(?: |$)")
_IMPORT = re.compile(r"^import of (.*) failed: .*$")

# How Nickel's headlines begin. The codes are stable API, Nickel's words are not: what is not listed is `nickel_eval`.
_CODES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("nickel_import", ("import of", "tried to import", "could not find import")),
    ("nickel_missing_field", ("missing definition", "missing field")),
    ("nickel_unbound", ("unbound",)),
    ("nickel_recursion", ("infinite recursion",)),
    ("nickel_contract", ("contract broken",)),
    ("nickel_type", ("dynamic type error", "incompatible", "type error", "not a function", "invalid contract")),
    ("nickel_type", ("missing row", "extra row", "row conflict", "multiple rows", "invalid polymorphic")),
    ("nickel_syntax", ("unexpected", "unmatched", "unclosed", "unknown", "mismatched", "duplicate", "ambiguous")),
    ("nickel_syntax", ("delimiter", "parse error", "can't", "invalid")),
    ("nickel_syntax", ("json parse error", "yaml parse error", "toml parse error")),
    ("nickel_export", ("non serializable", "the number")),
    ("nickel_merge", ("non mergeable",)),
)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding of Nickel. Lines and columns count from 1, columns in characters; `end_column` is exclusive.

    `file` is the name as the user knows it; None, as the place is, when Nickel points into no file of the user's.
    """

    severity: Literal["error", "warning"]
    code: str
    message: str
    notes: tuple[str, ...] = ()
    file: str | None = None
    line: int | None = None
    column: int | None = None
    end_column: int | None = None

    @property
    def fix(self) -> str:
        """What to do about it; empty where nothing better than the message can be said."""
        return advice(self.message, self.notes)

    def as_dict(self) -> dict[str, Any]:
        """JSON values, notes as a list."""
        return {**asdict(self), "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One place that a report shows: by Nickel's own file name, with `end_column` when the markers tell it."""

    file: str
    line: int
    column: int
    end_column: int | None
    is_primary: bool


Locate = Callable[[Excerpt], Excerpt | None]


def code_of(headline: str) -> str:
    """The stable code for a headline of Nickel's; `nickel_eval` for everything else."""
    lowered = headline.lower()
    return next((code for code, beginnings in _CODES if lowered.startswith(beginnings)), "nickel_eval")


def parse(report: str, *, locate: Locate, clean: Callable[[str], str]) -> list[Diagnostic]:
    """The reports in a text, in their order.

    `locate` turns Nickel's place into the user's, or None for a place that is not the user's (a schema, the standard
    library, our own wrapping). `clean` takes paths out of messages that the user did not write.
    """
    found = [_diagnostic(lines, locate, clean) for lines in _split(report.splitlines())]
    if not found:
        return [Diagnostic("error", "nickel_eval", clean(report.strip()[:500]) or "Nickel failed without a report")]
    return found[:MAX_DIAGNOSTICS]


def _split(lines: Iterable[str]) -> list[list[str]]:
    reports: list[list[str]] = []
    in_note = False
    for line in lines:
        if _HEADLINE.match(line):
            reports.append([line])
            in_note = False
        elif _NOTE_HEADLINE.match(line):
            # Stack traces: where calls came from, not what is wrong.
            in_note = True
        elif reports and not in_note:
            reports[-1].append(line)
    return reports


def _diagnostic(lines: list[str], locate: Locate, clean: Callable[[str], str]) -> Diagnostic:
    headline = _HEADLINE.match(lines[0])
    assert headline is not None
    excerpts, notes, more = _body(lines[1:])
    code = code_of(headline.group(2))
    message = _IMPORT.sub(
        r"cannot import \1: no such configuration file in the workspace or among the schemas", headline.group(2)
    )
    if of_data := _OF_DATA.match(message):
        more = [text for text in more if not _DRAWING.match(text)]
        said = (_BYTE.sub("", of_data.group(2)), *more[:1])
        message = ": ".join((of_data.group(1), *filter(None, said)))
        more = more[1:]
    elif more:
        message = f"{message}: {more[0]}"
        more = more[1:]
    notes = [*more, *notes]
    places = [(place, excerpt.is_primary) for excerpt in excerpts if (place := locate(excerpt)) is not None]
    # The place that is wrong, if it is the user's; else the user's place that led there.
    place = next((place for place, is_primary in places if is_primary), places[0][0] if places else None)
    return Diagnostic(
        severity="warning" if headline.group(1) == "warning" else "error",
        code=code,
        message=clean(message),
        notes=tuple(clean(note) for note in notes),
        file=place.file if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
        end_column=place.end_column if place else None,
    )


def _body(lines: list[str]) -> tuple[list[Excerpt], list[str], list[str]]:
    """The excerpts, the notes and the further lines of the headline."""
    excerpts: list[Excerpt] = []
    notes: list[str] = []
    more: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if location := _LOCATION.match(line):
            shown: list[str] = []
            while index < len(lines) and _GUTTER.match(lines[index]):
                shown.append(lines[index])
                index += 1
            excerpts.append(_excerpt(location, shown))
        elif note := _NOTE.match(line):
            notes.append(note.group(1).strip())
        elif line.strip() and notes:
            notes[-1] += " " + line.strip()
        elif line.strip() and not excerpts:
            more.append(line.strip())
    return excerpts, notes, more


def _excerpt(location: re.Match[str], shown: list[str]) -> Excerpt:
    line, column = int(location.group(2)), int(location.group(3))
    markers: list[str] = []
    text = ""
    collecting = False
    for row in shown:
        match = _GUTTER.match(row)
        assert match is not None
        if match.group(1):
            collecting = int(match.group(1)) == line
            text = (match.group(2) or "") if collecting else text
        elif collecting:
            markers.append(match.group(2) or "")
    is_primary = any("^" in row for row in markers)
    return Excerpt(location.group(1), line, column, _end_column(text, column, markers), is_primary)


def _end_column(text: str, column: int, markers: list[str]) -> int | None:
    """Where the marked span ends: the markers are counted in cells of the terminal, columns in characters.

    A line with a tab answers None after the first: the excerpt shows it as spaces, so that cells cannot be counted back.
    """
    start = sum(_cells(char) for char in text[: column - 1])
    for row in markers:
        run = re.match(r"\^+|-+", row[start:])
        if run is None:
            continue
        cells, end = run.end(), column
        for char in text[column - 1 :]:
            if cells <= 0:
                break
            cells -= _cells(char)
            end += 1
        return end + max(cells, 0)
    return None


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1

"""Findings as a compiler shows them."""

import io
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from prov_server.cli.console import console, visible
from prov_server.cli.highlight import nickel
from prov_server.cli.views.excerpt import LONGEST_LINE, Sources, show_findings, underline


@dataclass(frozen=True)
class Row:
    severity: str = "error"
    code: str = "plan_unknown"
    path: str = "servers[0].plan"
    message: str = "aws has no plan 'm5.huge'"
    fix: str | None = None
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    file: str | None = None


def shown(*rows: Row, text: str = "") -> str:
    stream = io.StringIO()
    show_findings(console(stream), rows, Sources(None, name="a.ncl", text=text))
    return stream.getvalue()


def test_a_finding_without_a_place_names_its_path():
    assert shown(Row()) == "error[plan_unknown]: aws has no plan 'm5.huge'\n --> servers[0].plan\n\n"


def test_a_finding_in_a_file_that_cannot_be_read_names_its_place():
    assert "--> other.ncl:3:1" in shown(Row(line=3, column=1, file="other.ncl"), text="x")


@pytest.mark.parametrize(
    ("line", "column", "start", "length"),
    [
        ('a = "x y", b = 1', 5, 4, 5),
        ("a = 42, b", 5, 4, 2),
        ("a = 'tag }", 5, 4, 4),
        ("a = { b }", 5, 4, 1),
        ('a = "日本" }', 5, 4, 6),
        ("\ta = 1", 2, 4, 1),
        ("a", 40, 0, 0),
        ("a", None, 0, 0),
        ("", 1, 0, 0),
    ],
)
def test_carets_stand_under_the_value(line, column, start, length):
    assert underline(line, column)[1:] == (start, length)


@pytest.mark.parametrize(
    ("line", "column", "end", "length"),
    [("a = 1 + 2, b", 5, 10, 5), ("a = 1 + 2", 5, 40, 5), ("a = 42", 5, 5, 2), ('a = "日本" }', 5, 9, 6)],
)
def test_carets_end_where_the_finding_says(line, column, end, length):
    assert underline(line, column, end)[1:] == (4, length)


def test_a_long_line_is_cut_so_that_the_value_stays_in_sight():
    line = "a = [" + "1, " * 400 + '"here"' + ", 2" * 400 + "]"
    text, start, length = underline(line, line.index('"here"') + 1)
    assert len(text) <= LONGEST_LINE
    assert text[start : start + length] == '"here"'


@given(st.text(max_size=400), st.integers(1, 500))
def test_no_line_and_column_breaks_the_excerpt(line, column):
    text, start, length = underline(line, column)
    assert start + length <= cell_len(text) + 2 or len(text) == LONGEST_LINE
    assert "\x1b" not in text


@given(st.text())
def test_what_is_shown_drives_no_terminal(text):
    kept = visible(text)
    assert not any(ord(char) < 32 and char not in "\t\n" for char in kept)
    assert visible(kept) == kept


@given(st.text())
def test_colours_change_no_text(text):
    assert nickel(text).plain == "".join(char for char in text if char not in "\x07\x08\x0b\x0c\r")


def test_a_narrow_terminal_keeps_the_carets_under_the_value():
    line = "x" * 100 + " = bad, " + "y" * 100
    shown, start, length = underline(line, 104, 107, 40)
    assert len(shown) <= 40
    assert shown[start : start + length] == "bad"

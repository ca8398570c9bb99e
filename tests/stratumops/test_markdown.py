"""User text in Markdown is shown as it is: it formats nothing, links nowhere, calls nobody and breaks no table."""

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from stratumops.markdown import code, folded, shortened, table, text

RENDERER = MarkdownIt("commonmark").enable("table")
VISIBLE = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=60)


def tags(html: str) -> set[str]:
    return set(re.findall(r"</?([a-z0-9]+)", html))


def test_markup_is_shown_and_not_obeyed():
    hostile = "**bold** [link](https://example.com) ![x](y) `code` <script>alert(1)</script> ~~gone~~ _it_ | cell"
    assert tags(RENDERER.render(text(hostile))) == {"p"}


def test_nobody_is_called_and_nothing_is_linked():
    shown = text("ask @team about #12 at https://example.com or www.example.com")
    assert not re.search(r"@team|#12|://example|www\.", shown)
    assert shown.replace("\u200b", "") == "ask @team about #12 at https://example.com or www.example.com"


@given(VISIBLE)
def test_any_text_in_a_cell_stays_in_its_cell(value: str):
    html = RENDERER.render(table(("a", "b"), [value], lambda one: (text(one), code(one))))
    assert html.count("<td>") == 2
    assert tags(html) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


def test_long_tables_are_cut_and_say_how_much_is_missing():
    shown = table(("n",), range(100), lambda one: (str(one),), most=3)
    assert "| 2 |" in shown
    assert "| 3 |" not in shown
    assert shown.endswith("... and 97 more.")


def test_text_is_one_line_of_bounded_length():
    assert shortened("a\nb\t c", 10) == "a b c"
    assert len(shortened("x" * 500, 20)) == 20


def test_a_folded_part_has_its_title_and_its_body():
    assert folded("3 checks", "body").startswith("<details><summary>3 checks</summary>\n\nbody")


def test_a_dollar_begins_no_mathematics():
    assert text("costs $5, then $6") == "costs &#36;5, then &#36;6"
    assert "costs $5" in RENDERER.render(text("costs $5, then $6"))


@given(VISIBLE)
def test_any_text_is_read_as_it_was_written(value: str):
    html = RENDERER.render(f"x{text(value)}x")
    shown = unescape(re.sub(r"^<p>|</p>$", "", html.strip())).replace("\u200b", "")
    assert shown == f"x{shortened(value, 60)}x".replace("\u200b", "")


def test_a_table_with_little_room_is_cut_and_says_so():
    shown = table(("n",), ["x" * 50] * 100, lambda one: (one,), room=500)
    assert len(shown) <= 500
    assert shown.endswith("... and 92 more.")
    assert table(("n",), ["a"], lambda one: (one,), room=500) == table(("n",), ["a"], lambda one: (one,))

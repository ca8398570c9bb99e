"""Bars as SVG, and SVG as PNG."""

import struct
import subprocess
import sys
import zlib
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs import font
from stratumops.errors import InvalidInputError, UnavailableError
from stratumops.pictures.bars import MAX_ROWS, Panel, Row, bars, largest
from stratumops.pictures.png import MAX_SIDE, png

SVG = "{http://www.w3.org/2000/svg}"
amounts = st.decimals(min_value=0, max_value=10**9, places=2)


def label(values: tuple[Decimal, ...]) -> str:
    return f"{sum(values)} USD"


def drawn(*rows: Row, **more) -> ET.Element:
    return ET.fromstring(bars("Cost", ["fixed", "usage"], [Panel("USD", rows, label)], **more))


def rects(root: ET.Element, series: int) -> list[ET.Element]:
    """The bars of a series, without its place in the legend."""
    return [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == f"s{series}"][1:]


def words(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def row(name: str, fixed: str, usage: str = "0") -> Row:
    return Row(name, (Decimal(fixed), Decimal(usage)))


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=MAX_ROWS))
def test_lengths_are_as_the_amounts(values):
    root = drawn(*(Row(f"r{n}", pair) for n, pair in enumerate(values)))
    highest = max(sum(pair) for pair in values)
    lengths = sorted(float(rect.get("width", 0)) for rect in rects(root, 0))
    expected = sorted(fixed for fixed, _ in values if fixed)
    assert len(lengths) == len(expected)
    for length, amount in zip(lengths, expected, strict=True):
        # Within the span of the picture, in proportion, and never less than one unit wide.
        assert length <= 402
        if highest and amount / highest > Decimal("0.01"):
            ratio = length / float(amount)
            assert ratio == pytest.approx(max(lengths) / float(expected[-1]), rel=0.05)


def test_parts_of_a_sum_stand_behind_one_another():
    root = drawn(row("a", "30", "10"))
    (fixed,), (usage,) = rects(root, 0), rects(root, 1)
    assert float(usage.get("x", 0)) == pytest.approx(float(fixed.get("x", 0)) + float(fixed.get("width", 0)), abs=0.2)
    assert usage.get("y") == fixed.get("y")


def test_before_and_after_stand_below_one_another():
    root = drawn(row("a", "30", "10"), layout="paired")
    (before,), (after,) = rects(root, 0), rects(root, 1)
    assert before.get("x") == after.get("x")
    assert float(after.get("y", 0)) > float(before.get("y", 0))


def test_each_currency_has_a_scale_of_its_own():
    panels = [Panel("USD", [row("a", "1000")], label), Panel("EUR", [row("b", "1")], label)]
    root = ET.fromstring(bars("Cost", ["fixed", "usage"], panels))
    first, second = rects(root, 0)
    assert first.get("width") == second.get("width")


@given(st.text(max_size=80))
def test_any_name_is_text_and_nothing_else(name: str):
    root = drawn(row(name, "1"))
    assert not [
        element
        for element in root.iter()
        if element.tag.removeprefix(SVG) not in {"svg", "title", "style", "rect", "line", "text"}
    ]


def test_markup_in_a_name_is_shown_as_it_was_written():
    name = "<script>\"&'</text>"
    root = drawn(row(name, "1"))
    assert name in words(root)
    assert root.find(f".//{SVG}script") is None


def test_control_characters_and_turned_text_do_not_reach_the_picture():
    text = bars("a\x00b\u202ec\x1b", ["x"], [Panel("USD", [Row("n\x07", (Decimal(1),))], label)])
    assert not {"\x00", "\u202e", "\x1b", "\x07"} & set(text)


def test_a_long_name_is_cut_and_is_whole_in_its_tooltip():
    name = "server." + "x" * 200
    root = drawn(row(name, "1"))
    (shown,) = (element for element in root.iter(f"{SVG}text") if (element.text or "").startswith("server."))
    assert len(shown.text or "") <= 33
    assert (shown.text or "").endswith("…")
    assert [title.text for title in shown.iter(f"{SVG}title")] == [name]


def test_thirty_rows_are_shown_and_the_rest_is_summed_up():
    rows = [row(f"r{n}", str(n), "1") for n in range(1, 81)]
    shown = largest(rows)
    assert len(shown) == MAX_ROWS + 1
    assert shown[0].name == "r80"
    assert shown[-1] == Row("and 50 others", (Decimal(sum(range(1, 51))), Decimal(50)))
    assert "and 50 others (bar cut short)" in words(drawn(*rows))


def test_a_picture_without_rows_or_with_zeros_only_is_one():
    assert rects(drawn(), 0) == []
    assert rects(drawn(row("free", "0")), 0) == []


def test_rows_that_do_not_fit_the_legend_are_a_defect_of_the_caller():
    with pytest.raises(ValueError, match="2 amounts"):
        drawn(Row("a", (Decimal(1),)))
    with pytest.raises(ValueError, match="none below zero"):
        drawn(row("a", "-1"))
    with pytest.raises(ValueError, match="at most 2"):
        bars("x", ["a", "b", "c"], [], layout="paired")


def test_nothing_is_fetched_by_the_picture():
    text = bars("Cost", ["fixed"], [Panel("USD", [Row("a", (Decimal(1),))], label)])
    assert "href" not in text
    assert "@import" not in text
    assert "url(" not in text


def test_both_light_and_dark_have_their_colours():
    text = bars("Cost", ["fixed"], [Panel("USD", [Row("a", (Decimal(1),))], label)])
    assert "prefers-color-scheme: dark" in text
    assert 'fill="#ffffff"' in text


def size_of(data: bytes) -> tuple[int, int]:
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def pixels(data: bytes) -> bytes:
    """The unpacked (still filtered) rows of a PNG."""
    packed, at = b"", 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        packed += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return zlib.decompress(packed)


def test_the_png_has_the_size_and_the_letters_of_the_picture():
    font()
    svg = bars("Cost", ["fixed"], [Panel("USD", [Row("a", (Decimal(1),))], label)])
    root = ET.fromstring(svg)
    data = png(svg, scale=2)
    assert size_of(data) == (2 * int(root.get("width", 0)), 2 * int(root.get("height", 0)))
    blank = ET.tostring(ET.fromstring(svg.replace(">a</text>", "></text>"))).decode()
    assert pixels(png(blank)) != pixels(data)


def test_a_huge_picture_is_drawn_smaller():
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="{MAX_SIDE * 3}"><rect width="9" height="9"/></svg>'
    assert max(size_of(png(svg))) <= MAX_SIDE


@pytest.mark.parametrize("text", ["", "words", "<svg", "<html></html>"])
def test_what_is_no_picture_is_an_error(text: str):
    with pytest.raises(InvalidInputError, match="not an SVG"):
        png(text)


def test_a_machine_without_fonts_says_so_instead_of_drawing_no_letters(monkeypatch: pytest.MonkeyPatch):
    # What resvg does where no font is installed, which is what its own switch for that does here.
    import resvg_py

    from stratumops.pictures import png as module

    real = resvg_py.svg_to_bytes
    monkeypatch.setattr(resvg_py, "svg_to_bytes", lambda **words: real(**words, skip_system_fonts=True))
    module.font_family.cache_clear()
    try:
        with pytest.raises(UnavailableError, match="no font"):
            png('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>a</text></svg>')
        assert png('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>')
    finally:
        module.font_family.cache_clear()


def test_the_renderer_is_loaded_by_the_first_picture_only():
    code = "import sys, stratumops.pictures.png, stratumops.pictures.bars; sys.exit('resvg_py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("layout", ["stacked", "paired"])
def test_the_sum_of_the_others_does_not_make_hair_lines_of_the_rest(layout):
    rows = [row(f"r{number}", "100", "50") for number in range(1000)]
    root = drawn(*rows, layout=layout)
    lengths = [float(rect.get("width", 0)) for rect in rects(root, 0)]
    assert len(lengths) == MAX_ROWS + 1
    assert min(lengths) > 60
    for rect in (*rects(root, 0), *rects(root, 1)):
        assert float(rect.get("x", 0)) + float(rect.get("width", 0)) <= 670
    assert "and 970 others (bar cut short)" in words(root)
    assert "145500 USD" in words(root)


def test_a_small_sum_of_the_others_is_not_cut():
    rows = [row("large", "1000"), *(row(f"r{number}", "1") for number in range(100))]
    assert "and 71 others" in words(drawn(*rows))

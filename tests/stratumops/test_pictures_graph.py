"""A graph is well-formed SVG that shows every box and arrow, and holds a user's text as text."""

import itertools
import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from stratumops.pictures.graph import CHARACTERS, COLUMNS, MOST_ARROWS, Box, graph_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def texts(root: ET.Element) -> list[str]:
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def arrows(root: ET.Element) -> list[ET.Element]:
    return [node for node in root.iter(f"{SVG}path") if (node.get("class") or "").startswith("arrow")]


def test_every_box_heading_and_arrow_is_drawn():
    boxes = [Box("a", ("first", "note"), 0), Box("b", ("second",), 1, "add"), Box("c", ("third",), 1, "remove")]
    root = drawn(graph_svg("Plan", ["wave 1", "wave 2"], boxes, [("a", "b"), ("a", "c")]))
    assert {"Plan", "wave 1", "wave 2", "first", "note", "second", "third"} == set(texts(root))
    assert len(arrows(root)) == 2


def test_arrows_between_boxes_that_are_not_there_are_left_out_and_doubles_drawn_once():
    boxes = [Box("a", ("a",), 0), Box("b", ("b",), 1)]
    root = drawn(graph_svg("x", ["1", "2"], boxes, [("a", "b"), ("a", "b"), ("a", "gone"), ("gone", "b")]))
    assert len(arrows(root)) == 1


def test_an_arrow_that_a_longer_way_says_already_is_left_out():
    boxes = [Box(name, (name,), at) for at, name in enumerate("abc")]
    root = drawn(graph_svg("x", ["1", "2", "3"], boxes, [("a", "b"), ("b", "c"), ("a", "c")]))
    assert len(arrows(root)) == 2


def test_of_very_many_arrows_some_are_drawn_and_the_title_counts_the_rest():
    boxes = [Box(str(number), ("name",), number % 2) for number in range(400)]
    every = [(str(left), str(right)) for left in range(0, 40, 2) for right in range(1, 400, 2)]
    root = drawn(graph_svg("Plan", ["1", "2"], boxes, every))
    assert len(every) == 4000
    assert len(arrows(root)) == MOST_ARROWS
    assert texts(root)[0] == "Plan (1,000 arrows are left out)"


def test_the_arrows_of_a_large_graph_are_all_drawn():
    boxes = [Box(str(number), ("name",), number) for number in range(400)]
    pairs = [(str(number), str(number + step)) for step in (1, 2) for number in range(400 - step)]
    assert len(arrows(drawn(graph_svg("x", [], boxes, pairs)))) == len(pairs)


def test_boxes_of_a_column_stand_near_what_they_are_connected_with():
    boxes = [Box(name, (name,), 0) for name in "abc"] + [Box(name.upper(), (name.upper(),), 1) for name in "cba"]
    root = drawn(graph_svg("x", ["1", "2"], boxes, [("a", "A"), ("b", "B"), ("c", "C")]))
    height = {"".join(node.itertext()): float(node.get("y", "0")) for node in root.iter(f"{SVG}text")}
    assert [height[name] for name in "ABC"] == [height[name] for name in "abc"]


def test_boxes_do_not_overlap_and_lie_within_the_picture():
    boxes = [Box(str(number), ("name",) * (1 + number % 3), number % 4) for number in range(40)]
    root = drawn(graph_svg("x", ["1", "2", "3", "4"], boxes, []))
    places = [
        tuple(float(node.get(key, "0")) for key in ("x", "y", "width", "height"))
        for node in root.iter(f"{SVG}rect")
        if node.get("class") == "box"
    ]
    assert len(places) == 40
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for x, y, w, h in places:
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
    for at, (x, y, w, h) in enumerate(places):
        assert not any(x < x2 + w2 and x2 < x + w and y < y2 + h2 and y2 < y + h for x2, y2, w2, h2 in places[at + 1 :])


def test_an_empty_graph_is_still_a_picture():
    assert drawn(graph_svg("nothing to do", [], [], [])).tag == f"{SVG}svg"


@given(st.text(max_size=80))
def test_any_text_stays_text_on_one_short_line(text: str):
    root = drawn(graph_svg(text, [text], [Box("a", (text,), 0)], []))
    assert not list(root.iter(f"{SVG}script"))
    assert all(len(line) <= CHARACTERS for line in texts(root)[1:])


def test_markup_in_a_name_is_shown_and_not_obeyed():
    root = drawn(graph_svg('"><script>alert(1)</script>', [], [Box("a", ("<b>&amp;",), 0)], []))
    assert "<b>&amp;" in texts(root)
    assert not list(root.iter("script"))


def test_nothing_is_fetched_from_anywhere():
    svg = graph_svg("x", ["1"], [Box("a", ("https://example.com/a.png",), 0)], [])
    assert not re.search(r"(href|src|url\((?!#)|@import|@font-face)", svg)


def test_many_columns_go_on_in_further_rows_and_the_picture_stays_narrow():
    boxes = [Box(str(number), ("name",), number) for number in range(13)]
    root = drawn(graph_svg("x", [f"wave {number}" for number in range(13)], boxes, [("0", "12")]))
    assert float(root.get("width", "0")) < 1600
    heads = [node for node in root.iter(f"{SVG}text") if node.get("class") == "head"]
    assert len({node.get("y") for node in heads}) == 3
    assert len({node.get("x") for node in heads}) == COLUMNS


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_no_arrow_to_another_column_runs_behind_a_box(pairs: list[tuple[int, int]]):
    boxes = [Box(str(number), ("name",) * (1 + number % 3), number % 13) for number in range(31)]
    wanted = [(str(a), str(b)) for a, b in pairs if a % 13 != b % 13]
    root = drawn(graph_svg("x", [], boxes, wanted))
    places = [
        tuple(float(node.get(key, "0")) for key in ("x", "y", "width", "height"))
        for node in root.iter(f"{SVG}rect")
        if node.get("class") == "box"
    ]
    for arrow in arrows(root):
        corners = [tuple(map(float, one)) for one in re.findall(r"(-?[0-9.]+),(-?[0-9.]+)", arrow.get("d", ""))]
        for (x1, y1), (x2, y2) in itertools.pairwise(corners):
            assert min(x1, x2) >= 0
            for x, y, width, height in places:
                is_beside = max(x1, x2) <= x or min(x1, x2) >= x + width
                assert is_beside or max(y1, y2) <= y or min(y1, y2) >= y + height


def test_a_title_that_is_longer_than_the_boxes_is_not_cut_off():
    title = "Migration: 1 to add, 0 to change, 0 to replace, 0 to destroy, in 1 wave"
    root = drawn(graph_svg(title, ["wave 1"], [Box("a", ("a",), 0)], []))
    assert texts(root)[0] == title
    assert float(root.get("width", "0")) > len(title) * 8

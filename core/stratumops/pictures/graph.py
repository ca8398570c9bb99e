"""A directed graph as SVG: boxes in columns from left to right, arrows between them.

Whoever draws says which column a box stands in (the wave of a step, the depth of a node); here the boxes of a column are put
in an order that lets arrows cross little (the barycentre method of Sugiyama, Tagawa and Toda, 1981), and drawn. No font is
fetched: boxes are as wide as a monospace font needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stratumops.pictures.text import cut, escaped

Tone = Literal["add", "change", "replace", "remove", "quiet", "warn"]
"""What colour a box has: what is added, changed, replaced or removed, what is only there, what needs care."""

COLOURS: Mapping[Tone, str] = {
    "add": "#2da44e",
    "change": "#bf8700",
    "replace": "#bc4c00",
    "remove": "#cf222e",
    "quiet": "#6e7781",
    "warn": "#8250df",
}
"""Readable on white and on black."""

CHARACTERS = 30
"""Longest line in a box."""
_CHARACTER = 7.3  # a monospace font at 12 px
_LINE = 16
_BOX = CHARACTERS * _CHARACTER + 20
_GAP = 70
_ROW = 14
_MARGIN = 20
_HEAD = 58
_SWEEPS = 4

MOST_ARROWS = 3_000
"""Arrows that are drawn: beyond it a picture is a grey surface, and takes long."""
_MOST_REDUCED = 500
"""Arrows among which those are looked for that a longer way says already: that takes their number squared."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node: `lines` are its text (the first is bold), `column` counts from 0."""

    id: str
    lines: tuple[str, ...]
    column: int
    tone: Tone = "quiet"


@dataclass(frozen=True, slots=True)
class _Placed:
    box: Box
    x: float
    y: float

    @property
    def height(self) -> float:
        return len(self.box.lines) * _LINE + 14


def graph_svg(title: str, columns: Sequence[str], boxes: Sequence[Box], arrows: Sequence[tuple[str, str]]) -> str:
    """The picture. `columns` are the headings; `arrows` are (from, to) ids; arrows to ids that no box has are left out.

    Arrows that a longer way says already are left out where there are few; of many the first `MOST_ARROWS` are drawn, and
    the title says so.
    """
    known = {box.id for box in boxes}
    drawn = [one for one in dict.fromkeys(arrows) if one[0] in known and one[1] in known]
    if len(drawn) > MOST_ARROWS:
        title = f"{title} ({len(drawn) - MOST_ARROWS:,} arrows are left out)"
        drawn = drawn[:MOST_ARROWS]
    elif len(drawn) <= _MOST_REDUCED:
        drawn = _without_shortcuts(drawn)
    placed = _place(_ordered(boxes, drawn))
    width = _MARGIN * 2 + max(1, len(columns)) * _BOX + max(0, len(columns) - 1) * _GAP
    height = max((one.y + one.height for one in placed.values()), default=float(_HEAD)) + _MARGIN
    size = f'width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escaped(title)}</title>",
        _STYLE,
        f'<rect class="ground" {size}/>',
        f'<text class="title" x="{_MARGIN}" y="24">{escaped(title)}</text>',
    ]
    parts += [
        f'<text class="head" x="{_MARGIN + index * (_BOX + _GAP):.0f}" y="46">{escaped(cut(name, CHARACTERS))}</text>'
        for index, name in enumerate(columns)
    ]
    parts += [_arrow(placed[source], placed[target]) for source, target in drawn]
    parts += [_drawn(one) for one in placed.values()]
    return "\n".join([*parts, "</svg>\n"])


def _without_shortcuts(arrows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The arrows without those that a longer way says already: they would run behind the boxes of that way."""
    nexts: dict[str, set[str]] = {}
    for source, target in arrows:
        nexts.setdefault(source, set()).add(target)

    def is_reached(start: str, end: str) -> bool:
        waiting, seen = [one for one in nexts[start] if one != end], set[str]()
        while waiting:
            at = waiting.pop()
            if at == end:
                return True
            if at not in seen:
                seen.add(at)
                waiting.extend(nexts.get(at, ()))
        return False

    return [(source, target) for source, target in arrows if not is_reached(source, target)]


def _ordered(boxes: Sequence[Box], arrows: Sequence[tuple[str, str]]) -> list[list[Box]]:
    """The boxes of each column, each near the mean height of those that it is connected with."""
    columns: list[list[Box]] = [[] for _ in range(max((box.column for box in boxes), default=0) + 1)]
    for box in boxes:
        columns[box.column].append(box)
    near: dict[str, list[str]] = {}
    for source, target in arrows:
        near.setdefault(source, []).append(target)
        near.setdefault(target, []).append(source)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            place = {box.id: index for boxes_of in columns for index, box in enumerate(boxes_of)}
            middle = {
                box.id: sum(place[other] for other in others) / len(others) if (others := near.get(box.id)) else place[box.id]
                for box in column
            }
            column.sort(key=lambda box, middle=middle: middle[box.id])  # type: ignore[misc] # a default binds the loop's value
    return columns


def _place(columns: list[list[Box]]) -> dict[str, _Placed]:
    placed: dict[str, _Placed] = {}
    for index, column in enumerate(columns):
        y = float(_HEAD)
        for box in column:
            placed[box.id] = one = _Placed(box, _MARGIN + index * (_BOX + _GAP), y)
            y += one.height + _ROW
    return placed


def _arrow(source: _Placed, target: _Placed) -> str:
    x1, y1 = source.x + _BOX, source.y + source.height / 2
    x2, y2 = target.x, target.y + target.height / 2
    if x2 <= x1:  # backwards or within a column: around the right side
        x2 = target.x + _BOX
        bend = x1 + _GAP / 2
        return f'<path class="arrow" d="M{x1:.1f},{y1:.1f} C{bend:.1f},{y1:.1f} {bend:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"/>'
    bend = (x1 + x2) / 2
    return f'<path class="arrow" d="M{x1:.1f},{y1:.1f} C{bend:.1f},{y1:.1f} {bend:.1f},{y2:.1f} {x2 - 5:.1f},{y2:.1f}"/>'


def _drawn(one: _Placed) -> str:
    colour = COLOURS[one.box.tone]
    rows = "".join(
        f'<text class="{"name" if index == 0 else "note"}" x="{one.x + 12:.0f}" y="{one.y + 19 + index * _LINE:.0f}">'
        f"{escaped(cut(line, CHARACTERS))}</text>"
        for index, line in enumerate(one.box.lines)
    )
    return (
        f'<g><rect class="box" x="{one.x:.0f}" y="{one.y:.0f}" width="{_BOX:.0f}" height="{one.height:.0f}" rx="5" '
        f'stroke="{colour}"/><rect x="{one.x:.0f}" y="{one.y:.0f}" width="5" height="{one.height:.0f}" rx="2" fill="{colour}"/>'
        f"{rows}</g>"
    )


_STYLE = """<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0,0 L8,4 L0,8 z" fill="#8c959f"/></marker></defs>
<style>
text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #24292f }
.ground { fill: #ffffff }
.title { font-size: 14px; font-weight: bold }
.head, .note { fill: #57606a }
.name { font-weight: bold }
.box { fill: #f6f8fa; stroke-width: 1.2 }
.arrow { fill: none; stroke: #8c959f; stroke-width: 1.2; marker-end: url(#tip) }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .ground { fill: #0d1117 } .head, .note { fill: #9198a1 } .box { fill: #161b22 } }
</style>"""

"""A directed graph as SVG: boxes in columns from left to right, arrows between them.

Columns that do not fit beside each other go on in a further row, as lines of text do. An arrow to the next column is a
curve; every other runs through the gaps between columns and a corridor above its target's row, never behind a box.

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
_MARGIN = 30
_TOP = 34
"""Where the first row begins, below the title."""
_HEAD = 24
"""From a row's corridor to its boxes."""
_BETWEEN = 14
"""Between two rows."""
_LETTER = 8.6  # the same font, bold, at 14 px
_SWEEPS = 4

COLUMNS = 5
"""Columns of a row: the picture stays below 1,600 px, the width of a page of a pull request on a large screen."""
_MOST_LETTERS = 170
_LANES = 12
_LANE = 4
_TURN = 5
"""Radius of a corner."""

MOST_ARROWS = 3_000
"""Arrows that are drawn: beyond it a picture is a grey surface, and takes long."""
_MOST_REDUCED = 500
"""Arrows among which those are looked for that a longer way says already: that takes their number squared."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node: `lines` are its text (the first is bold), `column` counts from 0, over all rows."""

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
        return _height(self.box)

    @property
    def row(self) -> int:
        return self.box.column // COLUMNS

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of columns: `lanes` are the heights at which the arrows of each source run above it."""

    lanes: Mapping[str, int]
    top: float
    bottom: float

    @property
    def boxes(self) -> float:
        return self.top + _corridor(len(self.lanes)) + _HEAD

    def lane(self, source: str) -> float:
        return self.top + _LANE * (1 + self.lanes[source] % _LANES)


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
    in_columns = _ordered(boxes, drawn)
    rows = _rows(in_columns, len(columns), _lanes({box.id: box for box in boxes}, drawn))
    placed = _place(in_columns, rows)
    across = min(COLUMNS, max(1, len(columns), len(in_columns)))
    heading = cut(title, _MOST_LETTERS)
    width = max(_MARGIN * 2 + across * _BOX + (across - 1) * _GAP, _MARGIN * 2 + len(heading) * _LETTER)
    height = rows[-1].bottom + _MARGIN
    size = f'width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escaped(title)}</title>",
        _STYLE,
        f'<rect class="ground" {size}/>',
        f'<text class="title" x="{_MARGIN}" y="24">{escaped(heading)}</text>',
    ]
    parts += [
        f'<text class="head" x="{_left(index):.0f}" y="{rows[index // COLUMNS].boxes - 12:.0f}">'
        f"{escaped(cut(name, CHARACTERS))}</text>"
        for index, name in enumerate(columns)
    ]
    parts += [_arrow(placed[source], placed[target], rows) for source, target in drawn]
    parts += [_drawn(one) for one in placed.values()]
    return "\n".join([*parts, "</svg>\n"])


def _height(box: Box) -> float:
    return len(box.lines) * _LINE + 14


def _left(column: int) -> float:
    return _MARGIN + column % COLUMNS * (_BOX + _GAP)


def _corridor(lanes: int) -> float:
    return (min(lanes, _LANES) + 1) * _LANE if lanes else 0


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


def _is_far(source: Box, target: Box) -> bool:
    """Whether an arrow cannot stay in the gap beside its source."""
    is_beside = source.column // COLUMNS == target.column // COLUMNS and 0 <= target.column - source.column <= 1
    return not is_beside


def _lanes(boxes: Mapping[str, Box], arrows: Sequence[tuple[str, str]]) -> dict[int, dict[str, int]]:
    """For each row the sources whose arrows run above it, numbered."""
    lanes: dict[int, dict[str, int]] = {}
    for source, target in arrows:
        if _is_far(boxes[source], boxes[target]):
            above = lanes.setdefault(boxes[target].column // COLUMNS, {})
            above.setdefault(source, len(above))
    return lanes


def _rows(columns: list[list[Box]], headings: int, lanes: Mapping[int, Mapping[str, int]]) -> list[_Row]:
    rows: list[_Row] = []
    top = float(_TOP)
    for first in range(0, max(1, headings, len(columns)), COLUMNS):
        row = _Row(lanes.get(first // COLUMNS, {}), top, top)
        tallest = max((sum(_height(box) + _ROW for box in column) for column in columns[first : first + COLUMNS]), default=0.0)
        rows.append(_Row(row.lanes, top, row.boxes + max(0.0, tallest - _ROW)))
        top = rows[-1].bottom + _BETWEEN
    return rows


def _place(columns: list[list[Box]], rows: Sequence[_Row]) -> dict[str, _Placed]:
    placed: dict[str, _Placed] = {}
    for index, column in enumerate(columns):
        y = rows[index // COLUMNS].boxes
        for box in column:
            placed[box.id] = one = _Placed(box, _left(index), y)
            y += one.height + _ROW
    return placed


def _arrow(source: _Placed, target: _Placed, rows: Sequence[_Row]) -> str:
    x1, y1, x2, y2 = source.x + _BOX, source.middle, target.x, target.middle
    if _is_far(source.box, target.box):
        row = rows[target.row]
        number, lane = row.lanes[source.box.id], row.lane(source.box.id)
        out, back = x1 + 8 + number % 5 * _LANE, x2 - 12 - number % 4 * _LANE
        corners = [(x1, y1), (out, y1), (out, lane), (back, lane), (back, y2), (x2 - 5, y2)]
        return f'<path class="arrow far" d="{_turning(corners)}"/>'
    if source.box.column == target.box.column:  # around the right side
        bend = x1 + _GAP / 2
        return f'<path class="arrow" d="M{x1:.1f},{y1:.1f} C{bend:.1f},{y1:.1f} {bend:.1f},{y2:.1f} {x1:.1f},{y2:.1f}"/>'
    bend = (x1 + x2) / 2
    return f'<path class="arrow" d="M{x1:.1f},{y1:.1f} C{bend:.1f},{y1:.1f} {bend:.1f},{y2:.1f} {x2 - 5:.1f},{y2:.1f}"/>'


def _turning(corners: Sequence[tuple[float, float]]) -> str:
    """A path along straight lines, with rounded corners."""
    (x, y), *inner, last = corners
    path = [f"M{x:.1f},{y:.1f}"]
    for index, corner in enumerate(inner, 1):
        before, after = _towards(corner, corners[index - 1]), _towards(corner, corners[index + 1])
        path.append(f"L{before[0]:.1f},{before[1]:.1f} Q{corner[0]:.1f},{corner[1]:.1f} {after[0]:.1f},{after[1]:.1f}")
    return " ".join([*path, f"L{last[0]:.1f},{last[1]:.1f}"])


def _towards(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The point of a line from a corner where its curve ends."""
    across, down = other[0] - corner[0], other[1] - corner[1]
    length = abs(across) + abs(down)
    part = min(_TURN, length / 2) / length if length else 0.0
    return corner[0] + across * part, corner[1] + down * part


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
.far { stroke-width: 1; stroke-opacity: 0.6 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .ground { fill: #0d1117 } .head, .note { fill: #9198a1 } .box { fill: #161b22 } }
</style>"""

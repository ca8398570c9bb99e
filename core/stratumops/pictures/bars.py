"""Horizontal bars as SVG text: what costs how much, at one look.

The picture stands alone: no font, script or image is fetched. Every text is escaped and every colour has a light and a dark
variant (`prefers-color-scheme`); a program that knows no such thing shows the light one.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from stratumops.pictures.text import escaped

Amounts = tuple[Decimal, ...]
Layout = Literal["stacked", "paired"]
"""The amounts of a row behind one another (parts of a sum), or below one another (before and after)."""

MAX_ROWS = 30
"""Rows of one panel; the smaller ones are added up in a last row."""
_MOST_OF_OTHERS = 2
"""The row of the others is at most so many times as long as the longest one; a longer bar is cut, and its name says so."""
WIDTH = 860

_MARGIN, _NAMES, _LABELS = 24, 240, 170
_NAME_CELLS, _TITLE_CELLS = 33, 90
_LEFT = _MARGIN + _NAMES
_SPAN = WIDTH - _LEFT - _LABELS - _MARGIN
_HEAD, _PANEL_HEAD, _FOOT = 78, 30, 34
_STEP = {"stacked": 26, "paired": 34}

# Colours that people with any colour vision tell apart (Okabe and Ito, 2008), light and dark.
_COLOURS = {
    "stacked": (("#0072b2", "#56b4e9"), ("#e69f00", "#f0b840"), ("#009e73", "#3cc49c")),
    "paired": (("#9aa0a6", "#80868b"), ("#0072b2", "#56b4e9")),
}
_FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', 'Liberation Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Row:
    """One name with an amount for each series, none below zero."""

    name: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows that share a scale: one currency, for example. `label` is what stands behind a row's bars."""

    heading: str
    rows: Sequence[Row]
    label: Callable[[Amounts], str]


def bars(title: str, series: Sequence[str], panels: Sequence[Panel], *, layout: Layout = "stacked", note: str = "") -> str:
    """The bars of the panels, each panel with a scale of its own, the longest bars first.

    `series` names the amounts of every row in their order, for the legend. Raises ValueError when a row has another number
    of amounts, or one below zero.
    """
    colours = _COLOURS[layout]
    if len(series) > len(colours):
        raise ValueError(f"{layout} bars show at most {len(colours)} series")
    body = [_legend(series, layout)]
    y = _HEAD
    for panel in panels:
        drawn, y = _panel(panel, len(series), layout, y)
        body += drawn
    height = y + _FOOT
    if note:
        body.append(_text(_MARGIN, y + 12, note, "quiet", size=11, cells=130))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{escaped(title)}" font-family="{_FONT}">'
    )
    ground = f'<rect class="ground" width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    heading = _text(_MARGIN, 32, title, "ink", size=17, weight=600, cells=_TITLE_CELLS)
    return "\n".join([head, f"<title>{escaped(title)}</title>", _style(layout), ground, heading, *body, "</svg>\n"])


def largest(rows: Sequence[Row], limit: int = MAX_ROWS) -> list[Row]:
    """The rows with the largest amounts first; those behind the limit become one row, "and n others".

    Its bar would make all others hair-lines where it is far longer than they are: `bars` then cuts it at the end of the scale.
    """
    ordered = sorted(rows, key=lambda row: (-max(sum(row.amounts), Decimal(0)), row.name))
    if len(ordered) <= limit:
        return ordered
    kept, rest = ordered[:limit], ordered[limit:]
    sums = tuple(sum(column, Decimal(0)) for column in zip(*(row.amounts for row in rest), strict=True))
    return [*kept, Row(f"and {len(rest):,} others", sums)]


def _panel(panel: Panel, series: int, layout: Layout, top: int) -> tuple[list[str], int]:
    """What a panel draws, and where it ends."""
    if any(len(row.amounts) != series or min(row.amounts) < 0 for row in panel.rows):
        raise ValueError(f"each row has {series} amounts, none below zero")
    rows = largest(panel.rows)
    own, others = rows[:MAX_ROWS], rows[MAX_ROWS:]
    longest = max((_reach(row.amounts, layout) for row in own), default=Decimal(0))
    if sum_ := max((_reach(row.amounts, layout) for row in others), default=Decimal(0)):
        longest = max(longest, min(sum_, longest * _MOST_OF_OTHERS))
    step, ticks = _STEP[layout], _ticks(float(longest))
    scale = _SPAN / ticks[-1]
    bottom = top + _PANEL_HEAD + step * len(rows)
    drawn = [_text(_MARGIN, top + 16, panel.heading, "ink", size=13, weight=600, cells=_TITLE_CELLS)]
    for tick in ticks:
        x = _LEFT + tick * scale
        drawn.append(
            f'<line class="grid" x1="{x:.1f}" y1="{top + _PANEL_HEAD - 4}" x2="{x:.1f}" y2="{bottom}" stroke="#d0d7de"/>'
        )
        drawn.append(_text(x, bottom + 14, f"{tick:,.10g}", "quiet", size=11, anchor="middle"))
    for number, row in enumerate(rows):
        shown = _cut_short(row, layout, Decimal(str(ticks[-1])))
        drawn += _row(shown, layout, top + _PANEL_HEAD + number * step, scale, panel.label(row.amounts))
    return drawn, bottom + _FOOT


def _cut_short(row: Row, layout: Layout, most: Decimal) -> Row:
    """The row with no bar beyond the end of the scale."""
    if _reach(row.amounts, layout) <= most:
        return row
    kept, room = [], most
    for amount in row.amounts:
        kept.append(min(amount, room))
        room -= kept[-1] if layout == "stacked" else Decimal(0)
    return Row(f"{row.name} (bar cut short)", tuple(kept))


def _row(row: Row, layout: Layout, y: int, scale: float, label: str) -> list[str]:
    step = _STEP[layout]
    drawn = [_text(_LEFT - 10, y + step / 2 + 4, row.name, "ink", size=12, anchor="end", cells=_NAME_CELLS)]
    x = float(_LEFT)
    for number, amount in enumerate(row.amounts):
        length = float(amount) * scale
        # A cost that is too small for the scale still shows that it is one.
        length = max(length, 1.0) if amount else 0.0
        at, height = (y + 4, step - 8) if layout == "stacked" else (y + 3 + number * 14, 13)
        if length:
            drawn.append(_rect(number, layout, x, at, length, height))
        if layout == "stacked":
            x += length
    end = x if layout == "stacked" else _LEFT + float(max(row.amounts)) * scale
    drawn.append(_text(end + 8, y + step / 2 + 4, label, "quiet", size=12, cells=_NAME_CELLS))
    return drawn


def _legend(series: Sequence[str], layout: Layout) -> str:
    drawn, x = [], float(_MARGIN)
    for number, name in enumerate(series):
        drawn.append(_rect(number, layout, x, 48, 12, 12))
        drawn.append(_text(x + 18, 58, name, "quiet", size=12))
        x += 18 + 7 * _cells(name) + 24
    return "\n".join(drawn)


def _style(layout: Layout) -> str:
    """The dark colours; the light ones stand at the shapes themselves."""
    series = "".join(f".s{number}{{fill:{dark}}}" for number, (_, dark) in enumerate(_COLOURS[layout]))
    common = ".ground{fill:#0d1117}text{stroke:#0d1117}.ink{fill:#e6edf3}.quiet{fill:#9da7b3}.grid{stroke:#30363d}"
    return f"<style>@media (prefers-color-scheme: dark){{{common}{series}}}</style>"


def _rect(series: int, layout: Layout, x: float, y: int, width: float, height: int) -> str:
    fill = _COLOURS[layout][series][0]
    return f'<rect class="s{series}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" rx="2" fill="{fill}"/>'


def _reach(amounts: Amounts, layout: Layout) -> Decimal:
    return sum(amounts, Decimal(0)) if layout == "stacked" else max(amounts, default=Decimal(0))


def _ticks(largest_amount: float) -> list[float]:
    """Four or five round numbers from zero to beyond the largest amount."""
    if largest_amount <= 0:
        return [0.0, 1.0]
    rough = largest_amount / 4
    power = 10.0 ** math.floor(math.log10(rough))
    unit = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    return [unit * n for n in range(math.ceil(largest_amount / unit * 0.999) + 1)]


_FILLS = {"ink": "#1f2328", "quiet": "#59636e"}
# A rim in the colour of the ground keeps a label readable where it crosses a line.
_RIM = ' stroke="#ffffff" stroke-width="3" paint-order="stroke"'


def _text(
    x: float, y: float, words: str, kind: str, *, size: int, weight: int = 400, anchor: str = "start", cells: int | None = None
) -> str:
    """A line of text, cut where it would leave its place; the whole of it is then its tooltip."""
    shown = words if cells is None else _cut(words, cells)
    tip = f"<title>{escaped(words)}</title>" if shown != words else ""
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    looks = f'class="{kind}" fill="{_FILLS[kind]}"{_RIM} font-size="{size}"{bold} text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {looks}>{escaped(shown)}{tip}</text>'


def _width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cells(words: str) -> int:
    return sum(map(_width, words))


def _cut(words: str, cells: int) -> str:
    if _cells(words) <= cells:
        return words
    room, kept = cells - 1, ""
    for character in words:
        room -= _width(character)
        if room < 0:
            break
        kept += character
    return f"{kept.rstrip()}…"

"""Markdown in chunks: by heading, fences whole, small siblings together, and every line known by its number."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

VERSION = 1
"""Raised when the same text would give other chunks: an index made by another version is made again."""

MOST_WORDS = 180
FEW_WORDS = 40
"""A section of fewer words is packed with its next sibling, so that a heading with one line is not a chunk of its own."""
MOST_LINE = 2_000
"""Characters of a single line; what is longer (a log, an embedded picture) says nothing more."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a document: the headings above it, its first and last line (from 1, of the whole file), its text."""

    headings: tuple[str, ...]
    lines: tuple[int, int]
    text: str


@dataclass
class _Section:
    headings: tuple[str, ...]
    blocks: list[tuple[int, int]] = field(default_factory=list)  # [first, end) of lines, from 0


def _plain(token: Token) -> str:
    """A heading's words, without its markup."""
    if not token.children:
        return token.content.strip()
    return "".join(child.content for child in token.children if child.type in {"text", "code_inline", "softbreak"}).strip()


def _sections(lines: list[str]) -> Iterator[_Section]:
    tokens = MarkdownIt("commonmark").enable("table").parse("\n".join(lines))
    path: list[tuple[int, str]] = []
    section = _Section(())
    for at, token in enumerate(tokens):
        if token.level != 0 or token.map is None:
            continue
        if token.type == "heading_open":
            yield section
            depth = int(token.tag[1:])
            path = [(level, title) for level, title in path if level < depth] + [(depth, _plain(tokens[at + 1]))]
            section = _Section(tuple(title for _, title in path if title))
        elif token.nesting >= 0 and not (section.blocks and token.map[0] < section.blocks[-1][1]):
            section.blocks.append((token.map[0], token.map[1]))
    yield section


def _words(lines: list[str], first: int, end: int) -> int:
    return sum(len(line.split()) for line in lines[first:end])


def _pieces(lines: list[str], first: int, end: int, *, fenced: bool) -> Iterator[tuple[int, int]]:
    """A block that is too long, cut between its lines; a fence stays whole up to four times the limit."""
    most = MOST_WORDS * 4 if fenced else MOST_WORDS
    start, count = first, 0
    for at in range(first, end):
        here = len(lines[at].split())
        if count and count + here > most:
            yield start, at
            start, count = at, 0
        count += here
    yield start, end


def _runs(lines: list[str], section: _Section) -> Iterator[tuple[int, int]]:
    """The section's blocks as runs of at most `MOST_WORDS` words."""
    blocks = [
        piece
        for first, end in section.blocks
        for piece in _pieces(lines, first, end, fenced=lines[first].lstrip().startswith(("```", "~~~")))
    ]
    start: int | None = None
    last, count = 0, 0
    for first, end in blocks:
        here = _words(lines, first, end)
        if start is not None and count + here > MOST_WORDS:
            yield start, last
            start, count = None, 0
        start = first if start is None else start
        last, count = end, count + here
    if start is not None:
        yield start, last


def _common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    same = [x for x, y in zip(a, b, strict=False) if x == y]
    return tuple(same)


def chunks(text: str, *, first_line: int = 1) -> list[Chunk]:
    """The chunks of a markdown text whose first line is line `first_line` of its file.

    At most `MOST_WORDS` words each (fences and single long lines aside); a document of any form gives at least one chunk when
    it has a word.
    """
    # Comments are no text for a reader; their lines stay, so that numbers do.
    shown = _COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)
    lines = [line[:MOST_LINE] for line in shown.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    runs = [(section.headings, first, end) for section in _sections(lines) for first, end in _runs(lines, section)]
    packed: list[tuple[tuple[str, ...], int, int, int]] = []
    for headings, first, end in runs:
        count = _words(lines, first, end)
        if packed:
            above, start, _, had = packed[-1]
            siblings = headings == above or (headings[:-1] == above[: len(headings) - 1] and len(above) >= len(headings) - 1)
            if siblings and min(had, count) < FEW_WORDS and had + count <= MOST_WORDS:
                packed[-1] = (headings if headings == above else _common(above, headings), start, end, had + count)
                continue
        packed.append((headings, first, end, count))
    found: list[Chunk] = []
    # A packed chunk keeps the headings between its parts in its text; a chunk of its own has them in its breadcrumb.
    for headings, first, end, count in packed:
        body = "\n".join(lines[first:end]).strip("\n")
        if count and body.strip():
            found.append(Chunk(headings, (first + first_line, end - 1 + first_line), body))
    assert all(a.lines[0] <= b.lines[0] for a, b in pairwise(found))
    return found

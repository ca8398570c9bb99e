"""Paths with wildcards, found in few steps: `secret/*` by its length, `secret/+/app` in a tree of segments.

A match comes with its rank; of several matches the one with the highest rank counts, in Vault's order (see `acl.py`).
"""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
Rank = tuple[int, bool, int, int, str]


def has_segment_wildcard(path: str) -> bool:
    """Whether Vault compares a rule's path segment by segment."""
    return path == "+" or path.startswith("+/") or "/+" in path


def rank(path: str) -> Rank:
    """How specific a path with wildcards is; the larger wins."""
    literal = path.removesuffix("*")
    is_prefix = path.endswith("*")
    if not has_segment_wildcard(path):
        return (len(literal), not is_prefix, 0, len(literal), literal)
    return (path.index("+"), not is_prefix, -literal.split("/").count("+"), len(literal), literal)


def reaches(path: str, folder: str) -> bool:
    """Whether a rule's path can match something under a folder (`secret/`)."""
    is_prefix = path.endswith("*")
    literal = path.removesuffix("*")
    if not has_segment_wildcard(path):
        return literal.startswith(folder) or (is_prefix and folder.startswith(literal))
    segments, given = literal.split("/"), folder.rstrip("/").split("/")
    last = len(segments) - 1
    for place, (wanted, name) in enumerate(zip(segments, given, strict=False)):
        if wanted not in {"+", name} and not (is_prefix and place == last and name.startswith(wanted)):
            return False
    return is_prefix or last >= len(given)


@dataclass(slots=True)
class _Node(Generic[T]):
    children: dict[str, "_Node[T]"] = field(default_factory=dict)
    end: tuple[Rank, T] | None = None
    prefixes: dict[str, tuple[Rank, T]] = field(default_factory=dict)


class Globs(Generic[T]):
    """Values by path with wildcards."""

    def __init__(self, values: dict[str, T]) -> None:
        self._prefixes: dict[str, tuple[Rank, T]] = {}
        self._root: _Node[T] = _Node()
        self._has_segments = False
        for path, value in values.items():
            if has_segment_wildcard(path):
                self._add(path, value)
            else:
                self._prefixes[path.removesuffix("*")] = (rank(path), value)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes}, reverse=True)

    def _add(self, path: str, value: T) -> None:
        self._has_segments = True
        node, segments = self._root, path.removesuffix("*").split("/")
        is_prefix = path.endswith("*")
        for segment in segments[:-1] if is_prefix else segments:
            node = node.children.setdefault(segment, _Node())
        if is_prefix:
            node.prefixes[segments[-1]] = (rank(path), value)
        else:
            node.end = (rank(path), value)

    def find(self, path: str) -> T | None:
        """The value of the most specific path that matches."""
        best = next((self._prefixes[path[:length]] for length in self._lengths if path[:length] in self._prefixes), None)
        if self._has_segments:
            for found in self._segment_matches(path.split("/")):
                if best is None or found[0] > best[0]:
                    best = found
        return None if best is None else best[1]

    def _segment_matches(self, segments: list[str]) -> list[tuple[Rank, T]]:
        matches: list[tuple[Rank, T]] = []
        nodes = [self._root]
        for segment in segments:
            below: list[_Node[T]] = []
            for node in nodes:
                matches += [found for prefix, found in node.prefixes.items() if segment.startswith(prefix)]
                below += [node.children[name] for name in {segment, "+"} if name in node.children]
            nodes = below
            if not nodes:
                return matches
        return matches + [node.end for node in nodes if node.end is not None]

"""Where documents come from: folders, walked without leaving them, and what changed in them since the last look."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from prov_rag.document import SUFFIXES

Trust = Literal["shipped", "project", "imported"]

_LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".prov", ".obsidian", "logseq", ".trash", ".index"}
)
MOST_FILES = 50_000


@dataclass(frozen=True, slots=True)
class Source:
    """A folder (or one file) of documents.

    `name` stands before every path in citations. `trust` says who wrote it: `shipped` with the product, `project` in the
    workspace itself, `imported` from anywhere else.
    """

    name: str
    root: Path
    trust: Trust


@dataclass(frozen=True, slots=True)
class Seen:
    """A file of a source as the file system shows it; `path` is relative to the source, with `/`, `place` where it lies."""

    path: str
    place: str
    size: int
    modified_ns: int

    @property
    def file(self) -> Path:
        """Where it lies, as a path."""
        return Path(self.place)


def files(source: Source) -> Iterator[Seen]:
    """The files of a source that may hold documents, in order of their paths.

    Links that lead out of the folder are not followed, folders of programs (`.git`, `node_modules`, ...) are not entered.
    """
    root = source.root.resolve()
    if root.is_file():
        stat = root.stat()
        yield Seen(root.name, str(root), stat.st_size, stat.st_mtime_ns)
        return
    found = sorted(islice(_below(str(root), "", root), MOST_FILES))
    yield from (Seen(*one) for one in found)


def _below(folder: str, prefix: str, root: Path) -> Iterator[tuple[str, str, int, int]]:
    """(path with `/`, file, size, time) of each document: one system call a file, since every search looks."""
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError:  # gone meanwhile, or not ours to read
        return
    for entry in listed:
        try:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _LEFT_OUT:
                    yield from _below(entry.path, f"{prefix}{entry.name}/", root)
                continue
            if f".{entry.name.rpartition('.')[2].lower()}" not in SUFFIXES:
                continue
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                continue
            stat = entry.stat()
        except OSError:  # gone meanwhile, or a link to nowhere
            continue
        yield prefix + entry.name, entry.path, stat.st_size, stat.st_mtime_ns

"""Where documents come from: folders, walked without leaving them, and what changed in them since the last look."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
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
    """A file of a source as the file system shows it; `path` is relative to the source, with `/`."""

    path: str
    file: Path
    size: int
    modified_ns: int


def files(source: Source) -> Iterator[Seen]:
    """The files of a source that may hold documents, in order of their paths.

    Links that lead out of the folder are not followed, folders of programs (`.git`, `node_modules`, ...) are not entered.
    """
    root = source.root.resolve()
    if root.is_file():
        stat = root.stat()
        yield Seen(root.name, root, stat.st_size, stat.st_mtime_ns)
        return
    found: list[Seen] = []
    for folder, names, entries in os.walk(root):
        names[:] = sorted(name for name in names if name not in _LEFT_OUT)
        for entry in entries:
            if Path(entry).suffix.lower() not in SUFFIXES:
                continue
            file = Path(folder) / entry
            try:
                if file.is_symlink() and not file.resolve().is_relative_to(root):
                    continue
                stat = file.stat()
            except OSError:  # gone meanwhile, or a link to nowhere
                continue
            found.append(Seen(file.relative_to(root).as_posix(), file, stat.st_size, stat.st_mtime_ns))
        if len(found) > MOST_FILES:
            break
    yield from sorted(found[:MOST_FILES], key=lambda seen: seen.path)

"""Which files one evaluation may read: the workspace's configuration files and the shipped schemas, file by file.

`import "schemas/NAME.ncl"` always means the shipped schema. A workspace's own `schemas/NAME.ncl` beside a configuration
would be found first by Nickel, so a file of a shipped name is left out of the list (Nickel then finds the shipped
one) and named in `shadowed`, so that the user can be told.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from prov_gen.nickel.errors import NickelUnavailableError
from prov_gen.nickel.source import NickelSource
from prov_gen.nickel.tokens import LostError, unquote
from stratumops.errors import StratumError
from stratumops.workspace import Workspace

SCHEMA_FOLDER = "schemas"
OPEN_FOLDER = "open"
MAX_NAMED = 256
"""Imports of one text that are looked up by name."""

_TARGET = re.compile(r"""\bimport\s*("(?:[^"\\]|\\.){1,1024}")""")


@dataclass(frozen=True, slots=True)
class Schemas:
    """The shipped schemas: `folder` is what `import "schemas/NAME.ncl"` is relative to, `names` are those texts."""

    folder: Path
    names: frozenset[str]

    @property
    def open_folder(self) -> Path:
        """Where the same schemas lie without their rules; the folder itself where there are none."""
        inner = self.folder / OPEN_FOLDER
        return inner if inner.is_dir() else self.folder

    @property
    def files(self) -> list[str]:
        """The real paths of all of them, with and without rules."""
        folders = sorted({self.folder, self.open_folder})
        paths = (folder / name for folder in folders for name in sorted(self.names))
        return [os.fspath(path.resolve()) for path in paths if path.exists()]

    @classmethod
    def at(cls, folder: Path) -> "Schemas":
        """The schemas in a folder, as they are now."""
        real = folder.resolve()
        return cls(real, frozenset(path.relative_to(real).as_posix() for path in (real / SCHEMA_FOLDER).rglob("*.ncl")))

    @classmethod
    def shipped(cls) -> "Schemas":
        """The ones that come with the product. Raises NickelUnavailableError when they are missing."""
        spec = find_spec("prov_corpus")
        if spec is None or not spec.submodule_search_locations:
            raise NickelUnavailableError("nickel_start", "the shipped schemas are missing", hint="install stratumops again")
        return cls.at(Path(next(iter(spec.submodule_search_locations))) / "nickel")


@dataclass(frozen=True, slots=True)
class AllowList:
    """Real paths, and what tells one list from another. `owner` is the workspace's root, or "" without one."""

    files: tuple[str, ...]
    fingerprint: str
    owner: str = ""
    shadowed: tuple[str, ...] = ()

    @classmethod
    def of(cls, schemas: Schemas, workspace: Workspace | None, source: NickelSource | None = None) -> "AllowList":
        """The list as the disk is now, for one text.

        A workspace may hold more files than a sandbox can be given: the files that the text imports by name come first, then
        those of its folder, then the others near the root.
        """
        files = schemas.files
        shadowed: tuple[str, ...] = ()
        if workspace is not None:
            readable = workspace.readable_files(first=source.folder if source else None)
            if source is not None:
                readable = sorted({*readable, *_named(source, workspace)})
            shadows = _shadows(readable, schemas)
            shadowed = tuple(os.path.relpath(path, workspace.root) for path in sorted(shadows))
            files += [os.fspath(path) for path in readable if path not in shadows]
        return cls(tuple(files), _fingerprint(files), os.fspath(workspace.root) if workspace else "", shadowed)


def _named(source: NickelSource, workspace: Workspace) -> set[Path]:
    """The readable files of the workspace that a text imports by their names."""
    found: set[Path] = set()
    for name in islice(_targets(source.text), MAX_NAMED):
        try:
            real = workspace.resolve(os.path.relpath((source.folder or workspace.root) / name, workspace.root))
        except StratumError:
            continue
        found.add(real)
    return found


def _targets(text: str) -> Iterator[str]:
    """What the text imports by a plain string. That a comment may do so too adds a file that may be read anyway."""
    for match in _TARGET.finditer(text):
        try:
            yield unquote(match.group(1))
        except LostError:
            continue


def _shadows(readable: list[Path], schemas: Schemas) -> set[Path]:
    """The workspace's files (behind any links) that an importing file would find in place of a shipped schema."""
    folders = [folder for folder in {path.parent for path in readable} if (folder / SCHEMA_FOLDER).is_dir()]
    places = (folder / name for folder in folders for name in schemas.names)
    return {place.resolve() for place in places if place.exists()}


def _fingerprint(files: list[str]) -> str:
    """Paths with inode and change time: a Landlock rule holds for the inode, and an editor that saves makes a new one."""
    digest = hashlib.sha256()
    for path in files:
        try:
            info = os.stat(path)  # noqa: PTH116 - thousands of texts; making Path objects of them costs more than the call
        except OSError:
            continue
        digest.update(f"{path}\0{info.st_dev}\0{info.st_ino}\0{info.st_ctime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()

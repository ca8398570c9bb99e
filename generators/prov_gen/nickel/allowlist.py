"""Which files one evaluation may read: the workspace's configuration files and the shipped schemas, file by file.

`import "schemas/NAME.ncl"` always means the shipped schema. A workspace's own `schemas/NAME.ncl` beside a configuration
would be found first by Nickel, so a file of a shipped name is left out of the list (Nickel then finds the shipped
one) and named in `shadowed`, so that the user can be told.
"""

import hashlib
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from prov_gen.nickel.errors import NickelUnavailableError
from stratumops.workspace import Workspace

SCHEMA_FOLDER = "schemas"


@dataclass(frozen=True, slots=True)
class Schemas:
    """The shipped schemas: `folder` is what `import "schemas/NAME.ncl"` is relative to, `names` are those texts."""

    folder: Path
    names: frozenset[str]

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
    def of(cls, schemas: Schemas, workspace: Workspace | None) -> "AllowList":
        """The list as the disk is now.

        Raises InvalidInputError when the workspace holds too many files.
        """
        files = [os.fspath((schemas.folder / name).resolve()) for name in sorted(schemas.names)]
        shadowed: tuple[str, ...] = ()
        if workspace is not None:
            readable = workspace.readable_files()
            shadows = _shadows(readable, schemas)
            shadowed = tuple(os.path.relpath(path, workspace.root) for path in sorted(shadows))
            files += [os.fspath(path) for path in readable if path not in shadows]
        return cls(tuple(files), _fingerprint(files), os.fspath(workspace.root) if workspace else "", shadowed)


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

"""The folders of documents that a person added to a workspace, in `.prov/sources.json`."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from prov_server.knowledge.own_json import DamagedError, changing, read, write
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError

FILE = "sources.json"
RESERVED = frozenset({"stratumops", "kogral", "workspace"})
"""Names of sources that are always there."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True)
class Added:
    """A folder (or a file) under the name that stands before its documents' paths."""

    name: str
    folder: str


class Sources:
    """What a person added; `own` is `.prov`. Its methods raise UnavailableError for a file that cannot be read."""

    def __init__(self, own: Path) -> None:
        self._file = own / FILE

    def stamp(self) -> tuple[int, int]:
        """What changes with every change."""
        try:
            info = self._file.stat()
        except OSError:
            return (0, 0)
        return (info.st_mtime_ns, info.st_ino)

    def all(self) -> list[Added]:
        """Every source, in order of their names."""
        try:
            return sorted((Added(**row) for row in read(self._file) or []), key=lambda one: one.name)
        except (DamagedError, TypeError):
            raise UnavailableError(
                f"{self._file} is damaged", hint="move it away, then `prov rag add` the folders again"
            ) from None

    def add(self, folder: Path, name: str = "") -> Added:
        """Add a folder or a file. The same folder again answers what is there.

        Raises NotFoundError, InvalidInputError (its name), ConflictError (the name is another folder's).
        """
        real = folder.resolve()
        if not real.exists():
            raise NotFoundError(f"there is no {folder}", hint="give a folder with documents, such as a checkout of your runbooks")
        with changing(self._file):
            known = self.all()
            if (same := next((one for one in known if one.folder == str(real)), None)) and name in {"", same.name}:
                return same
            chosen = name or _free(_named(real), (one.name for one in known))
            if not _NAME.fullmatch(chosen) or chosen in RESERVED:
                raise InvalidInputError(
                    f"{chosen[:60]!r} is no name for a source",
                    hint=f"lower-case letters, digits and hyphens; not {', '.join(sorted(RESERVED))}",
                )
            if any(one.name == chosen for one in known):
                raise ConflictError(
                    f"another folder is called {chosen}", hint=f"give another --name, or `prov rag remove {chosen}` first"
                )
            added = Added(chosen, str(real))
            self._write([*known, added])
        return added

    def remove(self, name: str) -> Added:
        """Forget a source; its files stay. Raises NotFoundError."""
        with changing(self._file):
            known = self.all()
            gone = next((one for one in known if one.name == name), None)
            if gone is None:
                there = ", ".join(one.name for one in known) or "none"
                raise NotFoundError(f"there is no source {name[:60]!r}", hint=f"added were: {there}")
            self._write([one for one in known if one != gone])
        return gone

    def _write(self, rows: Iterable[Added]) -> None:
        write(self._file, [asdict(one) for one in rows])


def _named(folder: Path) -> str:
    """A name from the folder's; the parent's too where the folder's own says nothing."""
    parts = [folder.stem if folder.is_file() else folder.name]
    if parts[0].lower() in {"docs", "doc", "runbooks", "wiki"}:
        parts.insert(0, folder.parent.name)
    return re.sub(r"[^a-z0-9._]+", "-", "-".join(parts).lower()).strip("-._")[:40] or "documents"


def _free(name: str, taken: Iterable[str]) -> str:
    used = {*taken, *RESERVED}
    names = (name if number == 1 else f"{name[:36]}-{number}" for number in count(1))
    return next(one for one in names if one not in used)

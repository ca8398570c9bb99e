"""The audit of tool calls as it is read: who called what, newest first, and whether the chain is whole.

A folder holds the current file, those that were rotated away, and the public key. A copy of it is enough.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratumops.errors import InvalidInputError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from svault.audit.records import Head
    from svault.audit.verify import Verification

FOLDER, FILE, PUBLIC_FILE = "audit", "calls.jsonl", "public.key"
"""The audit's folder in `.prov/`, and in it the file that is written to and the public key."""
BEGUN, CALL = "begun", "call"
"""Types of lines: a call that changes something is written down before it starts, every call when it has ended."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are looked for; what is left out does not matter. `since` is a time in UTC."""

    tool: str | None = None
    principal: str | None = None
    since: datetime | None = None
    is_failed: bool = False

    def holds(self, entry: dict[str, Any]) -> bool:
        """Whether an entry is one of them."""
        return (
            (self.tool is None or entry.get("tool") == self.tool)
            and (self.principal is None or entry.get("principal") == self.principal)
            and (not self.is_failed or entry.get("code") != "ok")
        )


@dataclass(frozen=True, slots=True)
class CallLog:
    """The audit in a folder."""

    folder: Path

    def entries(self, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` calls (0 is all), newest first, each as its line says it with the line's number as `seq`.

        A call that changes something and has not ended (or whose process died) has the code `unfinished`.
        Raises NotFoundError (no audit there), UnavailableError (it cannot be read).
        """
        found: list[dict[str, Any]] = []
        ended: set[str] = set()
        for entry in self._newest_first():
            if wanted.since is not None and _time(entry) < wanted.since:
                break
            if entry["type"] == BEGUN:
                if entry.get("call") in ended:
                    continue
                entry["code"] = "unfinished"
            ended.add(str(entry.get("call")))
            if wanted.holds(entry):
                found.append(entry)
                if len(found) == limit:
                    break
        return found

    def line(self, seq: int) -> dict[str, Any]:
        """The whole line of that number, whatever it is. Raises as `entries`."""
        for path in reversed(self._files()):
            for raw in _lines(path):
                entry = _parsed(raw)
                number = _seq(entry)
                if number == seq:
                    return entry
                if number > seq:
                    break
        raise NotFoundError(f"the audit has no line {seq}", hint="`prov audit list` shows the numbers of the newest calls")

    def lines(self) -> Iterator[bytes]:
        """Every line of every file as it stands, oldest first. Raises as `entries`."""
        return chain.from_iterable(_lines(path) for path in self._files())

    def verify(self, public_key: bytes | None, expected_head: "Head | None" = None) -> "Verification":
        """Check every line, their order and every signature. Without a key, the one that the first file names is used.

        Raises NotFoundError where there is no chain.
        """
        from svault.audit.verify import verify  # noqa: PLC0415 - nothing of the vault is imported before it is needed
        from svault.crypto.choice import backend  # noqa: PLC0415 - as above

        self._files()
        path = self.folder / FILE
        return verify(path if path.exists() else self.folder, public_key, backend("openssl"), expected_head)

    def _newest_first(self) -> Iterator[dict[str, Any]]:
        for path in reversed(self._files()):
            for raw in reversed(list(_lines(path))):
                entry = _parsed(raw)
                if entry.get("type") in {BEGUN, CALL}:
                    yield {"seq": _seq(entry)} | {key: value for key, value in entry.items() if key != "chain"}

    def _files(self) -> list[Path]:
        """Oldest first."""
        from svault.audit.files import rotated  # noqa: PLC0415 - as above

        path = self.folder / FILE
        try:
            found = [*rotated(path), *([path] if path.is_file() else [])]
        except OSError as error:
            raise _unreadable(self.folder, error) from None
        if not found:
            raise NotFoundError(
                f"there is no audit of tool calls in {self.folder}", hint="it begins with the first call in a workspace"
            )
        return found


def verify_export(file: Path, public_key: bytes | None, expected_head: "Head | None" = None) -> "Verification":
    """As `CallLog.verify`, for the one file that an export is, whatever it is called.

    Raises InvalidInputError for an export as CSV, which has no signatures, UnavailableError.
    """
    from svault.audit.verify import verify_file  # noqa: PLC0415 - as above
    from svault.crypto.choice import backend  # noqa: PLC0415 - as above

    try:
        with file.open("rb") as stream:
            first = stream.read(1)
    except OSError as error:
        raise _unreadable(file, error) from None
    if first != b"{":
        raise InvalidInputError(
            f"{file} holds no JSON lines, so it cannot be verified", hint="export it with --format jsonl: CSV has no signatures"
        )
    return verify_file(file, public_key, backend("openssl"), expected_head)


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines; what is being written right now is none yet."""
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(f"the audit cannot be read: {path}: {error.strerror}", hint="it belongs to who started the server")


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _seq(entry: dict[str, Any]) -> int:
    link = entry.get("chain")
    seq = link.get("seq") if isinstance(link, dict) else None
    return seq if isinstance(seq, int) else -1


def _time(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(str(entry["time"]))

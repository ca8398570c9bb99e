"""Whom a workspace believes: `.prov/approvers.json`, a chain in which every change is signed by one who was trusted before it.

The first approver of all is trusted because nobody else is there to say otherwise (trust on first use); its entry says so.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from provisioning.approval.errors import NotAdoptedError, TrustAlteredError
from provisioning.approval.key_files import checked_name, read_own, replace
from provisioning.approval.keys import ApproverKey, PublicKey
from provisioning.approval.pins import Pins, locked
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError, UnavailableError

FILE = "approvers.json"
LOCK = "approvers.lock"
CONTEXT = b"stratumops approvers 1"
BEFORE_ALL = "0" * 64
_FORMAT = "stratumops approvers 1"
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of the list. `by` is the id of the key that signed it, `previous` the hash of the entry before."""

    number: int
    action: Literal["first", "add", "remove"]
    lineage: str
    name: str
    public: str
    by: str
    at: float
    previous: str
    signature: str = ""

    @property
    def body(self) -> bytes:
        """What is signed: everything but the signature, as canonical JSON."""
        members = {name: value for name, value in asdict(self).items() if name != "signature"}
        return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")

    @property
    def hash(self) -> str:
        """What the next entry names as its previous one."""
        return hashlib.sha256(self.body + b"\n" + self.signature.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Approver:
    """One who is trusted now. `since` is seconds since 1970; `is_first` says that nobody vouched for this one."""

    name: str
    public: PublicKey
    since: float
    is_first: bool

    @property
    def key_id(self) -> str:
        """The short name of the key."""
        return self.public.id


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whose approvals hold at the moment: approvers by key id, and the server's own key where elicitation counts."""

    approvers: Mapping[str, Approver] = field(default_factory=dict)
    server: PublicKey | None = None


class Trust:
    """The list of one workspace. `folder` is its `.prov/`, which must exist; `lineage` is that of its state.

    With `pins`, a list that has entries and of which this user never saw one is refused until `accept`.

    Raises from its methods: TrustAlteredError (with the entry and what is wrong), NotAdoptedError, UnavailableError (disk).
    """

    def __init__(self, folder: Path, lineage: str, pins: Pins | None = None) -> None:
        self.path = folder / FILE
        self._lock = folder / LOCK
        self._lineage, self._pins = lineage, pins
        self._read: tuple[str, tuple[Entry, ...]] = ("", ())

    def entries(self) -> tuple[Entry, ...]:
        """The whole history, verified."""
        entries = self._verified()
        if self._pins and entries and not self._pins.get(self._lineage):
            raise NotAdoptedError(
                f"you have not yet seen the list of approvers {self.path}: it was not begun by you on this machine",
                hint="a person looks at it and adopts it, in a terminal: prov trust",
                file=str(self.path),
            )
        return entries

    def accept(self) -> tuple[Approver, ...]:
        """Remember the list as it stands, also when this user never saw it; for a person who was shown those whom it answers."""
        entries = self._verified()
        if self._pins and entries:
            self._pins.put(self._lineage, entries[-1].hash)
        return tuple(self._replay(entries).values())

    def _verified(self) -> tuple[Entry, ...]:
        try:
            text = read_own(self.path, _MOST_BYTES)
        except FileNotFoundError:
            text = ""
        except OSError as error:
            raise UnavailableError(f"{self.path}: {error.strerror}", hint="check its permissions") from None
        if text != self._read[0]:
            entries = self._parsed(text)
            self._replay(entries)
            self._read = text, entries
        entries = self._read[1]
        seen = self._pins.get(self._lineage) if self._pins else ""
        if seen and self._pins and seen not in {one.hash for one in entries}:
            raise self._altered(
                "it lacks what you saw of it last: entries were removed, or another list stands in its place",
                f"restore it; if you began it anew yourself, remove the line of {self._lineage} from {self._pins.path}",
            )
        return entries

    def approvers(self) -> dict[str, Approver]:
        """Those who are trusted now, by key id."""
        return self._replay(self.entries())

    def begin(self, key: ApproverKey, now: float) -> Approver:
        """Trust the first approver of all, on first use. Raises ConflictError when the list has begun."""
        if self.entries():
            raise ConflictError(
                f"this workspace has approvers already: {self._names()}",
                hint=f"one of them must sign for {key.name!r}: prov approver add {key.name} KEY",
            )
        return self._append("first", key.name, key.public, key, now)

    def add(self, name: str, public: PublicKey, by: ApproverKey, now: float) -> Approver:
        """Trust another one, signed by one who is trusted. Raises PermissionDeniedError, ConflictError (name or key is there)."""
        return self._append("add", checked_name(name), public, by, now)

    def remove(self, name: str, by: ApproverKey, now: float) -> None:
        """Trust one no longer: its approvals stop holding. Raises PermissionDeniedError, NotFoundError, ConflictError (last)."""
        there = {one.name: one for one in self.approvers().values()}
        if name not in there:
            raise NotFoundError(f"{name!r} is no approver of this workspace", hint=f"there are: {self._names()}")
        self._append("remove", name, there[name].public, by, now)

    def pin(self) -> None:
        """Remember, for this user, how the list stands."""
        entries = self.entries()
        if self._pins and entries:
            self._pins.put(self._lineage, entries[-1].hash)

    def _append(
        self, action: Literal["first", "add", "remove"], name: str, public: PublicKey, by: ApproverKey, now: float
    ) -> Approver:
        try:
            with locked(self._lock):
                entries = self.entries()
                previous = entries[-1].hash if entries else BEFORE_ALL
                draft = Entry(len(entries) + 1, action, self._lineage, name, public.text, by.public.id, now, previous)
                signature = base64.b64encode(by.sign(draft.body, CONTEXT)).decode("ascii")
                entry = Entry(**{**asdict(draft), "signature": signature})
                _apply(self._replay(entries), entry)
                members = {"format": _FORMAT, "entries": [asdict(one) for one in (*entries, entry)]}
                replace(self.path, json.dumps(members, ensure_ascii=False, indent=1) + "\n")
        except OSError as error:
            raise UnavailableError(f"{error.filename or self.path}: {error.strerror}", hint="let it be written there") from None
        if self._pins:
            self._pins.put(self._lineage, entry.hash)
        return Approver(name, public, now, action == "first")

    def _parsed(self, text: str) -> tuple[Entry, ...]:
        if not text:
            return ()
        kinds: dict[str, Any] = {one.name: str for one in fields(Entry)} | {"number": int, "at": (int, float)}
        try:
            found = json.loads(text)
            listed = found["entries"]
            is_right = found["format"] == _FORMAT and all(
                set(one) == set(kinds) and all(isinstance(one[name], kind) for name, kind in kinds.items()) for one in listed
            )
            entries = tuple(Entry(**one) for one in listed) if is_right else ()
        except (ValueError, TypeError, KeyError, RecursionError):
            entries = ()
        if not entries:
            raise self._altered("it is not a list of approvers", "restore it from a backup")
        return entries

    def _replay(self, entries: tuple[Entry, ...]) -> dict[str, Approver]:
        approvers: dict[str, Approver] = {}
        previous = BEFORE_ALL
        for number, entry in enumerate(entries, start=1):
            if entry.lineage != self._lineage:
                raise self._altered(
                    f"entry {number} belongs to another workspace ({entry.lineage})",
                    "the state or the list was copied from elsewhere: move the list away, and begin a new one",
                )
            if (entry.number, entry.previous) != (number, previous):
                raise self._altered(f"entry {number} does not follow the one before it", "restore it from a backup")
            try:
                _apply(approvers, entry)
            except (ConflictError, PermissionDeniedError, NotFoundError, InvalidInputError, ValueError) as error:
                raise self._altered(
                    f"entry {number} ({entry.action} {entry.name!r}): {error}", "restore it from a backup"
                ) from None
            previous = entry.hash
        return approvers

    def _names(self) -> str:
        return ", ".join(sorted(one.name for one in self.approvers().values())) or "none"

    def _altered(self, why: str, hint: str) -> TrustAlteredError:
        return TrustAlteredError(f"the list of approvers {self.path} does not hold: {why}", hint=hint, file=str(self.path))


def _apply(approvers: dict[str, Approver], entry: Entry) -> None:
    """Do what an entry says, if it may. Raises PermissionDeniedError, ConflictError, NotFoundError, ValueError."""
    public = PublicKey.of_text(entry.public)
    if entry.action == "first":
        if approvers or entry.number != 1:
            raise ConflictError("only the first entry of all needs nobody else")
        signer = public
    else:
        if entry.by not in approvers:
            raise PermissionDeniedError(
                f"who signs ({entry.by}) is no approver of this workspace",
                hint="one who is trusted already must sign; `prov approver list` shows them",
            )
        signer = approvers[entry.by].public
    if entry.by != signer.id or not signer.verifies(entry.body, base64.b64decode(entry.signature, validate=True), CONTEXT):
        raise PermissionDeniedError("its signature does not hold", hint="the entry was altered, or somebody else made it")
    if entry.action == "remove":
        if approvers.get(public.id) is None or approvers[public.id].name != entry.name:
            raise NotFoundError("there is no such approver")
        if len(approvers) == 1:
            raise ConflictError(f"{entry.name!r} is the last approver", hint="trust another one first, then remove this one")
        del approvers[public.id]
        return
    if public.id in approvers or any(one.name == entry.name for one in approvers.values()):
        raise ConflictError(
            f"{entry.name!r}, or the same key under another name, is an approver already",
            hint="remove the old one first, or choose another name",
        )
    approvers[public.id] = Approver(entry.name, public, entry.at, entry.action == "first")

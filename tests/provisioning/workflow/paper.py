"""A cloud on paper: a provider whose objects live in an SQLite file, which records every request and fails as it is told to.

Test equipment: real (several processes share one cloud), without waits of its own. Faults are rows of the file too, so that a
test may set them while another process works:

- `throttle`, `error`: the request is refused, try again (429, 5xx); nothing was done
- `refuse`: refused for good
- `lost`: no answer, and nothing was done; `silent`: no answer, and it was done
- `slow`: what is made is not ready for `count` reads; `lie`: the same, while its creation says that it is ready
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from prov_judge.changes.leaves import leaves
from provisioning.errors import ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.base import Calls, Catalogue, Check
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded, Wanted

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
  id TEXT PRIMARY KEY, kind TEXT, region TEXT, name TEXT, tags TEXT, content TEXT, parts TEXT, uses TEXT, pending INTEGER,
  token TEXT);
CREATE TABLE IF NOT EXISTS requests (number INTEGER PRIMARY KEY, name TEXT, address TEXT, at REAL, did INTEGER);
CREATE TABLE IF NOT EXISTS faults (
  number INTEGER PRIMARY KEY, kind TEXT, request TEXT, address TEXT, times INTEGER, count INTEGER);
CREATE TABLE IF NOT EXISTS backups (id TEXT PRIMARY KEY, object TEXT, label TEXT);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER);
"""
MOST_POLLS = 20


@dataclass(frozen=True)
class Request:
    """One request as the cloud saw it; `did` tells whether it changed something."""

    name: str
    address: str
    at: float
    did: bool


class PaperCloud:
    """The file. `boundary` is told after every request that changed something."""

    def __init__(self, path: Path, boundary: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self.boundary = boundary
        with self.open() as connection:
            connection.executescript(TABLES)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=60, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=wal")
            connection.execute("PRAGMA synchronous=off")
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self.open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    # For tests

    def fail(self, kind: str, request: str = "", address: str = "", *, times: int = 1, count: int = 0) -> None:
        """Fail the next so many requests of that name about that address ("" is any)."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO faults (kind, request, address, times, count) VALUES (?, ?, ?, ?, ?)",
                (kind, request, address, times, count),
            )

    def heal(self) -> None:
        """No more faults."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM faults")

    def requests(self, name: str = "", address: str = "") -> list[Request]:
        """What was asked, in order."""
        with self.open() as connection:
            rows = connection.execute("SELECT name, address, at, did FROM requests ORDER BY number").fetchall()
        every = [Request(name, address, at, bool(did)) for name, address, at, did in rows]
        return [one for one in every if name in {"", one.name} and address in {"", one.address}]

    def objects(self) -> dict[str, dict[str, Any]]:
        """What exists, by id."""
        with self.open() as connection:
            rows = connection.execute("SELECT id, kind, name, tags, content, parts, pending FROM objects ORDER BY id").fetchall()
        return {
            row[0]: {
                "kind": row[1], "name": row[2], "tags": json.loads(row[3]), "content": json.loads(row[4]),
                "parts": json.loads(row[5]), "pending": row[6],
            }
            for row in rows
        }  # fmt: skip

    def by_address(self) -> dict[str, list[str]]:
        """The ids of what exists, by what their tag says."""
        found: dict[str, list[str]] = {}
        for id_, one in self.objects().items():
            found.setdefault(one["tags"].get(TAG_ADDRESS, ""), []).append(id_)
        return found

    def backups(self) -> list[tuple[str, str]]:
        """Object and label of every backup."""
        with self.open() as connection:
            return connection.execute("SELECT object, label FROM backups ORDER BY id").fetchall()

    def change(self, id_: str, **content: Any) -> None:
        """What somebody does behind our back."""
        with self.transaction() as connection:
            now = json.loads(connection.execute("SELECT content FROM objects WHERE id = ?", (id_,)).fetchone()[0])
            connection.execute("UPDATE objects SET content = ? WHERE id = ?", (json.dumps({**now, **content}), id_))

    def remove(self, id_: str) -> None:
        """As above."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM objects WHERE id = ?", (id_,))

    def add(self, kind: str, name: str, tags: Mapping[str, str]) -> str:
        """As above."""
        with self.transaction() as connection:
            return _insert(connection, kind, "paper-1", name, tags, {}, [], "", 0)

    # For the provider

    def ask(self, name: str, address: str, function: Callable[[sqlite3.Connection], Any], *, changes: bool = True) -> Any:
        """One request: refused, lost, done without an answer, or done."""
        with self.transaction() as connection:
            fault = self._fault(connection, name, address, ("throttle", "error", "refuse", "lost", "silent"))
            does = fault not in {"throttle", "error", "refuse", "lost"}
            answer = refusal = None
            if does:
                try:
                    answer = function(connection)
                except ProviderError as error:
                    refusal = error
            connection.execute(
                "INSERT INTO requests (name, address, at, did) VALUES (?, ?, ?, ?)",
                (name, address, time.time(), does and refusal is None),
            )
        if changes and does:
            self.boundary(f"{name} {address}")
        if refusal is not None:
            raise refusal
        if fault in {"throttle", "error"}:
            raise ProviderBusyError(f"{name}: {'Throttling' if fault == 'throttle' else 'InternalError (500)'}")
        if fault == "refuse":
            raise ProviderError(f"{name}: not with this account")
        if fault in {"lost", "silent"}:
            raise ProviderSilentError(f"{name}: no answer within 60 s")
        return answer

    def fault(self, name: str, address: str, kinds: Sequence[str]) -> tuple[str, int]:
        """A fault of these kinds that is due, with its count."""
        with self.transaction() as connection:
            kind = self._fault(connection, name, address, kinds)
            return kind, self._count

    _count = 0

    def _fault(self, connection: sqlite3.Connection, name: str, address: str, kinds: Sequence[str]) -> str:
        row = connection.execute(
            "SELECT number, kind, count FROM faults WHERE times > 0 AND request IN ('', ?) AND address IN ('', ?)"
            f" AND kind IN ({','.join('?' * len(kinds))}) ORDER BY number LIMIT 1",
            (name, address, *kinds),
        ).fetchone()
        if row is None:
            return ""
        connection.execute("UPDATE faults SET times = times - 1 WHERE number = ?", (row[0],))
        self._count = row[2]
        return str(row[1])


def _insert(
    connection: sqlite3.Connection,
    kind: str,
    region: str,
    name: str,
    tags: Mapping[str, str],
    content: Mapping[str, Any],
    uses: Sequence[str],
    token: str,
    pending: int,
) -> str:
    connection.execute("INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (kind,))
    number = connection.execute("SELECT value FROM counters WHERE name = ?", (kind,)).fetchone()[0]
    id_ = f"{kind}-{number:04d}"
    connection.execute(
        "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, '{}', ?, ?, ?)",
        (id_, kind, region, name, json.dumps(dict(tags)), json.dumps(dict(content)), json.dumps(list(uses)), pending, token),
    )
    return id_


class PaperProvider:
    """The provider. A network has a further part, its gateway, which takes a request of its own."""

    name: ClassVar[str] = "paper"
    version: ClassVar[str] = "1"
    kinds: ClassVar[frozenset[str]] = frozenset({"vpc", "subnet", "security_group", "server", "database", "load_balancer"})

    def __init__(self, cloud: PaperCloud) -> None:
        self.cloud = cloud

    def test(self) -> Sequence[Check]:
        return [Check("account", "ok", "paper is patient")]

    def catalogue(self, region: str = "") -> Catalogue:
        return Catalogue(regions=("paper-1",))

    def read(self, one: Recorded) -> Found | None:
        return self.cloud.ask("Read", one.address, lambda connection: _look(connection, one.id), changes=False)

    def read_all(self, ones: Sequence[Recorded]) -> Mapping[str, Found | None]:
        def read(connection: sqlite3.Connection) -> dict[str, Found | None]:
            return {one.address: _look(connection, one.id) for one in ones}

        return self.cloud.ask("ReadAll", "", read, changes=False)

    def find_by_tag(self, tags: Mapping[str, str], region: str = "", kinds: frozenset[str] | None = None) -> Sequence[Found]:
        def find(connection: sqlite3.Connection) -> list[Found]:
            rows = connection.execute("SELECT id, kind, tags FROM objects ORDER BY id").fetchall()
            alike = [row[0] for row in rows if tags.items() <= json.loads(row[2]).items() and (not kinds or row[1] in kinds)]
            return [found for id_ in alike if (found := _look(connection, id_, counts=False))]

        return self.cloud.ask("FindByTag", tags.get(TAG_ADDRESS, ""), find, changes=False)

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        ours = {key: wanted.tags[key] for key in (TAG_ADDRESS, TAG_LINEAGE)}
        found = self.find_by_tag(ours, wanted.region, frozenset({wanted.kind}))
        lies = False
        if found:
            id_ = found[0].id
        else:
            fault, count = self.cloud.fault("Create", wanted.address, ("slow", "lie"))
            lies = fault == "lie"
            uses = [ref.id for refs in wanted.refs.values() for ref in refs]
            content = {
                **wanted.values,
                **({"password_length": len(next(iter(wanted.secrets.values())))} if wanted.secrets else {}),
            }

            def make(connection: sqlite3.Connection) -> str:
                _require_ready(connection, uses)
                return _insert(
                    connection, wanted.kind, wanted.region, wanted.name, wanted.tags, content, uses, wanted.token, count
                )

            id_ = calls.run("Create", lambda: self.cloud.ask("Create", wanted.address, make))
        if wanted.kind == "vpc" and not self._see(id_).parts:
            calls.run(
                "CreateGateway",
                lambda: self.cloud.ask("CreateGateway", wanted.address, lambda c: _gateway(c, id_)),
                part="gateway",
            )
        if lies:
            one = self._see(id_)
            return Found(one.kind, one.id, "running", one.address, one.values, one.outputs, one.parts, one.tags)
        return self._ready(id_, wanted, calls)

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        def change(connection: sqlite3.Connection) -> None:
            if _look(connection, one.id, counts=False) is None:
                raise ProviderError(f"{one.id} does not exist")
            connection.execute(
                "UPDATE objects SET content = ?, tags = ?, name = ? WHERE id = ?",
                (json.dumps(dict(wanted.values)), json.dumps(dict(wanted.tags)), wanted.name, one.id),
            )

        calls.run("Update", lambda: self.cloud.ask("Update", one.address, change))
        return self._ready(one.id, wanted, calls)

    def delete(self, one: Recorded, calls: Calls) -> None:
        def remove(connection: sqlite3.Connection) -> None:
            for id_, uses in connection.execute("SELECT id, uses FROM objects").fetchall():
                if one.id in json.loads(uses):
                    raise ProviderBusyError(f"{one.id} is in use by {id_}")
            connection.execute("DELETE FROM objects WHERE id = ?", (one.id,))

        if self.cloud.ask("Look", one.address, lambda connection: _look(connection, one.id, counts=False), changes=False) is None:
            return
        calls.run("Delete", lambda: self.cloud.ask("Delete", one.address, remove))

    def back_up(self, one: Recorded, label: str, calls: Calls) -> str:
        def save(connection: sqlite3.Connection) -> str:
            there = connection.execute("SELECT id FROM backups WHERE label = ?", (label,)).fetchone()
            if there is None:
                connection.execute("INSERT INTO backups VALUES (?, ?, ?)", (f"backup-{label}", one.id, label))
            return f"backup-{label}"

        return str(calls.run("BackUp", lambda: self.cloud.ask("BackUp", one.address, save)))

    def _see(self, id_: str) -> Found:
        with self.cloud.open() as connection:
            found = _look(connection, id_, counts=False)
        assert found is not None
        return found

    def _ready(self, id_: str, wanted: Wanted, calls: Calls) -> Found:
        for poll in range(MOST_POLLS):
            found = self.cloud.ask("Poll", wanted.address, lambda connection: _look(connection, id_), changes=False)
            if found is None:
                raise ProviderError(f"{id_} is gone")
            if found.status != "pending":
                return found
            calls.report(f"waiting until {id_} is ready ({poll + 1})")
            if calls.is_cancelled():
                break
        raise ProviderBusyError(f"{id_} is not ready")


def _gateway(connection: sqlite3.Connection, id_: str) -> None:
    connection.execute("UPDATE objects SET parts = ? WHERE id = ?", (json.dumps({"gateway": f"{id_}-gw"}), id_))


def _require_ready(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    for id_ in ids:
        found = _look(connection, id_)
        if found is None:
            raise ProviderError(f"{id_} does not exist")
        if found.status == "pending":
            raise ProviderBusyError(f"{id_} is not ready")


def _look(connection: sqlite3.Connection, id_: str, *, counts: bool = True) -> Found | None:
    row = connection.execute("SELECT kind, tags, content, parts, pending FROM objects WHERE id = ?", (id_,)).fetchone()
    if row is None:
        return None
    kind, tags, content, parts, pending = row
    if pending > 0 and counts:
        connection.execute("UPDATE objects SET pending = pending - 1 WHERE id = ?", (id_,))
    known = json.loads(tags)
    values = {path: leaf.value for path, leaf in leaves(json.loads(content)).items()}
    return Found(
        kind=kind,
        id=id_,
        status="pending" if pending > 0 else "running",
        address=known.get(TAG_ADDRESS, ""),
        values=values,
        outputs={"private_ip": "127.0.0.1"},
        parts=json.loads(parts),
        tags=known,
        secret_outputs={"admin_password": f"initial-of-{id_}"} if kind == "database" else {},
    )

"""The resources: what is recorded now, and what was at any serial."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from provisioning.resource import Recorded
from provisioning.state.history import breaks
from provisioning.state.model import Break, Head, Serial
from provisioning.state.records import at_once, canonical, recorded, row_of, sha256, values_of
from provisioning.state.rows import Rows, clean
from provisioning.state.serials import look, record, whats
from provisioning.state.store import Write
from provisioning.state.tables import RESOURCES, SERIALS
from provisioning.state.transaction import Writing
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError

_COLUMNS = select(
    RESOURCES.c.address,
    RESOURCES.c.body,
    RESOURCES.c.sha256,
    RESOURCES.c.status,
    RESOURCES.c.checked_at,
    RESOURCES.c.observed,
)


class Resources(Rows):
    """The methods of the store for resources and serials."""

    def head(self) -> Head:
        with self.database.read() as connection:
            state = self.state(connection)
        return Head(state.lineage, state.serial, state.hash)

    def moment(self) -> tuple[Head, list[Recorded]]:
        with self.database.read() as connection:
            state = self.state(connection)
            rows = self._rows(connection, None)
        return Head(state.lineage, state.serial, state.hash), self._recorded(rows)

    def resources(self, serial: int | None = None) -> list[Recorded]:
        with self.database.read() as connection:
            rows = self._rows(connection, serial)
        return self._recorded(rows)

    def resource(self, address: str, serial: int | None = None) -> Recorded:
        with self.database.read() as connection:
            rows = self._rows(connection, serial, RESOURCES.c.address == address)
            known = [] if rows else [row[0] for row in self._rows(connection, serial)]
        if rows:
            return self._recorded(rows)[0]
        raise _unknown(address, known)

    def put(self, one: Recorded, write: Write) -> Head:
        return self.put_all([one], [], write)

    def put_all(self, changed: Sequence[Recorded], removed: Sequence[str], write: Write) -> Head:
        rows = [row_of(one) for one in changed]
        with self.database.write() as tx:
            tx.fence(write.lease)
            return record(tx, rows, removed, **told(write))

    def remove(self, address: str, write: Write) -> Head:
        with self.database.write() as tx:
            tx.fence(write.lease)
            if not self._rows(tx.connection, None, RESOURCES.c.address == address):
                raise _unknown(address, [row[0] for row in self._rows(tx.connection, None)])
            return record(tx, [], [address], **told(write))

    def move(self, source: str, target: str, write: Write) -> Head:
        if source == target:
            raise InvalidInputError(f"{source} has this address already", hint="name another target")
        with self.database.write() as tx:
            tx.fence(write.lease)
            known = {row[0]: row for row in self._rows(tx.connection, None)}
            if source not in known:
                raise _unknown(source, list(known))
            if target in known:
                raise ConflictError(f"{target} is taken by another resource", hint="move or remove that one first")
            changed = []
            for one in self._recorded(list(known.values())):
                if one.address == source:
                    changed.append(replace(one, address=target))
                elif any(address == source for _, address in one.names):
                    names = tuple((field, target if address == source else address) for field, address in one.names)
                    changed.append(replace(one, names=names))
            return record(tx, [row_of(one) for one in changed], [source], **told(write))

    def restore(self, to: Sequence[Recorded], write: Write, *, lineage: str = "", at_least: int = 0) -> Head:
        rows = [row_of(one) for one in to]
        kept = {row.address for row in rows}
        with self.database.write() as tx:
            tx.fence(write.lease)
            if lineage and not tx.state.serial and lineage != tx.state.lineage:
                tx.change(lineage=lineage)
                tx.state = self.state(tx.connection)
            removed = [row[0] for row in self._rows(tx.connection, None) if row[0] not in kept]
            return record(tx, rows, removed, number=at_least, **told(write))

    def note_check(self, seen: Mapping[str, tuple[str, Mapping[str, Any], float]], write: Write) -> None:
        with self.database.write() as tx:
            tx.fence(write.lease)
            for address, row_id in self._live(tx, seen).items():
                status, observed, checked_at = seen[address]
                look(tx, row_id, status, checked_at, canonical(observed))

    def serials(self, limit: int = 0) -> list[Serial]:
        newest = select(SERIALS).where(SERIALS.c.state_id == self.database.state_id).order_by(SERIALS.c.number.desc())
        with self.database.read() as connection:
            rows = connection.execute(newest.limit(limit) if limit else newest).all()
        return [
            Serial(row.number, row.parent, row.hash, row.made_at, row.operation, row.by, row.reason, whats(row.changes))
            for row in rows
        ]

    def verify_history(self) -> list[Break]:
        with self.database.read() as connection:
            found = breaks(connection, self.database.state_id, reads_bodies=True)
        return [*found, *self.database.breaks()]

    def _rows(self, connection: Connection, serial: int | None, *more: ColumnElement[bool]) -> Sequence[Any]:
        columns = RESOURCES.c
        if serial is None:
            holds: ColumnElement[bool] = columns.valid_to.is_(None)
        else:
            self._check_serial(connection, serial)
            holds = (columns.valid_from <= serial) & (columns.valid_to.is_(None) | (columns.valid_to > serial))
        mine = columns.state_id == self.database.state_id
        rows = connection.execute(_COLUMNS.where(mine, holds, *more)).all()
        return sorted(rows, key=lambda row: row[0])  # not by the database: each has its own order of texts

    def _check_serial(self, connection: Connection, serial: int) -> None:
        if serial == 0:
            return
        there = (SERIALS.c.state_id == self.database.state_id) & (SERIALS.c.number == serial)
        if connection.execute(select(SERIALS.c.number).where(there)).first() is None:
            newest = self.state(connection).serial
            raise NotFoundError(f"there is no serial {serial}", hint=f"the newest is {newest}; `prov state history` has all")

    def _recorded(self, rows: Sequence[Any]) -> list[Recorded]:
        """Raises StateCorruptError when a row is not what was written."""
        if any(sha256(row[1]) != row[2] for row in rows):
            raise self.database.damaged("a resource's record is not the one that was written")
        try:
            with at_once():
                bodies = values_of([row[1] for row in rows])
                found = [
                    recorded(body, row[3], row[4], {} if row[5] == "{}" else json.loads(row[5]))
                    for body, row in zip(bodies, rows, strict=True)
                ]
        except (ValueError, KeyError, TypeError):
            raise self.database.damaged("a resource's record cannot be read") from None
        if any(one.address != row[0] for one, row in zip(found, rows, strict=True)):
            raise self.database.damaged("a resource stands at another's address")
        return found

    def _live(self, tx: Writing, addresses: Mapping[str, Any]) -> dict[str, int]:
        now = (RESOURCES.c.state_id == self.database.state_id) & RESOURCES.c.valid_to.is_(None)
        rows = tx.connection.execute(select(RESOURCES.c.address, RESOURCES.c.id).where(now))
        return {row.address: row.id for row in rows if row.address in addresses}


def told(write: Write) -> dict[str, Any]:
    """What a serial says of the write that made it."""
    return {"made_at": time.time(), "operation": write.operation, "by": clean(write.by), "reason": clean(write.reason)}


def _unknown(address: str, known: Sequence[str]) -> NotFoundError:
    near = get_close_matches(address, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`prov state list` shows what is recorded"
    return NotFoundError(f"nothing is recorded as {address!r}", hint=hint, nearest=near)

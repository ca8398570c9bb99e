"""Whether the history is whole: every serial follows from its parent, and the rows are what the serials say."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from provisioning.state.model import Break
from provisioning.state.records import hash_of, sha256
from provisioning.state.tables import RESOURCES, SERIALS, STATES


def breaks(connection: Connection, state_id: int, *, reads_bodies: bool) -> list[Break]:
    """Every place where it is not, oldest first. Without `reads_bodies` the rows' own texts are believed."""
    found = [*_chain(connection, state_id), *_replayed(connection, state_id)]
    if reads_bodies:
        found += _bodies(connection, state_id)
    return sorted(found, key=lambda one: one.serial)


def _chain(connection: Connection, state_id: int) -> Iterator[Break]:
    columns = SERIALS.c
    serials = select(columns.number, columns.parent, columns.hash, columns.changes).where(columns.state_id == state_id)
    parent, last = "", 0
    for number, said_parent, said_hash, changes in connection.execute(serials.order_by(columns.number)):
        if said_parent != parent:
            yield Break(number, f"serial {number} does not follow from serial {last}: its parent has another hash")
        if hash_of(said_parent, number, changes) != said_hash:
            yield Break(number, f"serial {number} was altered: its changes do not give its hash")
        parent, last = said_hash, number
    state = connection.execute(select(STATES.c.serial, STATES.c.hash).where(STATES.c.id == state_id)).one()
    if (state.serial, state.hash) != (last, parent):
        yield Break(last, f"the state says that it stands at serial {state.serial}, its history ends with serial {last}")


def _replayed(connection: Connection, state_id: int) -> Iterator[Break]:
    """The rows against the changes: each row begins where a serial made it and ends where a serial changed it."""
    expected: dict[tuple[str, int], tuple[str, int | None]] = {}
    begun: dict[str, int] = {}
    serials = select(SERIALS.c.number, SERIALS.c.changes).where(SERIALS.c.state_id == state_id).order_by(SERIALS.c.number)
    for number, text in connection.execute(serials):
        try:
            changes: dict[str, Any] = json.loads(text)
            for address, (what, digest) in changes.items():
                if address in begun:
                    since = begun.pop(address)
                    expected[address, since] = (expected[address, since][0], number)
                if what != "delete":
                    begun[address] = number
                    expected[address, number] = (digest, None)
        except (ValueError, TypeError, AttributeError):
            yield Break(number, f"the changes of serial {number} cannot be read")
            return
    columns = RESOURCES.c
    rows = select(columns.address, columns.valid_from, columns.sha256, columns.valid_to).where(columns.state_id == state_id)
    for address, since, digest, until in connection.execute(rows):
        if expected.pop((address, since), None) != (digest, until):
            yield Break(since, f"the row of {address} since serial {since} is not what the history says")
    for address, since in expected:
        yield Break(since, f"the row of {address} since serial {since} is missing")


def _bodies(connection: Connection, state_id: int) -> Iterator[Break]:
    columns = RESOURCES.c
    rows = select(columns.address, columns.valid_from, columns.sha256, columns.body).where(columns.state_id == state_id)
    for address, since, digest, body in connection.execute(rows.execution_options(yield_per=500)):
        if sha256(body) != digest:  # the digest is in the history, under the address
            yield Break(since, f"the record of {address} since serial {since} was altered")

"""Serials: a change of the resources, its rows and its link to the serial before. And what the journal says of one."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from provisioning.state.journal import Entry
from provisioning.state.model import Head
from provisioning.state.records import Row, What, canonical, changes_text, hash_of
from provisioning.state.tables import RESOURCES, SERIALS, STATES
from provisioning.state.transaction import Writing
from stratumops.errors import InvalidInputError

MANY = 1000
"""Values of one statement: the databases bound them."""

# Made once: every write runs these, and making them takes longer than running them.
_COLUMNS = RESOURCES.c
_LIVE = select(_COLUMNS.id, _COLUMNS.address, _COLUMNS.sha256, _COLUMNS.status, _COLUMNS.checked_at, _COLUMNS.observed).where(
    _COLUMNS.state_id == bindparam("state"),
    _COLUMNS.valid_to.is_(None),
    _COLUMNS.address.in_(bindparam("addresses", expanding=True)),
)
_END = update(RESOURCES).where(_COLUMNS.id.in_(bindparam("rows", expanding=True)))
_LOOK = update(RESOURCES).where(_COLUMNS.id == bindparam("row"))
_NEW_ROW = insert(RESOURCES)
_NEW_SERIAL = insert(SERIALS)


def record(
    tx: Writing,
    changed: Sequence[Row],
    removed: Sequence[str],
    *,
    made_at: float,
    operation: str,
    by: str,
    reason: str,
    number: int = 0,
) -> Head:
    """Make the serial of these changes. What is as it was, or was not there to be removed, makes none.

    `number` is the serial's where it shall not be the next one. Raises InvalidInputError when an address is told twice.
    """
    addresses = [*(row.address for row in changed), *removed]
    if len(set(addresses)) < len(addresses):
        raise InvalidInputError("one change tells of an address twice", hint="name each resource once")
    live = _live(tx, addresses)
    changes: dict[str, tuple[What, str]] = {}
    new: list[Row] = []
    for row in changed:
        was = live.get(row.address)
        if was is None or was.sha256 != row.sha256:
            changes[row.address] = ("create" if was is None else "update", row.sha256)
            new.append(row)
        elif (was.status, was.checked_at, was.observed) != (row.status, row.checked_at, row.observed):
            look(tx, was.id, row.status, row.checked_at, row.observed)
    changes.update({address: ("delete", "") for address in removed if address in live})
    if not changes:
        return Head(tx.state.lineage, tx.state.serial, tx.state.hash)
    number = max(number, tx.state.serial + 1)
    text = changes_text(changes)
    serial = {
        "number": number,
        "parent": tx.state.hash,
        "hash": hash_of(tx.state.hash, number, text),
        "made_at": made_at,
        "operation": operation,
        "by": by,
        "reason": reason,
    }
    tx.connection.execute(_NEW_SERIAL, {"state_id": tx.state_id, "changes": text, **serial})
    for ids in _parts([live[address].id for address in changes if address in live]):
        tx.connection.execute(_END, {"rows": ids, "valid_to": number})
    if new:
        tx.connection.execute(_NEW_ROW, [row_columns(tx.state_id, number, row) for row in new])
    tx.change(serial=number, hash=serial["hash"])
    tx.entries.append(entry_of(tx.state.lineage, {**serial, "changes": text}, new))
    return Head(tx.state.lineage, number, str(serial["hash"]))


def look(tx: Writing, row_id: int, status: str, checked_at: float, observed: str) -> None:
    """Keep what a look at a resource saw."""
    tx.connection.execute(_LOOK, {"row": row_id, "status": status, "checked_at": checked_at, "observed": observed})


def lineage_entry(lineage: str) -> Entry:
    """The journal's entry of a lineage that begins."""
    return Entry(lineage, 0, "", "", canonical({"lineage": lineage, "number": 0, "hash": ""}))


def entry_of(lineage: str, serial: Mapping[str, Any], rows: Iterable[Row]) -> Entry:
    """The journal's entry of a serial, with its rows in the order of their addresses."""
    told = canonical({"lineage": lineage, **{name: value for name, value in serial.items() if name != "changes"}})
    bodies = ",".join(
        f'{{"body":{row.body},"checked_at":{canonical(row.checked_at)},"observed":{row.observed},"status":"{row.status}"}}'
        for row in sorted(rows, key=lambda row: row.address)
    )
    text = f'{told[:-1]},"changes":{serial["changes"]},"rows":[{bodies}]}}'
    return Entry(lineage, serial["number"], serial["parent"], serial["hash"], text)


def entries_after(connection: Connection, state_id: int, number: int) -> tuple[list[Entry], str]:
    """The journal's entries after a serial (-1: from the lineage on), and the newest serial's hash."""
    state = connection.execute(select(STATES.c.lineage, STATES.c.hash).where(STATES.c.id == state_id)).one()
    begun = [lineage_entry(state.lineage)] if number < 0 else []
    return [*begun, *_entries(connection, state_id, state.lineage, number)], state.hash


def _entries(connection: Connection, state_id: int, lineage: str, number: int) -> Iterator[Entry]:
    later = (SERIALS.c.state_id == state_id) & (SERIALS.c.number > number)
    for serial in connection.execute(select(SERIALS).where(later).order_by(SERIALS.c.number)).mappings().all():
        made = (RESOURCES.c.state_id == state_id) & (RESOURCES.c.valid_from == serial["number"])
        rows = connection.execute(select(RESOURCES).where(made))
        columns = {name: value for name, value in serial.items() if name != "state_id"}
        yield entry_of(
            lineage, columns, [Row(row.address, row.body, row.sha256, row.status, row.checked_at, row.observed) for row in rows]
        )


def whats(changes: str) -> dict[str, What]:
    """What became of each address, from the changes of a serial as they are stored."""
    return {address: one[0] for address, one in json.loads(changes).items()}


def _live(tx: Writing, addresses: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for some in _parts(addresses):
        rows = tx.connection.execute(_LIVE, {"state": tx.state_id, "addresses": some})
        found.update({row.address: row for row in rows})
    return found


def row_columns(state_id: int, number: int, row: Row) -> dict[str, Any]:
    """The columns of a row that holds from a serial on."""
    return {
        "state_id": state_id,
        "address": row.address,
        "valid_from": number,
        "valid_to": None,
        "body": row.body,
        "sha256": row.sha256,
        "status": row.status,
        "checked_at": row.checked_at,
        "observed": row.observed,
    }


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), MANY):
        yield values[start : start + MANY]

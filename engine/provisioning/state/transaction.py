"""A write: one transaction that has the state's row locked, so that writes of one state come one after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sqlalchemy import Connection, Row, bindparam, select, update

from provisioning.errors import LeaseLostError
from provisioning.state.holder import told
from provisioning.state.journal import Entry
from provisioning.state.model import Lease
from provisioning.state.tables import STATES

# Made once: every write runs these, and making them takes longer than running them.
_LOCKED = select(STATES).where(STATES.c.id == bindparam("state")).with_for_update()
_CHANGE = update(STATES).where(STATES.c.id == bindparam("state"))


@dataclass(slots=True)
class Writing:
    """What a write may use. `state` is the row of `STATES` as it was found.

    `entries` are the journal's lines of the serials that it makes; they are kept once it is committed.
    """

    connection: Connection
    state_id: int
    state: Row[Any]
    clock: Callable[[Connection], float]
    entries: list[Entry] = field(default_factory=list)

    @property
    def now(self) -> float:
        """The time that leases go by, in seconds since 1970."""
        return self.clock(self.connection)

    def fence(self, lease: Lease | None) -> None:
        """Raises LeaseLostError unless this lease is the one that holds; a write without one is for whoever needs none."""
        if lease is None:
            return
        if (self.state.lease_token, self.state.lease_holder) != (lease.token, lease.holder):
            refuse(lease, self.state)

    def change(self, **columns: Any) -> None:
        """Change the state's own row."""
        self.connection.execute(_CHANGE, {"state": self.state_id, **columns})


def locked(connection: Connection, state_id: int) -> Row[Any]:
    """The state's row, locked until the transaction ends (SQLite has locked the whole database already)."""
    return connection.execute(_LOCKED, {"state": state_id}).one()


def refuse(lease: Lease, state: Row[Any]) -> NoReturn:
    """Say who has the lease now."""
    who = f"{told(state.lease_holder)} took it over" if state.lease_holder else "it was given back or is over"
    raise LeaseLostError(
        f"the lease {lease.token} of this process does not hold any more: {who}",
        hint="nothing more is written by this process; look at `prov workflow list` for what goes on",
        token=lease.token,
        newest=state.lease_token,
    )

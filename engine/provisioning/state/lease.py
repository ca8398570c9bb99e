"""The lease: who may write. Its token grows with every holder and every write checks it: no clock can make two holders."""

from datetime import UTC, datetime

from provisioning.errors import StateLockedError
from provisioning.state.holder import is_dead, told
from provisioning.state.model import Lease
from provisioning.state.rows import Rows
from provisioning.state.store import LEASE_SECONDS
from provisioning.state.transaction import Writing


class Leases(Rows):
    """The lease's methods of the store."""

    def acquire(self, holder: str, operation: str, seconds: float = LEASE_SECONDS) -> Lease:
        with self.database.write() as tx:
            state, now = tx.state, tx.now
            is_ours = bool(operation) and state.lease_operation == operation
            is_over = not state.lease_holder or state.lease_expires_at <= now
            if not (is_over or is_ours or is_dead(state.lease_holder)):
                self._say_locked(tx)
            lease = Lease(state.lease_token + 1, holder, operation, now, now + seconds)
            tx.change(
                lease_token=lease.token,
                lease_holder=lease.holder,
                lease_operation=lease.operation,
                lease_since=lease.since,
                lease_expires_at=lease.expires_at,
            )
        return lease

    def renew(self, lease: Lease, seconds: float = LEASE_SECONDS) -> Lease:
        with self.database.write() as tx:
            tx.fence(lease)
            expires_at = tx.now + seconds
            tx.change(lease_expires_at=expires_at)
        return Lease(lease.token, lease.holder, lease.operation, lease.since, expires_at)

    def release(self, lease: Lease) -> None:
        with self.database.write() as tx:
            if (tx.state.lease_token, tx.state.lease_holder) == (lease.token, lease.holder):
                tx.change(lease_holder="", lease_operation="", lease_expires_at=0.0)

    def lease(self) -> Lease | None:
        with self.database.read() as connection:
            state = self.state(connection)
        if not state.lease_holder:
            return None
        return Lease(state.lease_token, state.lease_holder, state.lease_operation, state.lease_since, state.lease_expires_at)

    @staticmethod
    def _say_locked(tx: Writing) -> None:
        state = tx.state
        since = datetime.fromtimestamp(state.lease_since, UTC)
        rest = max(1, round(state.lease_expires_at - tx.now))
        what = f"operation {state.lease_operation}" if state.lease_operation else "a command"
        raise StateLockedError(
            f"the state is held by {what} ({told(state.lease_holder)}) since {since:%Y-%m-%d %H:%M:%S} UTC",
            hint=f"wait until it ends; if its process is dead the lease ends by itself, in {rest} s at the latest",
            holder=state.lease_holder,
            operation=state.lease_operation,
            since=state.lease_since,
            expires_at=state.lease_expires_at,
        )

"""The store over a database, made of its parts."""

from provisioning.state.lease import Leases
from provisioning.state.operations import Operations
from provisioning.state.plans import Plans
from provisioning.state.resources import Resources


class SqlStore(Resources, Leases, Operations, Plans):
    """All of `StateStore` in SQL. `database` is SQLite or PostgreSQL."""

    def close(self) -> None:
        self.database.close()

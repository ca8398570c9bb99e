"""The database engine: users of PostgreSQL, made on demand with a lease, or kept with a password that is rotated.

Source: Vault's API, "Database Secrets Engine". Entries: `config/<name>`, `roles/<name>`, `static-roles/<name>`.
"""

from typing import ClassVar

from svault.engines.database.dynamic import DynamicRoles
from svault.engines.database.static import StaticRoles

__all__ = ["DatabaseEngine"]


class DatabaseEngine(DynamicRoles, StaticRoles):
    """A database mount."""

    kind: ClassVar[str] = "database"

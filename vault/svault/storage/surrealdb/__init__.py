"""Entries in SurrealDB: embedded in this process, or on a server."""

import os

# Without it the embedded database answers before what it wrote is on the disk. It reads this at its first use.
os.environ.setdefault("SURREAL_SYNC_DATA", "true")

from svault.storage.surrealdb.entries import SurrealStorage  # after the setting that it reads

__all__ = ["SurrealStorage"]

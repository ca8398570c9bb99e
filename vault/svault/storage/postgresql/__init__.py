"""Entries in one table of a PostgreSQL database, shared by several servers."""

from svault.storage.postgresql.entries import PostgresqlStorage

__all__ = ["PostgresqlStorage"]

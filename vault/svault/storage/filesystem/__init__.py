"""Storage in a folder: an append-only log with group commits, an index in memory, and a check of every byte that is read."""

from svault.storage.filesystem.recovery import check
from svault.storage.filesystem.storage import FilesystemStorage

__all__ = ["FilesystemStorage", "check"]

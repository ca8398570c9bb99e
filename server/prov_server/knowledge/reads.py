"""When a principal was last shown somebody else's words: an approval given before that allows nothing more.

Kept in `.prov/reads.json`, because a principal outlives a server's process.
"""

import time
from pathlib import Path
from threading import Lock

from prov_server.knowledge.own_json import DamagedError, changing, read, write
from stratumops.principal import Principal
from stratumops.workspace import Workspace

FILE = "reads.json"
EVERYBODY = "*"
"""No subject's name: who may have read when the file was damaged."""
_MOST_KEPT = 1_000
"""Principals; the one that read longest ago goes first. No approval lives as long as that takes."""


class Reads:
    """Of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = Lock()

    @property
    def _file(self) -> Path:
        return self._workspace.own / FILE

    def note(self, principal: Principal) -> None:
        """The principal is shown such words now. Raises UnavailableError when that cannot be written down."""
        self._workspace.make_own()
        with self._lock, changing(self._file):
            known = self._read()
            known[principal.subject] = time.time()
            newest = sorted(known.items(), key=lambda one: -one[1])[:_MOST_KEPT]
            write(self._file, dict(newest))

    def last(self, subject: str) -> float:
        """When, in seconds since the epoch; 0.0 for never."""
        known = self._read()
        return max(known.get(subject, 0.0), known.get(EVERYBODY, 0.0))

    def _read(self) -> dict[str, float]:
        try:
            return {str(key): float(value) for key, value in (read(self._file) or {}).items()}
        except (DamagedError, AttributeError, TypeError, ValueError):
            # What cannot be read could have said anything: nobody's earlier approval holds.
            return {EVERYBODY: time.time()}

"""What this user last saw of each workspace's list of approvers, kept in the user's own configuration folder.

A list that was cut, replaced or begun anew behind the user's back no longer holds what was seen (as with host
keys in `known_hosts`).
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning.approval.key_files import approvers_folder, read_own, replace
from stratumops.errors import UnavailableError

FILE = "workspaces.json"
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Pins:
    """The heads that one user has seen. Raises from its methods: PermissionDeniedError, UnavailableError."""

    path: Path

    @classmethod
    def of_user(cls, environment: Mapping[str, str]) -> "Pins":
        """Those of this user."""
        return cls(approvers_folder(environment) / FILE)

    def get(self, lineage: str) -> str:
        """The head that was seen of a workspace; empty when none was."""
        return self._all().get(lineage, "")

    def put(self, lineage: str, head: str) -> None:
        """Remember a head."""
        if self.get(lineage) == head:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.path.with_suffix(".lock")):
                replace(self.path, json.dumps({**self._all(), lineage: head}, sort_keys=True, indent=1) + "\n")
        except OSError as error:
            raise UnavailableError(f"{self.path}: {error.strerror}", hint="let it be written there, or make room") from None

    def _all(self) -> dict[str, str]:
        try:
            found = json.loads(read_own(self.path, _MOST_BYTES))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UnavailableError(f"{self.path}: {error.strerror}", hint="check its permissions") from None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise UnavailableError(
                f"{self.path} is damaged", hint="restore it, or move it away: every list of approvers counts as seen first then"
            )
        return {str(lineage): str(head) for lineage, head in found.items()}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file of that name; others wait, for the work under it takes milliseconds. Raises OSError."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

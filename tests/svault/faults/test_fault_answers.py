"""Bad input, over HTTP to our server and to a real OpenBao: the same status and the same body."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beside_openbao import differences, shape
from svault.core.call import Answer
from vaults import BaoServer, http_call, running_openbao

from .processes import VaultProcess, filesystem

CASES = tomllib.loads(Path(__file__).with_name("bad_input.toml").read_text(encoding="utf-8"))["case"]
SECONDS = 768 * 3600
Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultProcess]:
    folder = tmp_path_factory.mktemp("ours")
    auth = f"[auth]\ntoken_ttl = {SECONDS}\ntoken_max_ttl = {SECONDS}\n"
    server = VaultProcess(folder, auth + filesystem(folder / "data"))
    server.start()
    try:
        server.initialize()
        yield server
        assert "Traceback" not in server.log.read_text()
    finally:
        server.kill()


@pytest.fixture(scope="module")
def theirs() -> Iterator[BaoServer]:
    with running_openbao() as made:
        made.call("POST", "sys/mounts/transit", {"type": "transit"})
        yield made


def known(ask: Ask) -> dict[str, str]:
    """What the cases name, made at a server."""
    ask("POST", "secret/data/a", {"data": {"a": 1}})
    ask("POST", "transit/keys/k", {})
    ask("POST", "auth/token/roles/leased", {"allowed_policies": "default"})
    ask("POST", "auth/token/create/leased", {"policies": ["default"], "ttl": "1h"})
    wrapped = ask("POST", "sys/wrapping/wrap", {"a": 1}, wrap_ttl=300).body
    assert wrapped
    listed = ask("LIST", "sys/leases/lookup/auth/token/create/leased").body
    assert listed
    (name,) = listed["data"]["keys"]
    lease = f"auth/token/create/leased/{name}"
    limited = ask("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"}).body
    assert limited
    return {"lease": lease, "token": limited["auth"]["client_token"], "wrap": wrapped["wrap_info"]["token"]}


def filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text


def test_every_row_of_the_table_is_answered_as_openbao_does(ours: VaultProcess, theirs: BaoServer):
    servers = [(ours.url, ours.root, known(ours.call)), (theirs.url, theirs.root, known(theirs.call))]
    found = []
    for case in CASES:
        method, _, path = case["ask"].partition(" ")
        answers = []
        for url, root, names in servers:
            body = filled(case["body"], names).encode() if "body" in case else None
            more: dict[str, Any] = {"content_type": case["content_type"]} if "content_type" in case else {}
            answers.append(http_call(url, method, path, body, token=filled(case.get("token", root), names), **more))
        one, other = answers
        expected = dict(other.body or {})
        if "ours" in case:
            expected = {"errors": case["ours"]}
        differ = [] if one.status == other.status else [f"status {one.status} is not {other.status}"]
        differ += differences(shape(dict(one.body or {})), shape(expected))
        found += [f"{case['name']}: {line}" for line in differ]
    assert not found, "\n".join(found)


def test_a_sealed_vault_says_so_and_nothing_else(ours: VaultProcess):
    assert ours.call("PUT", "sys/seal").status == 204
    try:
        for method, path, body in (
            ("GET", "secret/data/a", None),
            ("POST", "secret/data/a", {"data": {}}),
            ("GET", "nowhere", None),
            ("GET", "sys/mounts", None),
            ("POST", "sys/wrapping/unwrap", {"token": "x"}),
        ):
            answer = ours.call(method, path, body)
            assert (answer.status, answer.body) == (503, {"errors": ["Vault is sealed"]})
        health = ours.call("GET", "sys/health")
        assert (health.status, (health.body or {})["sealed"]) == (503, True)
        assert ours.call("GET", "sys/health?sealedcode=299").status == 299
        assert ours.ok("GET", "sys/seal-status")["sealed"] is True
        assert ours.call("PUT", "sys/unseal", {"key": "nonsense"}).status == 400
        assert ours.call("PUT", "sys/unseal", {"key": "00" * 33}).status == 400
    finally:
        ours.unseal()
    assert ours.call("GET", "secret/data/a").status == 200

"""One vault, several processes: the first has it and answers the others; when it dies, the next one takes over."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from prov_server.vault.access import VaultAccess
from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from stratumops.settings_groups import VaultSettings
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio

PROCESS = Path(__file__).with_name("sharing_process.py")
DATA = {"data": {"password": "between-processes"}}


@contextmanager
def sharing(workspace: Workspace) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the vault."""
    with subprocess.Popen(
        [sys.executable, PROCESS, workspace.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == "open\n"
            yield child
        finally:
            child.kill()


async def test_a_second_process_uses_the_vault_of_the_first(workspace: Workspace, vault: VaultAccess):
    with sharing(workspace):
        client = await vault.client()
        assert not vault.own.has_it
        await client.request("POST", "secret/data/a b/ü", DATA)
        assert (await client.request("LIST", "secret/metadata/"))["data"]["keys"] == ["a b/"]
        assert await vault.resolve("vault:secret/a%20b/%C3%BC#password") == "between-processes"
        assert await vault.resolve("vault:secret/a%20b/%C3%BC?version=1#password") == "between-processes"


async def test_the_vault_outlives_a_kill_of_the_process_that_has_it(workspace: Workspace, vault: VaultAccess):
    with sharing(workspace) as child:
        await (await vault.client()).request("POST", "secret/data/app", DATA)
        child.kill()
        child.wait()
        assert await vault.resolve("vault:secret/app#password") == "between-processes"
        assert vault.own.has_it


async def test_the_next_process_takes_over_after_an_orderly_end(workspace: Workspace, vault: VaultAccess):
    with sharing(workspace) as child:
        await (await vault.client()).request("POST", "secret/data/app", DATA)
        assert child.stdin
        child.stdin.close()
        assert child.wait() == 0
    await vault.client()
    assert vault.own.has_it
    assert await vault.resolve("vault:secret/app#password") == "between-processes"


async def test_the_http_api_is_passed_on_as_it_came(workspace: Workspace, vault: VaultAccess):
    token = vault.own.keys().token
    with sharing(workspace) as child:
        app = await vault.app()
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://vault", headers={"X-Vault-Token": token}) as client:
            assert (await client.post("/v1/secret/data/app", json=DATA)).status_code == 200
            assert (await client.request("LIST", "/v1/secret/metadata/")).json()["data"]["keys"] == ["app"]
            assert (await client.get("/v1/secret/metadata/?list=true")).json()["data"]["keys"] == ["app"]
            assert (await client.get("/v1/secret/data/none")).json() == {"errors": []}
            assert (await client.get("/v1/secret/data/app", headers={"X-Vault-Token": "hvs.wrong"})).status_code == 403
            assert (await client.delete("/v1/secret/data/app")).status_code == 204
            assert (await client.post("/v1/secret/data/app", content=b"{")).status_code == 400
            child.kill()
            child.wait()
            assert (await client.get("/v1/secret/data/app")).status_code == 503
        assert await vault.app() is not app


async def test_a_missing_field_or_secret_cannot_be_resolved(vault: VaultAccess):
    await (await vault.client()).request("POST", "secret/data/app", {"data": {"n": 5, "o": {"a": [1]}}})
    assert await vault.resolve("vault:secret/app#n") == "5"
    assert await vault.resolve("vault:secret/app#o") == '{"a": [1]}'
    for handle in ("vault:secret/app#none", "vault:secret/none#x", "vault:secret/app?version=7#n"):
        with pytest.raises(NotFoundError):
            await vault.resolve(handle)
    with pytest.raises(InvalidInputError):
        await vault.resolve("secret/app")


async def test_every_resolved_value_is_hidden(workspace: Workspace, vault: VaultAccess):
    await (await vault.client()).request("POST", "secret/data/app", DATA)
    await vault.aclose()
    hidden: list[str] = []
    other = VaultAccess(workspace, VaultSettings(), hide=hidden.append)
    await other.resolve("vault:secret/app#password")
    await other.aclose()
    assert hidden == ["between-processes"]


@pytest.mark.parametrize("address", ["http://vault.example.org:8200", "vault:8200", "ftp://localhost"])
async def test_a_token_is_not_sent_to_just_any_address(workspace: Workspace, address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VAULT_TOKEN", "hvs.x")
    vault = VaultAccess(workspace, VaultSettings(address=address))
    with pytest.raises(InvalidInputError):
        await vault.client()
    with pytest.raises(NotFoundError):
        await vault.app()
    await vault.aclose()


async def test_a_token_file_that_others_can_read_is_refused(workspace: Workspace, tmp_path: Path):
    file = tmp_path / "token"
    file.write_text("hvs.x")
    file.chmod(0o644)
    for path, error in ((file, PermissionDeniedError), (tmp_path / "none", InvalidInputError)):
        vault = VaultAccess(workspace, VaultSettings(address="https://localhost:1", token_file=str(path)))
        with pytest.raises(error):
            await vault.client()
        await vault.aclose()


async def test_without_a_token_a_vault_elsewhere_says_how_to_give_one(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    vault = VaultAccess(workspace, VaultSettings(address="https://localhost:1"))
    with pytest.raises(InvalidInputError) as caught:
        await vault.client()
    assert "VAULT_TOKEN" in caught.value.hint
    await vault.aclose()


async def test_asking_for_the_vault_of_a_workspace_without_one_makes_nothing(workspace: Workspace):
    vault = VaultAccess(workspace, VaultSettings())
    assert not vault.place.is_initialized
    with pytest.raises(NotFoundError) as caught:
        await vault.app()
    assert caught.value.hint == "make one: prov vault init"
    assert list(workspace.root.iterdir()) == []
    await vault.aclose()

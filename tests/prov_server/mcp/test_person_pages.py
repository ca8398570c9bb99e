"""A secret that a person types while an assistant asks: in both eras of MCP, with clients that show pages and others."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import ElicitRequestURLParams, ElicitResult

from prov_server.compose import Application
from prov_server.vault.access import VaultAccess
from stratumops.settings_groups import VaultSettings
from stratumops.workspace import Workspace
from svault.embedded import KeyPlace

from .conftest import Connect, text_of

pytestmark = pytest.mark.anyio

VALUE = "typed-by-a-person-4Z"
ASKED = {"path": "secret/app", "field": "password", "source": "form"}
HANDLE = "vault:secret/app#password"


async def typed(url: str, value: str = VALUE) -> int:
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as browser:
        return (await browser.post(url, data={"value": value})).status_code


@pytest.fixture(autouse=True)
async def vault(application: Application) -> VaultAccess:
    await application.vault.initialize(KeyPlace.FILE)
    return application.vault


async def test_a_client_that_shows_pages_is_asked_to_and_the_model_does_not_see_the_address(connect: Connect, vault: VaultAccess):
    opened: list[str] = []

    async def person(_: Any, params: Any) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        opened.append(params.url)
        assert await typed(params.url) == 200
        return ElicitResult(action="accept")

    async with connect(elicitation_callback=person) as client:
        answer = await client.call_tool("vault_store", ASKED)
        assert not answer.is_error
        assert answer.structured_content is not None
        assert answer.structured_content["handle"] == HANDLE
        assert "url" not in answer.structured_content
        listed = await client.call_tool("vault_list", {})
    assert len(opened) == 1
    assert opened[0] not in text_of(answer)
    assert VALUE not in text_of(answer) + text_of(listed)
    assert await vault.resolve(HANDLE) == VALUE


async def test_a_person_who_declines_stores_nothing(connect: Connect):
    async def person(_: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="decline")

    async with connect(elicitation_callback=person) as client:
        answer = await client.call_tool("vault_store", ASKED)
        assert answer.structured_content is not None
        assert "did not open the page" in answer.structured_content["notes"][0]
        assert (await client.call_tool("vault_list", {})).structured_content == {"secrets": []}


async def test_a_client_that_shows_no_pages_gets_the_address(connect: Connect, vault: VaultAccess):
    async with connect() as client:
        answer = (await client.call_tool("vault_store", ASKED)).structured_content
        assert answer is not None
        assert answer["status"] == "waiting"
        assert await typed(answer["url"]) == 200
        listed = await client.call_tool("vault_list", {})
    assert HANDLE in text_of(listed)
    assert await vault.resolve(HANDLE) == VALUE


async def test_a_server_over_stdio_has_the_vault_and_shares_it(tmp_path: Path, vault: VaultAccess, anyio_backend: str):
    """A second process, such as a command in a terminal, sees what the assistant stored while its server runs."""
    await vault.aclose()
    prov = str(Path(sys.executable).with_name("prov"))
    server = StdioServerParameters(command=prov, args=["mcp", "serve", "--workspace", str(tmp_path)])
    async with Client(server) as client:
        made = json.loads(text_of(await client.call_tool("vault_store", {"path": "secret/app", "field": "password"})))
        other = VaultAccess(Workspace.at(tmp_path), VaultSettings())
        value = await other.resolve(made["handle"])
        assert not other.own.has_it
        await other.aclose()
        assert value not in text_of(await client.call_tool("vault_list", {}))

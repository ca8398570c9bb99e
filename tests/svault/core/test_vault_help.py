"""What the paths of engines say of themselves (`?help=1`), and who serves."""

import json

import pytest

from vaults import TestVault

pytestmark = pytest.mark.anyio


async def help_of(vault: TestVault, path: str, **more) -> dict:
    answer = await vault.call("GET", path, {"help": "1"}, **more)
    return json.loads(answer.raw) if answer.raw is not None else {"status": answer.status}


async def test_an_engine_lists_its_paths_with_methods_and_what_each_does():
    async with TestVault() as vault:
        await vault.ok("POST", "sys/auth/userpass", {"type": "userpass"})
        for path in ("auth/userpass", "auth/userpass/"):
            found = await help_of(vault, path)
            assert set(found) == {"help", "see_also", "openapi"}
            assert "    users/{username}\n" in found["help"]
            assert "POST (needs no token): A token for a name and its password." in found["help"]


async def test_a_path_says_which_route_answers_it():
    async with TestVault() as vault:
        text = (await help_of(vault, "sys/mounts/kv/tune"))["help"]
        assert text.startswith("Request:        mounts/kv/tune\n")
        assert "GET: What is tuned about a secret engine." in text
        assert "(needs sudo)" in (await help_of(vault, "sys/rotate"))["help"]


async def test_help_is_for_those_who_may_read_there_and_names_no_path_that_is_not():
    async with TestVault() as vault:
        assert (await vault.call("GET", "sys/nope", {"help": "1"})).status == 404
        assert (await vault.call("GET", "nope/x", {"help": "1"})).status == 404
        assert await help_of(vault, "sys/mounts", token="") == {"status": 403}


async def test_the_active_server_is_the_one_node_that_is_known():
    async with TestVault() as vault:
        (node,) = (await vault.ok("GET", "sys/ha-status"))["data"]["nodes"]
        assert node["active_node"] is True
        assert (await vault.call("GET", "sys/ha-status", token="")).status == 403

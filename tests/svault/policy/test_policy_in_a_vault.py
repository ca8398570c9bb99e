"""Policies and identities in a whole vault: logins, groups, templates and Cedar decide together."""

from typing import Any

import pytest

from vaults import TestVault

pytestmark = pytest.mark.anyio


async def logged_in(vault: TestVault, name: str, **user: Any) -> tuple[str, str]:
    """A user of userpass; the token and the entity."""
    await vault.call("POST", "sys/auth/userpass", {"type": "userpass"})
    await vault.ok("POST", f"auth/userpass/users/{name}", {"password": "correct horse", **user})
    auth = (await vault.ok("POST", f"auth/userpass/login/{name}", {"password": "correct horse"}, token=""))["auth"]
    return auth["client_token"], auth["entity_id"]


async def status(vault: TestVault, method: str, path: str, token: str, data: dict[str, Any] | None = None) -> int:
    return (await vault.call(method, path, data, token=token)).status


async def kv_with(vault: TestVault, *paths: str) -> None:
    """A kv mount of version 1 with a value at each path."""
    await vault.ok("POST", "sys/mounts/kv1", {"type": "kv"})
    for path in paths:
        await vault.ok("POST", f"kv1/{path}", {"value": "x"})


async def test_a_template_gives_each_user_a_place_of_their_own(vault: TestVault):
    await kv_with(vault, "ana/x", "bob/x")
    accessor = (await vault.ok("GET", "sys/auth"))["data"].get("userpass/")
    assert accessor is None
    token, _ = await logged_in(vault, "ana", token_policies=["own"])
    accessor = (await vault.ok("GET", "sys/auth"))["data"]["userpass/"]["accessor"]
    rule = f'path "kv1/{{{{identity.entity.aliases.{accessor}.name}}}}/*" {{ capabilities = ["read"] }}'
    await vault.ok("POST", "sys/policies/acl/own", {"policy": rule})
    assert await status(vault, "GET", "kv1/ana/x", token) == 200
    assert await status(vault, "GET", "kv1/bob/x", token) == 403


async def test_a_group_gives_and_takes_policies_while_the_token_lives(vault: TestVault):
    await kv_with(vault, "x")
    await vault.ok("POST", "sys/policies/acl/reader", {"policy": 'path "kv1/*" { capabilities = ["read"] }'})
    token, entity = await logged_in(vault, "ana")
    assert await status(vault, "GET", "kv1/x", token) == 403
    await vault.ok("POST", "identity/group", {"name": "readers", "policies": "reader", "member_entity_ids": [entity]})
    assert await status(vault, "GET", "kv1/x", token) == 200
    await vault.ok("DELETE", "identity/group/name/readers")
    assert await status(vault, "GET", "kv1/x", token) == 403


async def test_cedar_takes_away_what_the_acl_gives_and_never_adds(vault: TestVault):
    await kv_with(vault, "open", "closed")
    await vault.ok("POST", "sys/policies/acl/some", {"policy": 'path "kv1/*" { capabilities = ["read"] }'})
    token, _ = await logged_in(vault, "ana", token_policies=["some"])
    text = 'permit(principal, action, resource); @why("locked") forbid(principal, action, resource == Vault::Path::"kv1/closed");'
    await vault.ok("POST", "sys/policies/cedar/lock", {"policy": text})
    assert await status(vault, "GET", "kv1/open", token) == 200
    assert await status(vault, "POST", "kv1/open", token, {"value": "y"}) == 403
    refused = await vault.call("GET", "kv1/closed", token=token)
    assert refused.status == 403
    assert "lock" not in str(refused.body), "whoever is refused is not told which policy did it"
    assert await status(vault, "GET", "kv1/closed", vault.root) == 200
    await vault.ok("DELETE", "sys/policies/cedar/lock")
    assert await status(vault, "GET", "kv1/closed", token) == 200

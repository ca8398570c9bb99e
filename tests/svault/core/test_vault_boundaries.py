"""What must not be walked around: spellings of paths, mounts, roles, entities, networks; and what must be audited."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from svault.core.call import Call
from svault.http.origin import HEADER, signed, with_origin
from vaults import TestVault

pytestmark = pytest.mark.anyio


async def limited(vault: TestVault, rules: str, **more) -> str:
    await vault.ok("PUT", "sys/policies/acl/limited", {"policy": rules})
    made = await vault.ok("POST", "auth/token/create", {"policies": ["limited"], **more})
    return made["auth"]["client_token"]


async def test_a_trailing_slash_is_no_way_around_a_denial(vault: TestVault):
    await vault.ok("POST", "sys/mounts/transit", {"type": "transit"})
    await vault.ok("POST", "transit/keys/k")
    sealed = (await vault.ok("POST", "transit/encrypt/k", {"plaintext": "aGVsbG8="}))["data"]["ciphertext"]
    rules = {"transit/*": '"update", "read"', "transit/decrypt/k": '"deny"', "transit/keys/k": '"deny"'}
    token = await limited(vault, "".join(f'path "{path}" {{ capabilities = [{names}] }}\n' for path, names in rules.items()))
    for path in ("transit/decrypt/k", "transit/decrypt/k/", "transit/decrypt/k//"):
        answer = await vault.call("POST", path, {"ciphertext": sealed}, token=token)
        assert answer.status in {400, 403}, path
        assert "plaintext" not in str(answer.body)
    for path in ("transit/keys/k", "transit/keys/k/", "transit/keys/k//"):
        assert (await vault.call("GET", path, token=token)).status == 403, path


@pytest.mark.parametrize("path", ["auth/token/create/", "sys/policies/acl/admin/", "secret/x/", "sys/mounts/y/"])
async def test_a_write_to_a_path_that_ends_in_a_slash_is_refused(vault: TestVault, path: str):
    answer = await vault.call("POST", path, {"policy": "", "type": "kv"})
    assert (answer.status, answer.body) == (400, {"errors": ["cannot write to a path ending in '/'"]})


async def test_auth_methods_are_not_mounted_or_removed_without_sudo(vault: TestVault):
    await vault.ok("POST", "sys/auth/userpass", {"type": "userpass"})
    token = await limited(vault, 'path "sys/mounts/*" { capabilities = ["create", "update", "delete"] }')
    assert (await vault.call("POST", "sys/mounts/auth/evil", {"type": "userpass"}, token=token)).status == 400
    assert (await vault.call("DELETE", "sys/mounts/auth/userpass", token=token)).status == 400
    assert "userpass/" in (await vault.ok("GET", "sys/auth"))["data"]


async def test_a_role_without_lists_of_policies_gives_no_more_than_the_caller_has(vault: TestVault):
    await vault.ok("POST", "auth/token/roles/nightly", {"token_period": "1h"})
    token = await limited(vault, 'path "auth/token/create/nightly" { capabilities = ["update"] }')
    answer = await vault.call("POST", "auth/token/create/nightly", {"policies": ["admin"]}, token=token)
    assert (answer.status, answer.body) == (400, {"errors": ["child policies must be subset of parent"]})
    made = await vault.ok("POST", "auth/token/create/nightly", {"no_parent": True}, token=token)
    assert made["auth"]["orphan"] is False


async def test_the_names_of_token_roles_have_one_spelling(vault: TestVault):
    await vault.ok("POST", "auth/token/roles/admin", {"allowed_policies": ["root-like"]})
    assert (await vault.call("POST", "auth/token/create/ADMIN", {})).status == 400


async def test_the_tokens_of_an_entity_end_with_it(vault: TestVault):
    await vault.ok("POST", "sys/auth/userpass", {"type": "userpass"})
    await vault.ok("POST", "auth/userpass/users/ann", {"password": "correct horse"})
    login = await vault.ok("POST", "auth/userpass/login/ann", {"password": "correct horse"}, token="")
    token, entity = login["auth"]["client_token"], login["auth"]["entity_id"]
    assert (await vault.call("GET", "auth/token/lookup-self", token=token)).status == 200
    await vault.ok("POST", f"identity/entity/id/{entity}", {"disabled": True})
    assert (await vault.call("GET", "auth/token/lookup-self", token=token)).status == 403
    assert (await vault.call("POST", "auth/userpass/login/ann", {"password": "correct horse"}, token="")).status == 403
    await vault.ok("DELETE", f"identity/entity/id/{entity}")
    assert (await vault.call("GET", "auth/token/lookup-self", token=token)).status == 403


async def test_a_secret_id_is_bound_by_its_own_networks_and_by_the_role_s(vault: TestVault):
    await vault.ok("POST", "sys/auth/approle", {"type": "approle"})
    await vault.ok("POST", "auth/approle/role/app", {"secret_id_bound_cidrs": ["10.0.0.0/8"]})
    role = (await vault.ok("GET", "auth/approle/role/app/role-id"))["data"]["role_id"]
    assert (await vault.call("POST", "auth/approle/role/app/secret-id", {"cidr_list": ["0.0.0.0/0"]})).status == 400
    made = await vault.ok("POST", "auth/approle/role/app/secret-id", {"cidr_list": ["10.1.1.1/32"]})
    login = {"role_id": role, "secret_id": made["data"]["secret_id"]}
    for address, status in (("127.0.0.1", 400), ("10.9.9.9", 400), ("10.1.1.1", 200)):
        answer = await vault.call("POST", "auth/approle/login", login, token="", remote_address=address)
        assert answer.status == status, address
    await vault.ok("DELETE", "auth/approle/role/app/secret-id-bound-cidrs")
    assert (await vault.ok("GET", "auth/approle/role/app"))["data"]["secret_id_bound_cidrs"] is None


async def test_networks_that_are_none_are_refused_when_they_are_written(vault: TestVault):
    answer = await vault.call("POST", "auth/token/roles/near", {"token_bound_cidrs": ["nonsense"]})
    assert answer.status == 400


async def test_every_refusal_is_audited(vault: TestVault, tmp_path: Path):
    log = tmp_path / "audit.log"
    await vault.ok("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
    token = await limited(vault, 'path "nothing" { capabilities = ["read"] }')
    await vault.ok("POST", "sys/audit/file", {"type": "file", "options": {"file_path": str(log)}})
    refused = [("POST", "kv//x"), ("POST", "kv/data/" + "x" * 1000), ("GET", "kv/data/a"), ("GET", "none/a")]
    for method, path in refused:
        assert (await vault.call(method, path, {}, token=token)).status == 403, path
    assert (await vault.call("GET", "kv/data/a", token="hvs.wrong")).status == 403
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for _, path in [*refused, ("GET", "kv/data/a")]:
        kinds = [line["type"] for line in lines if line.get("request", {}).get("path") == path]
        assert kinds[:2] == ["request", "response"], path


async def test_an_old_client_reads_what_was_wrapped_from_the_cubbyhole(vault: TestVault):
    wrapped = await vault.ok("POST", "sys/wrapping/wrap", {"a": "b"}, wrap_ttl=60)
    token = wrapped["wrap_info"]["token"]
    found = await vault.ok("GET", "cubbyhole/response", token=token)
    assert json.loads(found["data"]["response"])["data"] == {"a": "b"}
    assert (await vault.call("POST", "sys/wrapping/unwrap", token=token)).status == 400


async def test_the_address_that_a_server_of_this_vault_forwarded_is_believed_and_no_other(vault: TestVault):
    client = Call("GET", "auth/token/lookup-self", {}, vault.root, {}, "10.1.2.3", 40000)
    header = signed(vault.core, client)
    arrived = replace(client, headers={HEADER: header}, remote_address="127.0.0.1")
    assert with_origin(vault.core, arrived).remote_address == "10.1.2.3"
    for forged in (header[:-1] + ("0" if header[-1] != "0" else "1"), "", "x.y", "." + header.partition(".")[2]):
        found = with_origin(vault.core, replace(arrived, headers={HEADER: forged}))
        assert (found.remote_address, HEADER in found.headers) == ("127.0.0.1", False)
    assert with_origin(vault.core, replace(arrived, path="sys/mounts")).remote_address == "127.0.0.1"


async def test_a_mount_is_removed_behind_the_requests_that_it_handles(vault: TestVault):
    await vault.ok("POST", "sys/mounts/secret", {"type": "kv"})
    mounted = vault.core.running().mounts.at("secret/")
    with mounted.in_use():
        removing = asyncio.ensure_future(vault.call("DELETE", "sys/mounts/secret"))
        while not mounted.entry.is_tainted:  # noqa: ASYNC110 - a flag has no event
            await asyncio.sleep(0)
        assert (await vault.call("GET", "secret/a")).status == 404
        assert not removing.done()
    assert (await removing).status == 204


async def test_nobody_without_a_token_has_answers_stored(vault: TestVault):
    before = len(vault.core.running().leases)
    answer = await vault.call("GET", "sys/internal/ui/mounts", token="", wrap_ttl=3600)
    assert answer.status == 400
    assert len(vault.core.running().leases) == before

"""A disk that is full: every write is refused and leaves everything as it was, in memory too; then all goes on."""

from pathlib import Path
from typing import Any

import pytest

from disks import fill, no_file_grows, small_disk
from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from svault.storage.filesystem import FilesystemStorage
from vaults import TestVault

from .invariants import broken
from .processes import VaultProcess, filesystem

pytestmark = pytest.mark.anyio
MOUNTS = [
    MountEntry("secret/", "kv", options={"version": "2"}),
    MountEntry("old/", "kv"),
    MountEntry("transit/", "transit"),
    MountEntry("pki/", "pki"),
]
SETUP: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "secret/data/a", {"data": {"n": 1}}),
    ("POST", "secret/data/a", {"data": {"n": 2}}),
    ("POST", "old/a", {"n": 1}),
    ("POST", "cubbyhole/a", {"n": 1}),
    ("POST", "transit/keys/k", {"auto_rotate_period": 0}),
    ("POST", "transit/keys/k/rotate", {}),
    ("POST", "transit/keys/k/config", {"deletion_allowed": True}),
    ("POST", "pki/root/generate/internal", {"common_name": "root", "key_type": "ec", "ttl": "100h"}),
    ("POST", "pki/roles/r", {"allow_any_name": True, "key_type": "ec"}),
    ("POST", "sys/auth/approle", {"type": "approle"}),
    ("POST", "sys/auth/userpass", {"type": "userpass"}),
    ("POST", "auth/approle/role/r", {"token_policies": "default", "role_id": "r"}),
    ("POST", "auth/approle/role/r/custom-secret-id", {"secret_id": "s"}),
    ("POST", "auth/userpass/users/ann", {"password": "a password"}),
    ("POST", "sys/policies/acl/p", {"policy": 'path "a" { capabilities = ["read"] }'}),
    ("POST", "identity/entity", {"name": "ann"}),
    ("POST", "identity/group", {"name": "people"}),
    ("POST", "auth/token/create", {"id": "parent", "policies": ["root"], "ttl": "1h"}),
    ("POST", "auth/token/roles/t", {"allowed_policies": "default"}),
    ("POST", "sys/audit/first", {"type": "file", "options": {"file_path": "discard"}}),
]
READS = [
    ("GET", "secret/data/a"), ("GET", "secret/metadata/a"), ("LIST", "secret/metadata"), ("GET", "secret/config"), ("GET",
    "old/a"),
    ("LIST", "old/"), ("GET", "cubbyhole/a"), ("LIST", "cubbyhole/"), ("GET", "transit/keys/k"), ("LIST", "transit/keys"),
    ("LIST", "pki/roles"), ("GET", "pki/roles/r"), ("LIST", "pki/certs"), ("LIST", "pki/issuers"), ("GET", "pki/config/urls"),
    ("GET", "sys/mounts"), ("GET", "sys/auth"), ("LIST", "sys/policies/acl"), ("GET", "sys/policies/acl/p"), ("GET", "sys/audit"),
    ("LIST", "auth/approle/role"), ("GET", "auth/approle/role/r"), ("LIST", "auth/approle/role/r/secret-id"),
    ("LIST", "auth/userpass/users"), ("GET", "auth/userpass/users/ann"), ("LIST", "identity/entity/name"),
    ("GET", "identity/entity/name/ann"), ("LIST", "identity/group/name"), ("LIST", "auth/token/accessors"), ("LIST",
    "auth/token/roles"),
    ("GET", "auth/token/roles/t"), ("GET", "sys/key-status"), ("LIST", "sys/leases/lookup/auth/token/create"),
    ("GET", "sys/config/auditing/request-headers"), ("GET", "sys/seal-status"), ("GET", "pki/cert/crl"),
]  # fmt: skip
WRITES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "secret/data/a", {"data": {"n": 3}}),
    ("POST", "secret/data/b", {"data": {"n": 1}}),
    ("PATCH", "secret/data/a", {"data": {"m": 3}}),
    ("DELETE", "secret/data/a", None),
    ("POST", "secret/undelete/a", {"versions": [4]}),
    ("POST", "secret/destroy/a", {"versions": [1]}),
    ("POST", "secret/metadata/a", {"max_versions": 3, "custom_metadata": {"a": "b"}}),
    ("POST", "secret/config", {"max_versions": 7}),
    ("DELETE", "secret/metadata/a", None),
    ("POST", "old/b", {"n": 1}),
    ("DELETE", "old/a", None),
    ("POST", "cubbyhole/b", {"n": 1}),
    ("DELETE", "cubbyhole/a", None),
    ("POST", "transit/keys/k2", {}),
    ("POST", "transit/keys/k/rotate", {}),
    ("POST", "transit/keys/k/config", {"min_decryption_version": 2, "min_encryption_version": 2}),
    ("POST", "transit/keys/k/trim", {"min_available_version": 2}),
    ("DELETE", "transit/keys/k", None),
    ("POST", "pki/roles/r2", {"allow_any_name": True}),
    ("POST", "pki/issue/r", {"common_name": "a.example"}),
    ("POST", "pki/root/generate/internal", {"common_name": "second", "key_type": "ec", "ttl": "100h"}),
    ("POST", "pki/config/urls", {"crl_distribution_points": "http://a.example/crl"}),
    ("DELETE", "pki/roles/r", None),
    ("POST", "sys/mounts/new", {"type": "kv"}),
    ("POST", "sys/mounts/old/tune", {"default_lease_ttl": "7h", "description": "tuned"}),
    ("POST", "sys/remount", {"from": "old", "to": "older"}),
    ("DELETE", "sys/mounts/older", None),
    ("POST", "sys/auth/people", {"type": "userpass"}),
    ("DELETE", "sys/auth/people", None),
    ("POST", "sys/policies/acl/p", {"policy": 'path "b" { capabilities = ["read"] }'}),
    ("POST", "sys/policies/acl/q", {"policy": 'path "b" { capabilities = ["read"] }'}),
    ("DELETE", "sys/policies/acl/p", None),
    ("POST", "sys/audit/second", {"type": "file", "options": {"file_path": "discard"}}),
    ("DELETE", "sys/audit/first", None),
    ("POST", "sys/config/auditing/request-headers/x-a", {"hmac": True}),
    ("POST", "auth/approle/role/r2", {"token_policies": "default"}),
    ("POST", "auth/approle/role/r", {"token_ttl": "5m"}),
    ("POST", "auth/approle/role/r/custom-secret-id", {"secret_id": "s2"}),
    ("POST", "auth/approle/login", {"role_id": "r", "secret_id": "s"}),
    ("POST", "auth/approle/role/r/secret-id/destroy", {"secret_id": "s"}),
    ("DELETE", "auth/approle/role/r", None),
    ("POST", "auth/userpass/users/bob", {"password": "a password"}),
    ("POST", "auth/userpass/users/ann", {"token_ttl": "5m"}),
    ("DELETE", "auth/userpass/users/ann", None),
    ("POST", "identity/entity", {"name": "bob"}),
    ("POST", "identity/entity/name/ann", {"metadata": {"a": "b"}}),
    ("DELETE", "identity/entity/name/ann", None),
    ("POST", "identity/group", {"name": "others"}),
    ("DELETE", "identity/group/name/people", None),
    ("POST", "auth/token/create", {"policies": ["default"]}),
    ("POST", "auth/token/renew", {"token": "parent", "increment": "100h"}),
    ("POST", "auth/token/revoke", {"token": "parent"}),
    ("POST", "auth/token/roles/t", {"allowed_policies": "other"}),
    ("DELETE", "auth/token/roles/t", None),
    ("PUT", "sys/rotate", None),
]


async def seen(vault: TestVault) -> dict[str, Any]:
    """All that can be read, without what differs from answer to answer."""
    found = {}
    for method, path in READS:
        answer = await vault.call(method, path)
        body = {name: value for name, value in (answer.body or {}).items() if name != "request_id"}
        if path == "sys/key-status":
            body = {"term": body["data"]["term"]}
        found[f"{method} {path}"] = (answer.status, body, answer.raw)
    return found


async def test_a_refused_write_of_any_kind_changes_nothing_that_can_be_read_now_or_after_a_restart(tmp_path: Path):
    folder = tmp_path / "data"
    async with TestVault(FilesystemStorage(folder), settings=CoreSettings(mounts=MOUNTS)) as vault:
        for method, path, body in SETUP:
            await vault.ok(method, path, body)
        for method, path, data in WRITES:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            before = await seen(vault)
            with no_file_grows():
                answer = await vault.call(method, path, data, content_type=kind)
                assert answer.status == 500, (method, path, answer.status, answer.body)
                assert await seen(vault) == before, (method, path)
            assert await seen(vault) == before, (method, path)
            await vault.ok(method, path, data, content_type=kind)
            after = await seen(vault)
        keys, root = vault.keys, vault.root
    async with TestVault(FilesystemStorage(folder)) as vault:
        await vault.core.unseal(keys[0])
        vault.root = root
        assert await seen(vault) == after
        assert await broken(vault.core) == []


async def test_a_server_whose_disk_is_full_reads_refuses_writes_and_goes_on_when_there_is_space(tmp_path: Path):
    disk = tmp_path / "disk"
    with small_disk(disk, 4 << 20):
        server = VaultProcess(tmp_path / "server", filesystem(disk / "data"))
        server.start()
        try:
            server.initialize()
            server.ok("POST", "secret/data/a", {"data": {"n": 0}})
            ballast = fill(disk)
            kept = 0
            while (answer := server.call("POST", "secret/data/a", {"data": {"n": kept + 1, "pad": "x" * 3000}})).status == 200:
                kept += 1
            assert (answer.status, "No space left on device" in str(answer.body)) == (500, True)
            assert server.ok("GET", "secret/data/a")["data"]["data"]["n"] == kept
            server.kill()
            server.start()
            server.unseal()
            assert server.ok("GET", "secret/data/a")["data"]["data"]["n"] == kept
            ballast.unlink()
            server.ok("POST", "secret/data/a", {"data": {"n": "after"}})
            assert server.ok("GET", "secret/data/a")["data"]["data"]["n"] == "after"
            assert "Traceback" not in server.log.read_text()
        finally:
            server.kill()


async def test_a_full_audit_device_fails_every_request_before_anything_is_done_until_there_is_space(tmp_path: Path):
    disk = tmp_path / "disk"
    with small_disk(disk, 256 << 10):
        async with TestVault(FilesystemStorage(tmp_path / "data"), settings=CoreSettings(mounts=MOUNTS)) as vault:
            await vault.ok("POST", "secret/data/a", {"data": {"n": 1}})
            options = {"type": "file", "options": {"file_path": str(disk / "audit.log")}}
            await vault.ok("POST", "sys/audit/file", options)
            ballast = fill(disk)
            for path in ("secret/data/a", "nowhere"):  # a long pair of lines, then short ones: nothing fits any more
                while (await vault.call("GET", path)).status != 500:
                    pass
            version = (await vault.core.running().mounts.at("secret/").mount.view.read("m/a"))["current"]
            for method, path, data in (
                ("GET", "secret/data/a", None),
                ("LIST", "secret/metadata", None),
                ("POST", "secret/data/a", {"data": {"n": 2}}),
                ("DELETE", "secret/metadata/a", None),
                ("GET", "nowhere", None),
                ("POST", "auth/token/create", {}),
                ("POST", "sys/wrapping/unwrap", {"token": "nonsense"}),
                ("DELETE", "sys/audit/file", None),
            ):
                answer = await vault.call(method, path, data)
                assert (answer.status, answer.body) == (500, {"errors": ["internal error"]}), (method, path)
            assert (await vault.call("GET", "secret/data/a", token="nonsense")).status == 500
            assert (await vault.call("GET", "sys/health")).status == 200
            ballast.unlink()
            answer = await vault.ok("GET", "secret/data/a")
            assert answer["data"]["data"] == {"n": 1}
            assert answer["data"]["metadata"]["version"] == version
            assert len((await vault.ok("LIST", "auth/token/accessors"))["data"]["keys"]) == 1

"""The same requests to a real OpenBao and to ours: their audit files, member by member."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vaults import BaoServer, TestVault, running_openbao

pytestmark = pytest.mark.anyio
NOT_OURS = {"mount_running_version", "mount_running_plugin_version", "client_id"}
"""Members of a vault whose engines are plugins, and of its counting of clients."""
SINGULAR = {
    *("time", "id", "remote_address", "remote_port", "token_issue_time", "creation_time", "created_time"),
    "mount_accessor",  # missing in some of OpenBao's entries, never in ours
    "display_name",  # the root token of OpenBao's dev mode is called token
}
"""Members whose values differ from run to run."""


@pytest.fixture
def audited_openbao(tmp_path: Path) -> Iterator[BaoServer]:
    config = tmp_path / "bao.hcl"
    config.write_text("unsafe_allow_api_audit_creation = true\n")
    with running_openbao(f"-config={config}") as made:
        yield made


def shape(value: Any, name: str = "") -> Any:
    """An entry without what differs between any two runs: salts, identities, times."""
    if name in SINGULAR:
        return None
    if isinstance(value, dict):
        return {key: shape(one, key) for key, one in sorted(value.items()) if key not in NOT_OURS | SINGULAR | {"chain"}}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "hmac-sha256" if isinstance(value, str) and value.startswith("hmac-sha256:") else value


def entries(path: Path) -> list[Any]:
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [shape(one) for one in found if one["type"] != "chain" and not one["request"]["path"].startswith("sys/audit")]


REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "secret/data/app", {"data": {"password": "canary", "n": 7, "l": ["a", {"x": "y"}], "nul": None}, "options": {}}),
    ("GET", "secret/data/app", None),
    ("LIST", "secret/metadata/", None),
    ("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h", "meta": {"a": "b"}}),
    ("PUT", "sys/policies/acl/pp", {"policy": 'path "secret/data/ok" { capabilities = ["read"] }'}),
    ("DELETE", "secret/data/app", None),
]


async def test_the_entries_have_the_members_of_openbao_s(audited_openbao: BaoServer, vault: TestVault, tmp_path: Path):
    assert (await vault.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})).status == 204
    files = {name: tmp_path / f"{name}.log" for name in ("theirs", "ours")}
    for name, path in files.items():
        options = {"type": "file", "options": {"file_path": str(path)}}
        done = (
            audited_openbao.call("PUT", "sys/audit/file", options)
            if name == "theirs"
            else await vault.call("PUT", "sys/audit/file", options)
        )
        assert done.status == 204
    for method, path, data in REQUESTS:
        theirs = audited_openbao.call(method, path, data)
        ours = await vault.call(method, path, data)
        assert (path, ours.status) == (path, theirs.status)
    theirs_entries, ours_entries = entries(files["theirs"]), entries(files["ours"])
    assert [(one["type"], one["request"]["path"]) for one in ours_entries] == [
        (one["type"], one["request"]["path"]) for one in theirs_entries
    ]
    for ours_entry, theirs_entry in zip(ours_entries, theirs_entries, strict=True):
        assert ours_entry == theirs_entry
    assert "canary" not in files["ours"].read_text()
    assert files["ours"].stat().st_mode == files["theirs"].stat().st_mode


async def test_with_no_device_that_writes_nothing_is_done(vault: TestVault, tmp_path: Path):
    path = tmp_path / "a.log"
    assert (await vault.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": str(path)}})).status == 204
    path.unlink()
    path.mkdir()
    refused = await vault.call("POST", "secret/data/app", {"data": {"a": "b"}})
    assert (refused.status, refused.body) == (500, {"errors": ["internal error"]})
    path.rmdir()
    assert (await vault.call("GET", "secret/data/app")).status == 404

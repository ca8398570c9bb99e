"""The same requests to a real OpenBao and to us: status, fields and sentences."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from svault.core.settings import DAY, CoreSettings
from vaults import TestVault

pytestmark = pytest.mark.anyio

MERGE = "application/merge-patch+json"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

# (method, path, body): in this order, on a fresh mount of version 2. A PATCH is sent as a merge patch.
VERSION_2: list[tuple[str, str, Any]] = [
    ("GET", "config", None),
    ("GET", "data/a", None),
    ("POST", "data/a", {}),
    ("POST", "data/a", {"data": {"x": 1}, "options": {"cas": 1}}),
    ("POST", "data/a", {"data": {"x": 1}, "options": {"cas": 0}}),
    ("POST", "data/a", {"data": {"x": 1}, "options": {"cas": "z"}}),
    ("POST", "data/a", {"data": {"x": 2, "y": {"z": [1, None]}}, "options": {"cas": "1"}, "foo": 1, "bar": 2}),
    ("PUT", "data/a", {"data": {"x": 2}, "path": "b"}),
    ("GET", "data/a", None),
    ("GET", "data/a?version=1", None),
    ("GET", "data/a?version=9", None),
    ("GET", "data/a?version=0&foo=1", None),
    ("PATCH", "data/a", {"data": {"new": {"deep": True, "none": None}, "x": None}}),
    ("GET", "data/a", None),
    ("PATCH", "data/a", {}),
    ("PATCH", "data/a", {"data": {}, "options": {"cas": 1}}),
    ("GET", "subkeys/a", None),
    ("GET", "subkeys/a?depth=1", None),
    ("GET", "subkeys/none", None),
    ("DELETE", "data/none", None),
    ("DELETE", "data/a", None),
    ("GET", "data/a", None),
    ("GET", "subkeys/a", None),
    ("PATCH", "data/a", {"data": {"y": 2}}),
    ("POST", "undelete/a", {}),
    ("POST", "undelete/a", {"versions": "4,5"}),
    ("POST", "undelete/none", {"versions": [1]}),
    ("POST", "delete/a", {"versions": [1, "2", 99]}),
    ("PUT", "destroy/a", {"versions": [1, 99]}),
    ("POST", "destroy/a", {"versions": []}),
    ("POST", "undelete/a", {"versions": [1]}),
    ("GET", "data/a?version=1", None),
    ("GET", "data/a?version=2", None),
    ("GET", "metadata/a", None),
    ("GET", "metadata/none", None),
    ("DELETE", "metadata/none", None),
    ("POST", "metadata/m", {}),
    ("GET", "metadata/m", None),
    ("POST", "metadata/m", {"max_versions": 2, "cas_required": True, "custom_metadata": {"owner": "ops", "level": 3}}),
    ("GET", "metadata/m", None),
    ("PATCH", "metadata/m", {"cas_required": None, "custom_metadata": {"level": None, "zone": "eu"}}),
    ("GET", "metadata/m", None),
    ("PATCH", "metadata/m", {"custom_metadata": {"a" * 129: "x"}}),
    ("POST", "metadata/m", {"custom_metadata": {"a": ""}}),
    ("POST", "metadata/m", {"custom_metadata": {"a": "x\t"}}),
    ("POST", "metadata/m", {"custom_metadata": {"a": "x" * 513}}),
    ("POST", "metadata/m", {"custom_metadata": {str(number): "x" for number in range(65)}}),
    ("POST", "data/m", {"data": {"n": 1}}),
    ("POST", "data/m", {"data": {"n": 2}}),
    ("POST", "data/m", {"data": {"n": 3}}),
    ("GET", "metadata/m", None),
    ("POST", "metadata/m", {"metadata_cas_required": True}),
    ("POST", "metadata/m", {"max_versions": 3}),
    ("POST", "metadata/m", {"max_versions": 3, "metadata_cas": 1}),
    ("PATCH", "metadata/m", {"max_versions": 3, "metadata_cas": 3}),
    ("GET", "metadata/m", None),
    ("POST", "metadata/d", {"delete_version_after": "1h"}),
    ("POST", "data/d", {"data": {}}),
    ("GET", "metadata/d", None),
    ("POST", "config", {"cas_required": True, "max_versions": 2, "delete_version_after": "30m"}),
    ("GET", "config", None),
    ("POST", "data/d", {"data": {}}),
    ("POST", "data/d", {"data": {}, "options": {"cas": 1}}),
    ("POST", "metadata/d", {"cas_required": False}),
    ("POST", "config", {"cas_required": False, "delete_version_after": "-7s"}),
    ("GET", "config", None),
    ("POST", "data/e/f/g", {"data": {"x": 1}}),
    ("POST", "data/a%20b%25c%C3%A9", {"data": {"x": 1}}),
    ("GET", "data/a%20b%25c%C3%A9", None),
    ("LIST", "metadata", None),
    ("LIST", "metadata/e", None),
    ("LIST", "metadata/e/", None),
    ("LIST", "metadata/none/", None),
    ("LIST", "metadata/?after=a&limit=2", None),
    ("LIST", "detailed-metadata/e/", None),
    ("LIST", "data/e", None),
    ("GET", "data", None),
    ("POST", "data/x/", {"data": {}}),
    ("POST", "metadata/x/", {"max_versions": 1}),
    ("GET", "delete/a", None),
    ("DELETE", "config", None),
    ("DELETE", "metadata/e/f/g", None),
    ("LIST", "metadata/e", None),
]
VERSION_1: list[tuple[str, str, Any]] = [
    ("GET", "a", None),
    ("POST", "a", {}),
    ("POST", "a", {"x": 1, "y": {"z": [1, None]}}),
    ("GET", "a", None),
    ("PUT", "t", {"ttl": "1h"}),
    ("GET", "t", None),
    ("POST", "t", {"lease": "30m"}),
    ("GET", "t", None),
    ("POST", "t", {"ttl": "soon"}),
    ("GET", "t", None),
    ("POST", "b/c", {"x": None}),
    ("LIST", "", None),
    ("LIST", "b", None),
    ("LIST", "none", None),
    ("POST", "b/", {"x": 1}),
    ("GET", "b/", None),
    ("DELETE", "a", None),
    ("DELETE", "a", None),
    ("GET", "a", None),
    ("PATCH", "t", {"x": 1}),
]
# What a value should have been is said in words of our own; the place and the status are the same.
REFUSED: list[tuple[str, str, Any]] = [
    ("POST", "config", {"max_versions": "x"}),
    ("POST", "config", {"cas_required": "maybe"}),
    ("POST", "config", {"delete_version_after": "soon"}),
    ("POST", "data/a", {"data": "x"}),
    ("POST", "data/a", {"data": [1]}),
    ("POST", "data/a", {"data": {}, "options": "x"}),
    ("PATCH", "data/none", {"data": {}}),
    ("PATCH", "metadata/none", {"max_versions": 1}),
    ("GET", "data/a?version=x", None),
    ("GET", "subkeys/a?depth=x", None),
    ("POST", "undelete/a", {"versions": ["x"]}),
    ("POST", "metadata/a", {"custom_metadata": "x"}),
    ("POST", "metadata/a", {"custom_metadata": {"a": []}}),
    ("POST", "metadata/a", {"delete_version_after": "-1s"}),
    ("POST", "metadata/a", {"metadata_cas": "x", "max_versions": 1}),
    ("GET", "app", None),
    ("POST", "app", {"x": 1}),
]


def comparable(body: dict[str, Any] | None) -> Any:
    """An answer without what differs from one request to the next."""
    if body is None:
        return None
    kept = {name: value for name, value in body.items() if name not in {"request_id", "mount_type"}}
    return json.loads(TIME.sub("TIME", json.dumps(kept)))


async def answers(vault, openbao, mount, case):
    """What both say to one request."""
    method, path, body = case
    kind = MERGE if method == "PATCH" else "application/json"
    theirs = openbao.call(method, f"{mount}/{path}", body, content_type=kind)
    path, _, query = path.partition("?")
    ours = await vault.call(
        method, f"{mount}/{unquote(path)}", dict(parse_qsl(query)) if body is None else body, content_type=kind
    )
    return (ours.status, comparable(ours.body)), (theirs.status, comparable(theirs.body))


@pytest.fixture
async def vault():
    """A vault with Vault's own times, instead of our shorter ones."""
    async with TestVault(settings=CoreSettings(default_lease_ttl=32 * DAY, max_lease_ttl=32 * DAY)) as made:
        yield made


async def mount_both(vault, openbao, mount, version):
    """Mount the engine in both."""
    body = {"type": "kv", "options": {"version": version}}
    await vault.ok("POST", f"sys/mounts/{mount}", body)
    assert openbao.call("POST", f"sys/mounts/{mount}", body).status == 204


@pytest.fixture
def mount(openbao, request):
    """A fresh path, cleared away in OpenBao."""
    path = f"kv-{request.node.name.split('[')[0]}"
    yield path
    openbao.call("DELETE", f"sys/mounts/{path}")


@pytest.mark.parametrize(("version", "cases"), [("1", VERSION_1), ("2", VERSION_2)], ids=["version 1", "version 2"])
async def test_every_answer_is_that_of_openbao(vault, openbao, mount, version, cases):
    await mount_both(vault, openbao, mount, version)
    for case in cases:
        ours, theirs = await answers(vault, openbao, mount, case)
        assert ours == theirs, case


async def test_what_openbao_refuses_is_refused_with_the_same_status(vault, openbao, mount):
    await mount_both(vault, openbao, mount, "2")
    for case in [("POST", "data/a", {"data": {}}), *REFUSED]:
        ours, theirs = await answers(vault, openbao, mount, case)
        assert ours[0] == theirs[0], case


async def test_a_merge_patch_of_another_content_type_is_refused_in_the_same_words(vault, openbao, mount):
    await mount_both(vault, openbao, mount, "2")
    for path in ("data/a", "metadata/a"):
        theirs = openbao.call("PATCH", f"{mount}/{path}", {"data": {}})
        ours = await vault.call("PATCH", f"{mount}/{path}", {"data": {}})
        assert (ours.status, ours.body) == (theirs.status, theirs.body) == (415, theirs.body)

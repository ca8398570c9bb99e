"""Whatever is sent to whatever path: an answer of the documented ones, never a traceback, never a secret in an error."""

import asyncio
import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from vaults import TestVault

from .routes import CANARY, Asked, all_routes, field_names, requests
from .test_fault_disk import SETUP

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]
EXAMPLES = 20_000 if os.environ.get("PROV_TESTS_SOAK") else 400
MOUNTS = [
    MountEntry("secret/", "kv", options={"version": "2"}),
    MountEntry("old/", "kv"),
    MountEntry("transit/", "transit"),
    MountEntry("pki/", "pki"),
    MountEntry("database/", "database"),
]
LEFT_OUT = ("sys/audit", "sys/seal", "sys/step-down", "sys/mounts", "sys/auth/", "sys/remount", "sys/pprof")
"""They write files where a random name says, or take away what the others need; each has tests of its own."""
DATABASE = {
    "plugin_name": "postgresql-database-plugin",
    "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/postgres",
    "username": "u",
    "password": CANARY,
    "allowed_roles": "*",
    "verify_connection": False,
}
ROLE = {"db_name": "pg", "creation_statements": "CREATE ROLE \"{{name}}\" PASSWORD '{{password}}'"}
LEGAL = {200, 202, 204, 400, 403, 404, 405, 412, 415, 429, 473}


@pytest.fixture
async def vault(anyio_backend: str):
    async with TestVault(settings=CoreSettings(mounts=MOUNTS)) as made:
        for method, path, body in SETUP:
            await made.ok(method, path, body)
        await made.ok("POST", "database/config/pg", DATABASE)
        await made.ok("POST", "database/roles/r", ROLE)
        yield made


async def _routes() -> list[Asked]:
    async with TestVault(settings=CoreSettings(mounts=MOUNTS)) as made:
        for kind in ("approle", "userpass"):
            await made.ok("POST", f"sys/auth/{kind}", {"type": kind})
        return all_routes(made.core, LEFT_OUT)


ROUTES = asyncio.run(_routes())


def test_the_fields_are_found_in_the_code():
    found = {name for asked in ROUTES for name in field_names(asked.folder)}
    assert {"ttl", "policies", "plaintext", "common_name", "max_versions", "num_uses", "creation_statements"} <= found


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(request_=requests(ROUTES), wrap=st.sampled_from([0, 0, 0, 0, 60]))
async def test_every_operation_of_every_engine_answers_or_refuses_whatever_it_is_sent(
    vault: TestVault, request_: tuple[Asked, str, dict[str, Any]], wrap: int, caplog: pytest.LogCaptureFixture
):
    caplog.clear()
    asked, path, body = request_
    if (await vault.call("GET", "auth/token/lookup-self")).status == 403:  # an example revoked it
        vault.root = await vault.core.new_root_token()
    kind = "application/merge-patch+json" if asked.method == "PATCH" else "application/json"
    answer = await vault.call(asked.method, path, body, wrap_ttl=wrap, content_type=kind)
    said = json.dumps(answer.body, default=repr, allow_nan=False) if answer.body is not None else ""
    raised = [record for record in caplog.records if record.exc_info]
    assert not raised, (asked, path, body, raised[0].exc_info)
    if answer.status == 500:  # where OpenBao says 500 too: a database that is away, an issuer that there is not
        assert asked.prefix in {"database/", "pki/"}, (asked, path, body, said)
        assert "internal error" not in said, (asked, path, body)
    else:
        assert answer.status in LEGAL, (asked, path, answer.status, said)
    if answer.status >= 400:
        assert CANARY not in said, (asked, path, body, said)
    assert not vault.core.is_sealed

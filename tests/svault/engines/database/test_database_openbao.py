"""The same requests to a real OpenBao and to us, on the same PostgreSQL: status, fields and sentences."""

import json
import re
from typing import Any

import pytest

from svault.core.settings import DAY, CoreSettings
from vaults import TestVault

pytestmark = pytest.mark.anyio

CREATE = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
ROLE = {"db_name": "pg", "creation_statements": [CREATE]}
CONFIG = {"plugin_name": "postgresql-database-plugin", "allowed_roles": "*"}
STATIC = {"db_name": "pg", "username": "static_user", "rotation_period": "1h"}

# (method, path, body), in this order; `url` stands for the address of the database.
CASES: list[tuple[str, str, Any]] = [
    ("GET", "config/pg", None),
    ("LIST", "config", None),
    ("POST", "config/pg", {}),
    ("POST", "config/pg", {"plugin_name": "postgresql-database-plugin"}),
    ("POST", "config/pg", {**CONFIG, "connection_url": "url", "username": "compared", "password": "compared"}),
    ("LIST", "config", None),
    ("DELETE", "config/none", None),
    ("GET", "roles/app", None),
    ("LIST", "roles", None),
    ("POST", "roles/app", {}),
    ("POST", "roles/app", {"db_name": "pg"}),
    ("GET", "roles/app", None),
    ("POST", "roles/app", {**ROLE, "default_ttl": "1h", "max_ttl": "24h", "revocation_statements": 'DROP ROLE "{{name}}"'}),
    ("POST", "roles/app", {"renew_statements": ["SELECT 1"], "rollback_statements": ["SELECT 2"], "max_ttl": 7200}),
    ("GET", "roles/app", None),
    ("LIST", "roles", None),
    ("GET", "creds/app", None),
    ("GET", "creds/none", None),
    ("POST", "creds/app", {}),
    ("POST", "roles/lost", {**ROLE, "db_name": "none"}),
    ("GET", "creds/lost", None),
    ("POST", "roles/empty", {"db_name": "pg", "creation_statements": []}),
    ("GET", "creds/empty", None),
    ("POST", "roles/bad", {"db_name": "pg", "creation_statements": ['GRANT SELECT ON nothere TO "{{name}}"']}),
    ("GET", "creds/bad", None),
    ("POST", "config/pg", {"allowed_roles": ["other", "st*"]}),
    ("GET", "creds/app", None),
    ("POST", "config/pg", {"allowed_roles": ["ap*", "st*"]}),
    ("GET", "creds/app", None),
    ("GET", "static-roles/st", None),
    ("LIST", "static-roles", None),
    ("POST", "static-roles/st", {}),
    ("POST", "static-roles/st", {"db_name": "pg"}),
    ("POST", "static-roles/st", {"db_name": "pg", "username": "static_user"}),
    ("POST", "static-roles/st", {**STATIC, "rotation_period": 1}),
    ("POST", "static-roles/st", {**STATIC, "username": "nobody_here"}),
    ("POST", "static-roles/st", STATIC),
    ("GET", "static-roles/st", None),
    ("GET", "static-creds/st", None),
    ("POST", "rotate-role/st", {}),
    ("GET", "static-creds/st", None),
    ("POST", "static-roles/st", {**STATIC, "username": "other"}),
    ("POST", "static-roles/st", {**STATIC, "rotation_period": "2h"}),
    ("GET", "static-creds/st", None),
    ("POST", "roles/st", ROLE),
    ("POST", "static-roles/app", STATIC),
    ("LIST", "static-roles", None),
    ("GET", "static-creds/none", None),
    ("POST", "rotate-role/none", {}),
    ("DELETE", "static-roles/st", None),
    ("DELETE", "static-roles/st", None),
    ("GET", "static-creds/st", None),
    ("POST", "reset/pg", {}),
    ("POST", "reset/none", {}),
    ("POST", "rotate-root/none", {}),
    ("GET", "foo", None),
    ("GET", "config/b@d", None),
    ("DELETE", "roles/app", None),
    ("GET", "creds/app", None),
    ("DELETE", "config/pg", None),
    ("GET", "config/pg", None),
]
# Values that differ each time, with the form that both have.
FORMS = {
    "username": r"v-(token|root)-\w+-[A-Za-z0-9]{20}-\d{10}|static_user",
    "password": r"[A-Za-z0-9-]{20}",
    "lease_id": r"[\w/-]+/creds/\w+/[A-Za-z0-9]{24}|",
    "last_vault_rotation": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
}
WRAPPED = re.compile(r"^1 error occurred:\s*\* |\s+$")


def comparable(value: Any) -> Any:
    """An answer without what differs: forms instead of values, errors without the frames that Go's libraries put around them."""
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if name not in {"request_id", "mount_type"}}
        return {name: form(name, inner) if name in FORMS else comparable(inner) for name, inner in kept.items()}
    if isinstance(value, list):
        return [comparable(inner) for inner in value]
    while isinstance(value, str) and WRAPPED.search(value):
        value = WRAPPED.sub("", value)
    return value.replace("1 error occurred:\n\t* ", "") if isinstance(value, str) else value


def form(name: str, value: str) -> str:
    return FORMS[name] if re.fullmatch(FORMS[name], value) else value


async def test_every_answer_is_that_of_openbao(postgresql, openbao):
    postgresql.rows("DROP ROLE IF EXISTS compared; CREATE ROLE compared SUPERUSER LOGIN PASSWORD 'compared'")
    postgresql.rows("DROP ROLE IF EXISTS static_user; CREATE ROLE static_user LOGIN")
    url = postgresql.template + "?sslmode=disable"
    settings = CoreSettings(default_lease_ttl=32 * DAY, max_lease_ttl=32 * DAY)
    async with TestVault(settings=settings) as vault:
        await vault.ok("POST", "sys/mounts/compared", {"type": "database"})
        assert openbao.call("POST", "sys/mounts/compared", {"type": "database"}).status == 204
        for method, path, body in CASES:
            if body and body.get("connection_url"):
                body = {**body, "connection_url": url}  # noqa: PLW2901 - the address is known only now
            ours = await vault.call(method, f"compared/{path}", body)
            theirs = openbao.call(method, f"compared/{path}", body)
            ours_seen = (ours.status, comparable(ours.body))
            theirs_seen = (theirs.status, comparable(theirs.body))
            assert ours_seen == theirs_seen, (method, path, body, json.dumps(ours.body), json.dumps(theirs.body))
        openbao.call("DELETE", "sys/mounts/compared")

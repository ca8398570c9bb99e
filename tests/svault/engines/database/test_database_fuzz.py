"""Whatever a client sends, the database engine answers or refuses; nothing reaches a database here."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mounted import mounted
from svault.engines.database import DatabaseEngine

pytestmark = pytest.mark.anyio

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        "plugin_name",
        "connection_url",
        "username",
        "password",
        "allowed_roles",
        "root_rotation_statements",
        "username_template",
        "password_authentication",
        "max_open_connections",
        "max_connection_lifetime",
        "disable_escaping",
        "password_policy",
        "db_name",
        "creation_statements",
        "revocation_statements",
        "default_ttl",
        "max_ttl",
        "credential_type",
        "rotation_period",
    ]
)
PATHS = st.sampled_from(
    ["config/pg", "roles/app", "static-roles/st", "creds/app", "reset/pg", "rotate-role/st", "static-creds/st"]
)
METHODS = st.sampled_from(["GET", "POST", "DELETE", "LIST"])


@settings(max_examples=200)
@given(st.lists(st.tuples(METHODS, PATHS, st.dictionaries(FIELDS, JSON, max_size=5)), min_size=1, max_size=6))
async def test_whatever_is_sent_is_answered_or_refused(requests):
    database = await mounted(DatabaseEngine)
    for method, path, body in requests:
        status, _ = await database.call(method, path, {**body, "verify_connection": False})
        assert status in {200, 204, 400, 404, 405, 500}
    await database.engine.stop()

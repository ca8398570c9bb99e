"""The client that users have, over HTTP."""

import hvac
import pytest

MOUNT = "database"


@pytest.fixture
def api(server, postgresql, config):
    """hvac's calls of a database mount with the connection `pg`."""
    client = server.client
    client.sys.enable_secrets_engine("database")
    api = client.secrets.database
    api.configure("pg", plugin_name=config["plugin_name"], allowed_roles="*", **_address(config))
    yield api
    client.sys.disable_secrets_engine("database")


def _address(config):
    return {name: config[name] for name in ("connection_url", "username", "password")}


def test_users_are_made_renewed_and_revoked(api, server, postgresql):
    create = ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"]
    api.create_role("app", db_name="pg", creation_statements=create, default_ttl="1h", max_ttl="2h")
    assert api.read_role("app")["data"]["default_ttl"] == 3600
    assert api.list_roles()["data"]["keys"] == ["app"]
    issued = api.generate_credentials("app")
    user, password = issued["data"]["username"], issued["data"]["password"]
    assert postgresql.lets_in(user, password)
    assert server.client.sys.renew_lease(issued["lease_id"], increment="30m")["lease_duration"] == 1800
    server.client.sys.revoke_lease(issued["lease_id"])
    assert not postgresql.lets_in(user, password)
    api.delete_role("app")
    with pytest.raises(hvac.exceptions.InvalidRequest, match="unknown role: app"):
        api.generate_credentials("app")


def test_a_static_role_is_rotated(api, postgresql, user):
    api.create_static_role("legacy", db_name="pg", username=user, rotation_statements=[], rotation_period="1h")
    first = api.get_static_credentials("legacy")["data"]["password"]
    assert postgresql.lets_in(user, first)
    api.rotate_static_role_credentials("legacy")
    assert not postgresql.lets_in(user, first)
    assert api.read_static_role("legacy")["data"]["username"] == user
    assert api.list_static_roles()["data"]["keys"] == ["legacy"]
    api.delete_static_role("legacy")


def test_a_connection_is_read_reset_rotated_and_deleted(api, postgresql):
    assert "password" not in api.read_connection("pg")["data"]["connection_details"]
    assert api.list_connections()["data"]["keys"] == ["pg"]
    api.reset_connection("pg")
    api.rotate_root_credentials("pg")
    assert not postgresql.lets_in("administrator", "first")
    api.delete_connection("pg")
    with pytest.raises(hvac.exceptions.InvalidPath):
        api.read_connection("pg")

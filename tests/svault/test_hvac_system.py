"""hvac, the client that Vault's users have, against the system's paths and auth methods over real HTTP."""

import hvac
import pytest
from hvac import exceptions

from svault.storage.memory import MemoryStorage
from vaults import VaultServer, running_server

POLICY = 'path "secret/*" { capabilities = ["read", "list"] }'


@pytest.fixture(scope="module")
def server():
    with running_server(MemoryStorage()) as made:
        yield made


@pytest.fixture
def client(server: VaultServer) -> hvac.Client:
    return server.client


def test_the_client_sees_an_initialised_unsealed_vault_and_its_own_token(client: hvac.Client):
    assert client.sys.is_initialized()
    assert not client.sys.is_sealed()
    assert client.is_authenticated()
    assert client.sys.read_health_status(method="GET")["sealed"] is False
    assert client.sys.read_health_status(method="HEAD").status_code == 200
    assert client.sys.read_leader_status()["ha_enabled"] is False
    assert client.seal_status["type"] == "shamir"
    assert client.ha_status["ha_enabled"] is False
    assert client.key_status["term"] >= 1


def test_a_wrong_token_is_not_authenticated(server: VaultServer):
    assert not hvac.Client(server.url, token="hvs.wrong").is_authenticated()


def test_engines_are_mounted_tuned_moved_and_removed(client: hvac.Client):
    client.sys.enable_secrets_engine("kv", path="first", options={"version": "2"}, description="one")
    assert client.sys.list_mounted_secrets_engines()["data"]["first/"]["options"] == {"version": "2"}
    client.sys.tune_mount_configuration("first", default_lease_ttl="1h", description="two")
    assert client.sys.read_mount_configuration("first")["data"]["default_lease_ttl"] == 3600
    client.secrets.kv.v2.create_or_update_secret("a", {"x": "y"}, mount_point="first")
    client.sys.move_backend("first", "second")
    assert client.secrets.kv.v2.read_secret_version("a", mount_point="second", raise_on_deleted_version=True)["data"]["data"] == {
        "x": "y"
    }
    client.sys.disable_secrets_engine("second")
    with pytest.raises(exceptions.InvalidPath):
        client.secrets.kv.v2.read_secret_version("a", mount_point="second", raise_on_deleted_version=True)


def test_auth_methods_are_enabled_tuned_and_removed(client: hvac.Client):
    client.sys.enable_auth_method("userpass", path="people", description="one")
    assert client.sys.list_auth_methods()["data"]["people/"]["type"] == "userpass"
    client.sys.tune_auth_method("people", default_lease_ttl="2h")
    assert client.sys.read_auth_method_tuning("people")["data"]["default_lease_ttl"] == 7200
    client.sys.disable_auth_method("people")
    assert "people/" not in client.sys.list_auth_methods()["data"]


def test_policies_are_written_read_listed_and_deleted(client: hvac.Client):
    client.sys.create_or_update_policy("reader", POLICY)
    assert "reader" in client.sys.list_policies()["data"]["policies"]
    assert client.sys.read_policy("reader")["data"]["rules"] == POLICY
    assert client.get_policy("reader") == POLICY
    client.sys.create_or_update_acl_policy("reader2", POLICY)
    assert client.sys.read_acl_policy("reader2")["data"]["policy"] == POLICY
    assert "reader2" in client.sys.list_acl_policies()["data"]["keys"]
    client.sys.delete_acl_policy("reader2")
    client.sys.delete_policy("reader")
    assert "reader" not in client.sys.list_policies()["data"]["policies"]


def test_tokens_are_made_looked_up_renewed_and_revoked(client: hvac.Client):
    made = client.auth.token.create(policies=["default"], ttl="1h", display_name="ci", meta={"team": "a"})["auth"]
    token, accessor = made["client_token"], made["accessor"]
    assert token.startswith("hvs.")
    assert client.auth.token.lookup(token)["data"]["meta"] == {"team": "a"}
    assert client.auth.token.lookup_accessor(accessor)["data"]["display_name"] == "token-ci"
    assert accessor in client.auth.token.list_accessors()["data"]["keys"]
    assert client.auth.token.renew(token, increment="90m")["auth"]["lease_duration"] == 5400
    assert client.auth.token.renew_accessor(accessor)["auth"]["renewable"] is True
    client.auth.token.revoke_accessor(accessor)
    with pytest.raises(exceptions.Forbidden):
        client.auth.token.lookup(token)


def test_roles_bound_what_a_token_may_have(client: hvac.Client):
    client.auth.token.create_or_update_role("ci", allowed_policies=["default"], token_period="1h", orphan=True)
    assert client.auth.token.read_role("ci")["data"]["orphan"] is True
    assert "ci" in client.auth.token.list_roles()["data"]["keys"]
    made = client.auth.token.create(policies=["default"], role_name="ci")["auth"]
    assert made["orphan"] is True
    client.auth.token.delete_role("ci")


def test_a_person_logs_in_with_a_password(client: hvac.Client, server: VaultServer):
    client.sys.enable_auth_method("userpass")
    client.auth.userpass.create_or_update_user("ann", password="correct horse", policies=["reader"])
    assert client.auth.userpass.list_user()["data"]["keys"] == ["ann"]
    person = hvac.Client(server.url)
    assert person.auth.userpass.login("ann", "correct horse")["auth"]["policies"] == ["default", "reader"]
    assert person.is_authenticated()
    client.auth.userpass.update_password_on_user("ann", "new horse")
    with pytest.raises(exceptions.InvalidRequest):
        hvac.Client(server.url).auth.userpass.login("ann", "correct horse")
    person.logout(revoke_token=True)
    client.auth.userpass.delete_user("ann")


def test_a_program_logs_in_with_a_role_id_and_a_secret_id(client: hvac.Client, server: VaultServer):
    client.sys.enable_auth_method("approle")
    client.auth.approle.create_or_update_approle("app", token_policies=["reader"], secret_id_num_uses=1, token_ttl="20m")
    role_id = client.auth.approle.read_role_id("app")["data"]["role_id"]
    made = client.auth.approle.generate_secret_id("app", metadata={"tag": "one"})["data"]
    assert client.auth.approle.read_secret_id("app", made["secret_id"])["data"]["secret_id_num_uses"] == 1
    assert client.auth.approle.list_secret_id_accessors("app")["data"]["keys"] == [made["secret_id_accessor"]]
    program = hvac.Client(server.url)
    assert program.auth.approle.login(role_id, made["secret_id"])["auth"]["metadata"]["tag"] == "one"
    with pytest.raises(exceptions.InvalidRequest):
        program.auth.approle.login(role_id, made["secret_id"])
    custom = client.auth.approle.create_custom_secret_id("app", "my-own-secret")["data"]
    client.auth.approle.destroy_secret_id_accessor("app", custom["secret_id_accessor"])
    client.auth.approle.update_role_id("app", "chosen")
    assert client.auth.approle.list_roles()["data"]["keys"] == ["app"]
    client.auth.approle.delete_role("app")


def test_an_answer_is_wrapped_looked_up_and_unwrapped_once(client: hvac.Client):
    wrapped = client.sys.wrap({"a": "b"}, ttl=60)
    token = wrapped["wrap_info"]["token"]
    assert client.sys.unwrap(token)["data"] == {"a": "b"}
    with pytest.raises(exceptions.InvalidRequest):
        client.sys.unwrap(token)


def test_capabilities_are_told(client: hvac.Client):
    client.sys.create_or_update_policy("reader", POLICY)
    token = client.auth.token.create(policies=["reader"])["auth"]["client_token"]
    assert client.sys.get_capabilities(["secret/a"], token=token)["data"]["secret/a"] == ["list", "read"]


def test_leases_of_tokens_are_listed_and_revoked_by_prefix(client: hvac.Client):
    token = client.auth.token.create(policies=["default"], ttl="1h")["auth"]["client_token"]
    leases = client.sys.list_leases("auth/token/create")["data"]["keys"]
    assert client.sys.read_lease(f"auth/token/create/{leases[0]}")["data"]["renewable"] is True
    client.sys.revoke_prefix("auth/token/create")
    with pytest.raises(exceptions.Forbidden):
        client.auth.token.lookup(token)


def test_audit_devices_are_enabled_listed_and_disabled(client: hvac.Client, tmp_path):
    client.sys.enable_audit_device("file", path="log", options={"file_path": str(tmp_path / "audit.log")})
    assert client.sys.list_enabled_audit_devices()["data"]["log/"]["type"] == "file"
    assert client.sys.calculate_hash("log", "hello")["data"]["hash"].startswith("hmac-sha256:")
    client.sys.disable_audit_device("log")
    assert client.sys.list_enabled_audit_devices()["data"] == {}


def test_the_barrier_is_rotated_and_rekeyed_and_a_root_token_is_generated(client: hvac.Client, server: VaultServer):
    client.sys.rotate_encryption_key()
    assert client.key_status["term"] >= 2
    begun = client.sys.start_root_token_generation()
    done = client.sys.generate_root(server.keys[0].hex(), begun["nonce"])
    assert done["complete"]
    nonce = client.sys.start_rekey(secret_shares=1, secret_threshold=1)["nonce"]
    done = client.sys.rekey(server.keys[0].hex(), nonce=nonce)
    assert done["complete"]
    client.sys.seal()
    with pytest.raises(exceptions.VaultDown):
        client.sys.list_policies()
    assert client.sys.submit_unseal_key(done["keys"][0])["sealed"] is False


def test_entities_groups_and_aliases_are_kept(client: hvac.Client):
    entity = client.secrets.identity.create_or_update_entity("ann", policies=["reader"], metadata={"team": "a"})["data"]["id"]
    accessor = client.sys.list_auth_methods()["data"]["token/"]["accessor"]
    client.secrets.identity.create_or_update_entity_alias("ann", entity, accessor)
    group = client.secrets.identity.create_or_update_group("ops", member_entity_ids=entity, policies=["ops"])["data"]["id"]
    assert client.secrets.identity.read_entity(entity)["data"]["group_ids"] == [group]
    assert client.secrets.identity.lookup_entity(name="ann")["data"]["id"] == entity
    assert client.secrets.identity.list_groups_by_name()["data"]["keys"] == ["ops"]
    client.secrets.identity.delete_group(group)
    client.secrets.identity.delete_entity(entity)

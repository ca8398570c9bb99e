"""hvac's calls for what operators do: init, unseal, seal, rekey, generate-root, rotate, audit and leases, beside OpenBao."""

import base64

import pytest
from hvac import exceptions

from hvac_beside import Pair, Told

LEADER = {f"GET sys/leader .{name}": "Vault shows it" for name in ("is_self", "leader_address", "leader_cluster_address")}
LENGTHS = {f"{method} sys/generate-root/attempt .otp_length": "our tokens have 28 characters" for method in ("GET", "PUT")}


def test_a_vault_is_initialised_and_unsealed_with_its_shares(newborn: Pair):
    def tale(told: Told) -> None:
        client = told.client("")
        assert client.sys.read_init_status()["initialized"] is False
        assert client.sys.is_initialized() is False
        assert client.sys.read_health_status(method="GET").status_code == 501
        assert client.sys.read_health_status(method="GET", uninit_code=299).status_code == 299
        client.sys.read_seal_status()
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.submit_unseal_key("00" * 33)
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.initialize(secret_shares=2, secret_threshold=3)
        made = client.sys.initialize(secret_shares=3, secret_threshold=2)
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.initialize(secret_shares=1, secret_threshold=1)
        assert client.sys.is_sealed()
        assert client.sys.read_health_status(method="GET").status_code == 503
        assert client.sys.read_health_status(method="GET", sealed_code=298).status_code == 298
        with pytest.raises(exceptions.VaultDown):
            told.client(made["root_token"]).sys.list_policies()
        assert client.sys.submit_unseal_key(made["keys"][0])["progress"] == 1
        assert client.sys.submit_unseal_key(reset=True)["progress"] == 0
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.submit_unseal_key("not hex or base64 !")
        client.sys.submit_unseal_key(made["keys_base64"][2])
        assert client.sys.submit_unseal_keys(made["keys"][:1])["sealed"] is False
        root = told.client(made["root_token"])
        assert root.is_authenticated()
        assert root.sys.read_health_status(method="GET")["sealed"] is False
        assert root.sys.read_health_status(method="HEAD").status_code == 200
        assert root.sys.read_health_status(method="GET", active_code=299).status_code == 299
        assert root.seal_status["t"] == 2
        root.sys.seal()
        assert client.sys.submit_unseal_keys([made["keys"][1], made["keys"][2]])["sealed"] is False

    newborn.tell(tale)


def test_the_leader_and_the_keys_are_told(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.read_leader_status()
        assert client.ha_status["ha_enabled"] is False
        assert client.key_status["term"] == client.sys.get_encryption_key_status()["data"]["term"]
        client.sys.rotate_encryption_key()
        assert client.sys.get_encryption_key_status()["data"]["term"] == 2
        assert client.rekey_status["started"] is False
        assert client.seal_status["sealed"] is False

    both.tell(tale, LEADER)


def test_a_server_that_shares_with_no_other_cannot_step_down(both: Pair):
    with pytest.raises(exceptions.InvalidRequest, match="shares its storage with no other"):
        both.ours.client().sys.step_down()


def test_new_shares_replace_the_old_ones_and_are_verified(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.read_rekey_progress()
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.rekey("00" * 32, nonce="none")
        client.sys.start_rekey(secret_shares=2, secret_threshold=2)
        client.sys.cancel_rekey()
        begun = client.sys.start_rekey(secret_shares=2, secret_threshold=2, require_verification=True)
        with pytest.raises(exceptions.VaultError):
            client.sys.rekey("00" * 32, nonce=begun["nonce"])
        client.sys.read_rekey_progress()
        done = client.sys.rekey(told.keys[0], nonce=begun["nonce"])
        assert done["verification_required"]
        nonce = done["verification_nonce"]
        client.sys.read_rekey_verify_progress()
        client.sys.rekey_verify(done["keys"][0], nonce)
        client.sys.cancel_rekey_verify()
        nonce = client.sys.read_rekey_verify_progress()["nonce"]
        assert client.sys.rekey_verify_multi(done["keys"], nonce)["complete"]
        nonce = client.sys.start_rekey(secret_shares=1, secret_threshold=1)["nonce"]
        again = client.sys.rekey_multi(done["keys"], nonce=nonce)
        assert again["complete"]
        told.keys = again["keys"]
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.read_backup_keys()
        client.sys.seal()
        assert client.sys.submit_unseal_key(told.keys[0])["sealed"] is False

    both.tell(
        tale,
        {
            "PUT sys/rekey/update status 400": "a wrong share is a client's mistake and no 500",
            "PUT sys/rekey/update .errors: ['rekey failed": "as above",
        },
    )


def test_a_root_token_is_generated_with_the_shares(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        assert client.generate_root_status["started"] is False
        client.sys.read_root_generation_progress()
        client.sys.start_root_token_generation()
        client.sys.cancel_root_generation()
        begun = client.sys.start_root_token_generation()
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.start_root_token_generation()
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.generate_root(told.keys[0], "none")
        done = client.sys.generate_root(told.keys[0], begun["nonce"])
        encoded = base64.b64decode(done["encoded_token"] + "==")
        token = bytes(one ^ other for one, other in zip(encoded, begun["otp"].encode(), strict=True)).decode()
        assert told.client(token).auth.token.lookup_self()["data"]["policies"] == ["root"]
        told.client(token).auth.token.revoke_self()

    both.tell(tale, {**LENGTHS, "PUT sys/generate-root/attempt .errors": "there are no namespaces here"})


def test_audit_devices_are_enabled_listed_and_disabled(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        options = {"file_path": "audit.log"}
        client.sys.enable_audit_device("file", path="log", description="one", options=options)
        assert client.sys.list_enabled_audit_devices()["data"]["log/"]["type"] == "file"
        assert client.sys.calculate_hash("log", "hello")["data"]["hash"].startswith("hmac-sha256:")
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.enable_audit_device("file", path="log", options=options)
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.enable_audit_device("file", path="unwritable", options={"file_path": "."})
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.calculate_hash("none", "hello")
        client.sys.disable_audit_device("log")
        assert client.sys.list_enabled_audit_devices()["data"] == {}
        client.sys.disable_audit_device("log")

    both.tell(tale)


def test_leases_of_tokens_are_read_renewed_and_revoked(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_auth_method("userpass", path="leased")
        client.auth.userpass.create_or_update_user("ann", password="correct horse", mount_point="leased")
        login = {"mount_point": "leased", "use_token": False}
        token = client.auth.userpass.login("ann", "correct horse", **login)["auth"]["client_token"]
        client.auth.token.create(ttl="1h")
        assert client.sys.list_leases("auth")["data"]["keys"] == ["leased/", "token/"]
        (name,) = client.sys.list_leases("auth/leased/login/ann")["data"]["keys"]
        lease = f"auth/leased/login/ann/{name}"
        assert client.sys.read_lease(lease)["data"]["renewable"] is True
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.renew_lease("nope")
        client.sys.revoke_lease(lease)
        with pytest.raises(exceptions.Forbidden):
            told.client(token).auth.token.lookup_self()
        client.auth.userpass.login("ann", "correct horse", **login)
        client.sys.revoke_prefix("auth/leased/login")
        client.auth.userpass.login("ann", "correct horse", **login)
        client.sys.revoke_force("auth/leased/login")
        with pytest.raises(exceptions.InvalidPath):
            client.sys.list_leases("auth/leased/login/ann")
        client.sys.disable_auth_method("leased")

    both.tell(tale, {"LIST sys/leases/lookup/auth/leased/login/ann .data.keys": "no two vaults have the same"})

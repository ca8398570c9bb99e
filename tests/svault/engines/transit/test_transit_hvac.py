"""Transit through real HTTP with hvac, the client that users already have, and with tokens that may not do everything."""

import base64

import hvac
import pytest

TEXT = base64.b64encode(b"the launch is at dawn").decode()


@pytest.fixture
def client(server):
    server.client.sys.enable_secrets_engine("transit")
    return server.client


def test_hvac_encrypts_rewraps_and_decrypts(client):
    transit = client.secrets.transit
    transit.create_key("k", exportable=True, allow_plaintext_backup=True)
    sealed = transit.encrypt_data("k", plaintext=TEXT)["data"]["ciphertext"]
    transit.rotate_key("k")
    rewrapped = transit.rewrap_data("k", sealed)["data"]["ciphertext"]
    assert rewrapped.startswith("vault:v2:")
    assert transit.decrypt_data("k", rewrapped)["data"]["plaintext"] == TEXT
    batch = transit.encrypt_data("k", batch_input=[{"plaintext": TEXT}, {"plaintext": TEXT}])["data"]["batch_results"]
    opened = transit.decrypt_data("k", batch_input=[{"ciphertext": item["ciphertext"]} for item in batch])
    assert [item["plaintext"] for item in opened["data"]["batch_results"]] == [TEXT, TEXT]
    datakey = transit.generate_data_key("k", "plaintext")["data"]
    assert transit.decrypt_data("k", datakey["ciphertext"])["data"]["plaintext"] == datakey["plaintext"]


def test_hvac_signs_verifies_and_hashes(client):
    transit = client.secrets.transit
    transit.create_key("k", key_type="ecdsa-p256")
    signed = transit.sign_data("k", TEXT, hash_algorithm="sha2-512", marshaling_algorithm="jws")["data"]["signature"]
    verified = transit.verify_signed_data("k", TEXT, signature=signed, hash_algorithm="sha2-512", marshaling_algorithm="jws")
    assert verified["data"] == {"valid": True}
    mac = transit.generate_hmac("k", TEXT, algorithm="sha2-256")["data"]["hmac"]
    assert transit.verify_signed_data("k", TEXT, hmac=mac)["data"] == {"valid": True}
    assert len(transit.hash_data(TEXT, algorithm="sha2-512", output_format="hex")["data"]["sum"]) == 128
    assert len(base64.b64decode(transit.generate_random_bytes(n_bytes=40, output_format="base64")["data"]["random_bytes"])) == 40


def test_hvac_manages_keys(client):
    transit = client.secrets.transit
    transit.create_key("k", exportable=True, allow_plaintext_backup=True, auto_rotate_period="24h")
    assert client.adapter.get("/v1/transit/keys", params={"list": "true"})["data"]["keys"] == ["k"]
    assert transit.export_key("k", "encryption-key", version="latest")["data"]["keys"].keys() == {"1"}
    backup = transit.backup_key("k")["data"]["backup"]
    transit.rotate_key("k")
    transit.update_key_configuration("k", min_encryption_version=2)
    transit.update_key_configuration("k", min_decryption_version=2)
    assert transit.trim_key("k", 2)["data"]["min_available_version"] == 2
    transit.restore_key(backup=backup, force=True)
    assert transit.read_key("k")["data"]["latest_version"] == 1
    transit.update_key_configuration("k", deletion_allowed=True)
    transit.delete_key("k")
    with pytest.raises(hvac.exceptions.InvalidPath):
        transit.read_key("k")


@pytest.mark.anyio
@pytest.mark.parametrize(("capabilities", "status"), [(["update"], 403), (["create"], 200), (["create", "update"], 200)])
async def test_a_missing_key_is_created_for_those_who_may_create(vault, capabilities, status):
    await vault.ok("POST", "sys/mounts/transit", {"type": "transit"})
    allowed = ",".join(f'"{capability}"' for capability in capabilities)
    policy = f'path "transit/encrypt/*" {{ capabilities = [{allowed}] }}'
    await vault.ok("POST", "sys/policies/acl/narrow", {"policy": policy})
    token = (await vault.ok("POST", "auth/token/create", {"policies": ["narrow"]}))["auth"]["client_token"]
    answer = await vault.call("POST", "transit/encrypt/k", {"plaintext": TEXT}, token=token)
    assert answer.status == status
    assert (await vault.call("GET", "transit/keys/k")).status == (200 if status == 200 else 404)

"""hvac's calls for transit, beside OpenBao."""

import base64

import pytest
from hvac import exceptions

from hvac_beside import Pair, Told

TEXT = base64.b64encode(b"the launch is at dawn").decode()
CONTEXT = base64.b64encode(b"of one person").decode()
AT = {"mount_point": "keys"}
RANDOM = "it is random"


def test_keys_are_made_read_configured_rotated_exported_backed_up_and_deleted(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_secrets_engine("transit", path="keys")
        transit = client.secrets.transit
        transit.create_key("k", exportable=True, allow_plaintext_backup=True, auto_rotate_period="24h", **AT)
        transit.create_key("rsa", key_type="rsa-2048", **AT)
        transit.create_key("k", **AT)
        transit.read_key("k", **AT)
        assert transit.list_keys(**AT)["data"]["keys"] == ["k", "rsa"]
        assert transit.export_key("k", "encryption-key", version="latest", **AT)["data"]["keys"].keys() == {"1"}
        transit.export_key("k", "hmac-key", **AT)
        with pytest.raises(exceptions.InvalidRequest):
            transit.export_key("rsa", "encryption-key", **AT)
        backup = transit.backup_key("k", **AT)["data"]["backup"]
        transit.rotate_key("k", **AT)
        with pytest.raises(exceptions.InvalidRequest):
            transit.trim_key("k", 2, **AT)
        transit.update_key_configuration("k", min_encryption_version=2, **AT)
        transit.update_key_configuration("k", min_decryption_version=2, **AT)
        transit.trim_key("k", 2, **AT)
        transit.read_key("k", **AT)
        with pytest.raises(exceptions.VaultError):
            transit.restore_key(backup, **AT)
        transit.restore_key(backup, name="copy", **AT)
        transit.restore_key(backup, force=True, **AT)
        with pytest.raises(exceptions.InvalidRequest):
            transit.delete_key("k", **AT)
        transit.update_key_configuration("k", deletion_allowed=True, **AT)
        transit.delete_key("k", **AT)
        with pytest.raises(exceptions.InvalidPath):
            transit.read_key("k", **AT)
        client.sys.disable_secrets_engine("keys")

    both.tell(
        tale,
        {
            "GET keys/export/encryption-key/k/latest .data.keys.1": RANDOM,
            "GET keys/export/hmac-key/k .data.keys.1": RANDOM,
            "GET keys/backup/k .data.backup": RANDOM,
            "POST keys/restore status 400": "a client's mistake is no 500",
            "POST keys/restore .errors": "ours says it without a frame",
        },
    )


def test_texts_are_encrypted_decrypted_and_rewrapped(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_secrets_engine("transit", path="keys")
        transit = client.secrets.transit
        transit.create_key("k", **AT)
        sealed = transit.encrypt_data("k", plaintext=TEXT, associated_data=CONTEXT, **AT)["data"]["ciphertext"]
        assert transit.decrypt_data("k", sealed, associated_data=CONTEXT, **AT)["data"]["plaintext"] == TEXT
        with pytest.raises(exceptions.InvalidRequest):
            transit.decrypt_data("k", sealed, **AT)
        sealed = transit.encrypt_data("k", plaintext=TEXT, **AT)["data"]["ciphertext"]
        transit.rotate_key("k", **AT)
        rewrapped = transit.rewrap_data("k", sealed, **AT)["data"]["ciphertext"]
        assert transit.decrypt_data("k", rewrapped, **AT)["data"]["plaintext"] == TEXT
        batch = transit.encrypt_data("k", batch_input=[{"plaintext": TEXT}, {"plaintext": TEXT}], **AT)["data"]["batch_results"]
        transit.decrypt_data("k", batch_input=[{"ciphertext": item["ciphertext"]} for item in batch], **AT)
        transit.create_key("derived", derived=True, convergent_encryption=True, **AT)
        once = transit.encrypt_data("derived", plaintext=TEXT, context=CONTEXT, **AT)["data"]["ciphertext"]
        assert once == transit.encrypt_data("derived", plaintext=TEXT, context=CONTEXT, **AT)["data"]["ciphertext"]
        with pytest.raises(exceptions.InvalidRequest):
            transit.encrypt_data("derived", plaintext=TEXT, **AT)
        with pytest.raises(exceptions.InvalidRequest):
            transit.encrypt_data("k", plaintext="no base64!", **AT)
        datakey = transit.generate_data_key("k", "plaintext", bits=512, **AT)["data"]
        assert transit.decrypt_data("k", datakey["ciphertext"], **AT)["data"]["plaintext"] == datakey["plaintext"]
        transit.generate_data_key("k", "wrapped", **AT)
        client.sys.disable_secrets_engine("keys")

    both.tell(tale, {f"POST keys/{path}/k .data.plaintext": RANDOM for path in ("datakey/plaintext", "decrypt")})


@pytest.mark.parametrize("kind", ["ecdsa-p256", "ed25519", "rsa-2048"])
def test_texts_are_signed_verified_and_hashed(both: Pair, kind: str):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_secrets_engine("transit", path="keys")
        transit = client.secrets.transit
        transit.create_key("k", key_type=kind, **AT)
        signed = transit.sign_data("k", TEXT, hash_algorithm="sha2-256", **AT)["data"]["signature"]
        assert transit.verify_signed_data("k", TEXT, signature=signed, hash_algorithm="sha2-256", **AT)["data"]["valid"] is True
        assert (
            transit.verify_signed_data("k", CONTEXT, signature=signed, hash_algorithm="sha2-256", **AT)["data"]["valid"] is False
        )
        transit.sign_data("k", batch_input=[{"input": TEXT}, {"input": CONTEXT}], **AT)
        transit.generate_hmac("k", TEXT, algorithm="sha2-512", **AT)
        mac = transit.generate_hmac("k", TEXT, **AT)["data"]["hmac"]
        assert transit.verify_signed_data("k", TEXT, hmac=mac, **AT)["data"]["valid"] is True
        transit.hash_data(TEXT, algorithm="sha2-512", output_format="hex", **AT)
        transit.generate_random_bytes(n_bytes=40, output_format="base64", **AT)
        client.sys.disable_secrets_engine("keys")

    shown = {"POST keys/keys/k .data.keys.1.public_key": RANDOM} if kind == "ed25519" else {}
    both.tell(tale, {"POST keys/verify/k .warnings": "hvac says the name twice, which is no mistake", **shown})

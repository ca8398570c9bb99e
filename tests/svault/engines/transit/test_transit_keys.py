"""The life of keys: what they show, step by step beside a real OpenBao, and what they allow."""

import base64
import re

import pytest

pytestmark = pytest.mark.anyio

CLASSICAL = [
    "aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305", "ed25519", "ecdsa-p256", "ecdsa-p384",
    "ecdsa-p521", "rsa-2048", "hmac",
]  # fmt: skip
TEXT = base64.b64encode(b"the launch is at dawn").decode()
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
LIFE = [
    ("POST", "keys/k/rotate", {}),
    ("POST", "keys/k/rotate", {}),
    ("POST", "keys/k/config", {"min_decryption_version": 0}),
    ("POST", "keys/k/config", {"min_decryption_version": 2, "min_encryption_version": 2}),
    ("GET", "keys/k", {}),
    ("GET", "backup/k", {}),
    ("POST", "keys/k/config", {"min_decryption_version": 1}),
    ("POST", "keys/k/config", {"min_decryption_version": "2", "deletion_allowed": "true", "auto_rotate_period": "24h"}),
    ("POST", "keys/k/config", {"exportable": False, "allow_plaintext_backup": False}),
    ("POST", "keys/k/trim", {"min_available_version": 2}),
    ("POST", "keys/k/config", {"min_encryption_version": 0}),
    ("DELETE", "keys/k/soft-delete", {}),
    ("DELETE", "keys/k/soft-delete", {}),
    ("GET", "keys/k", {}),
    ("POST", "keys/k/soft-delete-restore", {}),
    ("POST", "keys/k/soft-delete-restore", {}),
    ("DELETE", "keys/none/soft-delete", {}),
    ("POST", "keys/none/soft-delete-restore", {}),
    ("LIST", "keys", {}),
    ("DELETE", "keys/k", {}),
    ("GET", "keys/k", {}),
    ("LIST", "keys", {}),
]


def without_chance(value, name=""):
    """An answer without what differs from one vault to the next: times, keys, backups."""
    if isinstance(value, dict):
        return {key: without_chance(entry, key) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_chance(entry) for entry in value]
    if isinstance(value, str) and (TIME.fullmatch(value) or name in {"public_key", "backup"}):
        return "..." if value else ""
    return "..." if isinstance(value, int) and value > 1_700_000_000 else value


@pytest.mark.parametrize("kind", CLASSICAL)
async def test_a_key_shows_the_same_fields_as_openbaos_through_its_whole_life(call, bao, kind):
    options = {"type": kind, "exportable": True, "allow_plaintext_backup": True}
    first = ("POST", "keys/k", options | ({"key_size": 32} if kind == "hmac" else {}))
    for step in (first, first, *LIFE):
        ours, theirs = await call(*step), await bao(*step)
        ours.errors, theirs.errors = ours.errors[:1], [error.split("\n\t* ")[-1].strip() for error in theirs.errors]
        theirs.status = 400 if theirs.status == 500 else theirs.status
        assert without_chance(vars(ours)) == without_chance(vars(theirs)), step


@pytest.mark.parametrize("options", [{"derived": True}, {"derived": True, "convergent_encryption": True}])
@pytest.mark.parametrize("kind", ["aes256-gcm96", "ed25519"])
async def test_derived_keys_show_the_same_fields_as_openbaos(call, bao, kind, options):
    for step in (("POST", "keys/k", {"type": kind} | options), ("GET", "keys/k", {}), ("GET", "keys/k?context=YWJj", {})):
        ours, theirs = await call(*step), await bao(*step)
        theirs.status = 400 if theirs.status == 500 else theirs.status
        assert (ours.status, without_chance(ours.data)) == (theirs.status, without_chance(theirs.data)), step


async def test_configurations_of_the_mount_are_answered_as_by_openbao(call, bao):
    for step in (
        ("GET", "cache-config", {}),
        ("POST", "cache-config", {"size": 500}),
        ("GET", "cache-config", {}),
        ("GET", "config/keys", {}),
        ("POST", "config/keys", {"disable_upsert": True}),
        ("GET", "config/keys", {}),
        ("POST", "encrypt/missing", {"plaintext": TEXT}),
        ("POST", "config/keys", {"disable_upsert": False}),
    ):
        assert await call(*step) == await bao(*step), step


async def test_encrypting_with_a_missing_key_creates_it_as_asked(call, bao):
    for side in (call, bao):
        await side("POST", "encrypt/plain", {"plaintext": TEXT})
        await side("POST", "encrypt/chacha", {"plaintext": TEXT, "type": "chacha20-poly1305"})
        batch = [{"plaintext": TEXT, "context": TEXT}] * 2
        await side("POST", "encrypt/convergent", {"batch_input": batch, "convergent_encryption": True})
    for name in ("plain", "chacha", "convergent"):
        ours, theirs = await call("GET", f"keys/{name}"), await bao("GET", f"keys/{name}")
        assert without_chance(ours.data) == without_chance(theirs.data)


async def test_keys_are_listed_in_pages(call):
    for name in ("b", "a", "c"):
        await call("POST", f"keys/{name}")
    assert (await call("LIST", "keys")).data == {"keys": ["a", "b", "c"]}
    assert (await call("LIST", "keys?after=a&limit=1")).data == {"keys": ["b"]}


async def test_a_trimmed_version_is_gone_for_good(call):
    await call("POST", "keys/k")
    old = await call("POST", "encrypt/k", {"plaintext": TEXT})
    await call("POST", "keys/k/rotate")
    await call("POST", "keys/k/config", {"min_decryption_version": 2, "min_encryption_version": 2})
    assert (await call("POST", "decrypt/k", old.data)).status == 400
    await call("POST", "keys/k/trim", {"min_available_version": 2})
    assert (await call("POST", "keys/k/config", {"min_decryption_version": 1})).status == 400
    assert (await call("POST", "decrypt/k", old.data)).status == 400


async def test_lowering_the_minimum_decryption_version_opens_old_ciphertexts_again(call):
    await call("POST", "keys/k")
    old = await call("POST", "encrypt/k", {"plaintext": TEXT})
    await call("POST", "keys/k/rotate")
    await call("POST", "keys/k/config", {"min_decryption_version": 2})
    assert (await call("POST", "decrypt/k", old.data)).errors == [
        "ciphertext or signature version is disallowed by policy (too old)"
    ]
    await call("POST", "keys/k/config", {"min_decryption_version": 1})
    assert (await call("POST", "decrypt/k", old.data)).data == {"plaintext": TEXT}


async def test_the_latest_version_is_used_from_the_moment_of_the_rotation(call):
    await call("POST", "keys/k")
    assert (await call("POST", "encrypt/k", {"plaintext": TEXT})).data["key_version"] == 1
    await call("POST", "keys/k/rotate")
    assert (await call("POST", "encrypt/k", {"plaintext": TEXT})).data["key_version"] == 2

"""Post-quantum keys: the same API, seeds in the storage, every operation that makes sense for them."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_public_key

from awslc import libcrypto
from svault.crypto.choice import LOADERS
from svault.crypto.unavailable import BackendUnavailableError

pytestmark = pytest.mark.anyio
KEMS = ["ml-kem-768", "x25519-ml-kem-768"]
SIGNERS = ["ml-dsa-65", "mldsa-65"]
TEXT = base64.b64encode(b"the launch is at dawn").decode()
CONTEXT = base64.b64encode(b"orders").decode()


@pytest.mark.parametrize("kind", KEMS)
async def test_a_kem_key_encrypts_rewraps_and_makes_data_keys(call, kind):
    created = await call("POST", "keys/k", {"type": kind})
    assert created.data["type"] == created.data["keys"]["1"]["name"] == kind
    assert (created.data["supports_encryption"], created.data["supports_signing"]) == (True, False)
    sealed = await call("POST", "encrypt/k", {"plaintext": TEXT, "associated_data": CONTEXT})
    assert (await call("POST", "decrypt/k", sealed.data)).errors == ["cipher: message authentication failed"]
    assert (await call("POST", "decrypt/k", sealed.data | {"associated_data": CONTEXT})).data == {"plaintext": TEXT}
    old = await call("POST", "encrypt/k", {"plaintext": TEXT})
    await call("POST", "keys/k/rotate")
    new = await call("POST", "rewrap/k", {"ciphertext": old.data["ciphertext"]})
    assert new.data["key_version"] == 2
    assert (await call("POST", "decrypt/k", new.data)).data == {"plaintext": TEXT}
    datakey = await call("POST", "datakey/plaintext/k")
    opened = await call("POST", "decrypt/k", {"ciphertext": datakey.data["ciphertext"]})
    assert opened.data["plaintext"] == datakey.data["plaintext"]


async def test_encrypting_with_a_missing_key_can_create_a_kem_key(call):
    assert (await call("POST", "encrypt/k", {"plaintext": TEXT, "type": "ml-kem-768"})).status == 200
    assert (await call("GET", "keys/k")).data["type"] == "ml-kem-768"


@pytest.mark.parametrize("kind", SIGNERS)
async def test_ml_dsa_signs_and_verifies_under_both_of_its_names(call, kind):
    assert (await call("POST", "keys/k", {"type": kind})).data["type"] == "ml-dsa-65"
    signed = await call("POST", "sign/k", {"input": TEXT})
    assert (await call("POST", "verify/k", {"input": TEXT} | signed.data)).data == {"valid": True}
    assert (await call("POST", "verify/k", {"input": CONTEXT} | signed.data)).data == {"valid": False}


async def test_an_ml_dsa_signature_is_the_pure_one_of_fips_204(call):
    await call("POST", "keys/k", {"type": "ml-dsa-65"})
    shown = (await call("GET", "export/public-key/k")).data["keys"]["1"]
    public = MLDSA65PublicKey.from_public_bytes(base64.b64decode(shown))
    for body, context in (({}, b""), ({"context": CONTEXT}, b"orders")):
        signed = await call("POST", "sign/k", {"input": TEXT} | body)
        signature = base64.b64decode(signed.data["signature"].rpartition(":")[2])
        public.verify(signature, base64.b64decode(TEXT), context)
        with pytest.raises(InvalidSignature):
            public.verify(signature, base64.b64decode(TEXT), b"another")
        assert (await call("POST", "verify/k", {"input": TEXT} | body | signed.data)).data == {"valid": True}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"prehashed": True}, "key type ml-dsa-65 signs the message itself; send it without prehashed"),
        ({"context": base64.b64encode(bytes(256)).decode()}, "the context of key type ml-dsa-65 has at most 255 bytes"),
    ],
)
async def test_what_ml_dsa_cannot_do_is_refused_with_a_sentence(call, body, sentence):
    await call("POST", "keys/k", {"type": "ml-dsa-65"})
    signed = await call("POST", "sign/k", {"input": TEXT})
    assert (await call("POST", "sign/k", {"input": TEXT} | body)).errors == [sentence]
    assert (await call("POST", "verify/k", {"input": TEXT} | signed.data | body)).errors == [sentence]


@pytest.mark.parametrize("kind", [*KEMS, "ml-dsa-65"])
async def test_post_quantum_keys_cannot_be_derived(call, kind):
    answer = await call("POST", "keys/k", {"type": kind, "derived": True})
    assert answer.errors == [f"key derivation and convergent encryption not supported for keys of type {kind}"]


@pytest.mark.parametrize("kind", [*KEMS, "ml-dsa-65"])
async def test_post_quantum_keys_are_backed_up_and_restored(call, kind):
    await call("POST", "keys/k", {"type": kind, "exportable": True, "allow_plaintext_backup": True})
    backup = (await call("GET", "backup/k")).data
    assert (await call("POST", "restore/copy", backup)).status == 204
    for what in ("encryption-key", "signing-key", "public-key", "hmac-key"):
        first, second = [await call("GET", f"export/{what}/{name}") for name in ("k", "copy")]
        assert first.data.get("keys") == second.data.get("keys")


async def test_openbao_refuses_the_backup_of_a_key_type_that_it_does_not_know(call, bao):
    await call("POST", "keys/k", {"type": "ml-kem-768", "exportable": True, "allow_plaintext_backup": True})
    assert (await bao("POST", "restore", (await call("GET", "backup/k")).data)).status == 500
    assert (await bao("GET", "keys/k")).status == 404


async def test_exports_of_ml_dsa_and_ml_kem_are_read_by_another_library(call):
    await call("POST", "keys/sign", {"type": "ml-dsa-65", "exportable": True})
    await call("POST", "keys/seal", {"type": "ml-kem-768", "exportable": True})
    for what, name in (("signing-key", "sign"), ("encryption-key", "seal")):
        der = (await call("GET", f"export/{what}/{name}?format=der")).data["keys"]["1"]
        raw = (await call("GET", f"export/{what}/{name}")).data["keys"]["1"]
        pem = (await call("GET", f"export/public-key/{name}?format=pem")).data["keys"]["1"]
        private = load_der_private_key(base64.b64decode(der), None)
        assert private.private_bytes_raw() == base64.b64decode(raw)
        assert load_pem_public_key(pem.encode()) == private.public_key()


async def test_the_hybrid_key_has_no_der(call):
    await call("POST", "keys/k", {"type": "x25519-ml-kem-768", "exportable": True})
    answer = await call("GET", "export/encryption-key/k?format=der")
    assert answer.errors == ["unknown key format for x25519-ml-kem-768 key; supported values are `` or `raw`"]


@pytest.mark.parametrize(("kind", "size"), [("ml-dsa-65", 32), ("ml-kem-768", 64), ("x25519-ml-kem-768", 32)])
async def test_a_seed_is_imported_like_a_symmetric_key(call, kind, size):
    wrapping = load_pem_public_key((await call("GET", "wrapping_key")).data["public_key"].encode())
    ephemeral, seed = bytes(32), bytes(range(size))
    wrapped = wrapping.encrypt(ephemeral, OAEP(MGF1(SHA256()), SHA256(), None)) + aes_key_wrap_with_padding(ephemeral, seed)
    body = {"type": kind, "exportable": True, "ciphertext": base64.b64encode(wrapped).decode()}
    assert (await call("POST", "keys/k/import", body)).status == 204
    what = "signing-key" if kind == "ml-dsa-65" else "encryption-key"
    exported = (await call("GET", f"export/{what}/k")).data["keys"]["1"]
    assert base64.b64decode(exported) == seed


@pytest.mark.parametrize("other", [name for name in LOADERS if name != "openssl"])
async def test_a_key_works_on_in_a_vault_with_another_backend(new_transit, other, monkeypatch: pytest.MonkeyPatch):
    if other == "aws-lc":
        monkeypatch.setenv("SVAULT_AWSLC_LIBCRYPTO", str(libcrypto()))
    first = new_transit()
    for name, kind in (("sign", "ml-dsa-65"), ("seal", "ml-kem-768"), ("both", "x25519-ml-kem-768")):
        await first.call("POST", f"keys/{name}", {"type": kind})
    try:
        second = new_transit(first.entries, first.clock, other)
    except BackendUnavailableError as error:
        pytest.skip(str(error))
    for writer, reader in ((first, second), (second, first)):
        signed = await writer.call("POST", "sign/sign", {"input": TEXT})
        assert (await reader.call("POST", "verify/sign", {"input": TEXT} | signed.data)).data == {"valid": True}
        for name in ("seal", "both"):
            sealed = await writer.call("POST", f"encrypt/{name}", {"plaintext": TEXT})
            assert (await reader.call("POST", f"decrypt/{name}", sealed.data)).data == {"plaintext": TEXT}

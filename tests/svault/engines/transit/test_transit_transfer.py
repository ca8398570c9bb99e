"""Imports with public and private parts, backups, restores, and certificates of signing keys."""

import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_public_key
from cryptography.x509.oid import NameOID

pytestmark = pytest.mark.anyio
NUMBERS = count()
TEXT = base64.b64encode(b"the launch is at dawn").decode()
PRIVATE = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa-p256": ec.generate_private_key(ec.SECP256R1()),
    "rsa-2048": rsa.generate_private_key(65537, 2048),
}
ANOTHER = {"ed25519": ed25519.Ed25519PrivateKey.generate(), "ecdsa-p256": ec.generate_private_key(ec.SECP256R1())}


async def wrapped(call, key, ephemeral=bytes(range(32))):
    """A private key as import takes it."""
    if not isinstance(key, bytes):
        key = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    own = load_pem_public_key((await call("GET", "wrapping_key")).data["public_key"].encode())
    return base64.b64encode(
        own.encrypt(ephemeral, OAEP(MGF1(SHA256()), SHA256(), None)) + aes_key_wrap_with_padding(ephemeral, key)
    ).decode()


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module", params=["ours", "theirs"])
def side(request, new_transit, new_bao):
    """The same story is told by us and by a real OpenBao; making a wrapping key is slow, so that all tests share a mount."""
    return new_transit().call if request.param == "ours" else new_bao()


@pytest.fixture
def key():
    """The path of a key that no other test of the mount has."""
    return f"k{next(NUMBERS)}"


@pytest.mark.parametrize("kind", list(PRIVATE))
async def test_a_public_key_verifies_until_its_private_part_comes_and_signs(side, key, kind):
    body = {"type": kind, "public_key": public(PRIVATE[kind])}
    assert (await side("POST", f"keys/{key}/import", body)).status == 204
    refused = await side("POST", f"sign/{key}", {"input": TEXT})
    assert "requested version for signing does not contain a private part" in refused.errors[0]
    assert (await side("POST", f"verify/{key}", {"input": TEXT, "signature": "vault:v1:"})).data.get("valid", False) is False
    completed = {"ciphertext": await wrapped(side, PRIVATE[kind])}
    assert (await side("POST", f"keys/{key}/import_version", completed)).status == 204
    shown = (await side("GET", f"keys/{key}")).data
    assert (shown["latest_version"], shown["imported_key"]) == (1, True)
    signed = await side("POST", f"sign/{key}", {"input": TEXT})
    assert (await side("POST", f"verify/{key}", {"input": TEXT} | signed.data)).data == {"valid": True}


@pytest.mark.parametrize("kind", list(ANOTHER))
async def test_another_private_key_becomes_another_version(side, key, kind):
    await side("POST", f"keys/{key}/import", {"type": kind, "public_key": public(PRIVATE[kind])})
    another = {"ciphertext": await wrapped(side, ANOTHER[kind])}
    assert (await side("POST", f"keys/{key}/import_version", another | {"version": 1})).status in {400, 500}
    assert (await side("POST", f"keys/{key}/import_version", another)).status == 204
    assert (await side("GET", f"keys/{key}")).data["latest_version"] == 2


async def test_an_imported_key_rotates_only_when_that_was_allowed(side, key):
    for name, allowed in (("fixed", False), ("free", True)):
        body = {"ciphertext": await wrapped(side, bytes(32)), "allow_rotation": allowed}
        assert (await side("POST", f"keys/{key}-{name}/import", body)).status == 204
        shown = (await side("GET", f"keys/{key}-{name}")).data
        assert (shown["imported_key"], shown["imported_key_allow_rotation"]) == (True, allowed)
        assert ((await side("POST", f"keys/{key}-{name}/rotate")).status == 200) is allowed
    assert (await side("GET", f"keys/{key}-free")).data["imported_key"] is False


@pytest.mark.parametrize(
    ("kind", "material"),
    [
        ("aes256-gcm96", bytes(16)),
        ("aes128-gcm96", bytes(32)),
        ("hmac", bytes(24)),
        ("rsa-3072", PRIVATE["rsa-2048"]),
        ("ecdsa-p384", PRIVATE["ecdsa-p256"]),
        ("ed25519", PRIVATE["ecdsa-p256"]),
        ("rsa-2048", bytes(50)),
    ],
)
async def test_a_key_of_another_type_is_not_imported(side, key, kind, material):
    answer = await side("POST", f"keys/{key}/import", {"type": kind, "ciphertext": await wrapped(side, material)})
    assert answer.status in {400, 500}
    assert "error importing key: " in answer.errors[0]
    assert (await side("GET", f"keys/{key}")).status == 404


async def test_a_key_wrapped_with_a_short_aes_key_is_refused(side, key):
    body = {"ciphertext": await wrapped(side, bytes(32), ephemeral=bytes(16))}
    answer = await side("POST", f"keys/{key}/import", body)
    assert "expected ephemeral AES key to be 256-bit" in answer.errors[0]


async def test_deriving_into_a_key_of_another_type_is_refused(call):
    await call("POST", "keys/base", {"type": "ecdsa-p256"})
    await call("POST", "keys/other", {"type": "chacha20-poly1305"})
    peer = (await call("GET", "keys/base")).data["keys"]["1"]["public_key"]
    answer = await call("POST", "derive-key/other", {"base_key_name": "base", "peer_public_key": peer})
    assert answer.errors == ["error importing key: the key other is of type chacha20-poly1305"]


async def test_a_wrapped_key_that_was_changed_is_refused_without_a_hint(call):
    good = bytearray(base64.b64decode(await wrapped(call, bytes(32))))
    sentences = set()
    for position in (0, 511, 512, len(good) - 1):
        bad = bytearray(good)
        bad[position] ^= 1
        answer = await call("POST", "keys/k/import", {"ciphertext": base64.b64encode(bad).decode()})
        assert answer.status == 400
        sentences |= set(answer.errors)
    assert len(sentences) == 1


async def test_a_restored_key_takes_the_given_name_and_says_when(transit):
    call = transit.call
    await call("POST", "keys/k", {"exportable": True, "allow_plaintext_backup": True})
    backup = (await call("GET", "backup/k")).data
    assert (await call("POST", "restore", backup)).errors == ['key "k" already exists']
    assert (await call("POST", "restore", backup | {"name": "a/b"})).errors == ["key names cannot be paths"]
    transit.clock.now += 60
    assert (await call("POST", "restore/copy", backup)).status == 204
    shown = (await call("GET", "keys/copy")).data
    assert shown["restore_info"] == {"time": "2027-01-15T08:01:00.000000Z", "version": 1}
    await call("POST", "keys/k/rotate")
    assert (await call("POST", "restore", backup | {"force": True})).status == 204
    assert (await call("GET", "keys/k")).data["latest_version"] == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "../up"}, "key names cannot be paths"),
        ({"name": ""}, "key names cannot be paths"),
        ({"type": 99}, None),
        ({"keys": {}}, None),
        ({"latest_version": 5}, None),
        ({"latest_version": 10**17}, None),
        ({"derived": True, "kdf": 0}, "the backup's key derives with hmac-sha256-counter, which is no longer used"),
        ({"version_template": "x{{version}}:"}, "the backup's key writes ciphertexts with its own prefix"),
    ],
)
async def test_a_backup_that_cannot_be_used_is_refused(call, change, sentence):
    await call("POST", "keys/k", {"exportable": True, "allow_plaintext_backup": True})
    document = json.loads(base64.b64decode((await call("GET", "backup/k")).data["backup"]))
    document["policy"] |= change
    document["archived_keys"] = {"keys": document["archived_keys"]["keys"] if "latest_version" in change else []}
    answer = await call("POST", "restore", {"backup": base64.b64encode(json.dumps(document).encode()).decode(), "force": True})
    assert answer.status == 400
    assert answer.errors[0].startswith(sentence or "the backup cannot be read")


@pytest.mark.parametrize("in_version", [True, False])
async def test_a_key_that_derives_nonces_in_an_old_way_is_refused(side, key, in_version):
    options = {"derived": True, "convergent_encryption": True, "exportable": True, "allow_plaintext_backup": True}
    await side("POST", f"keys/{key}", options)
    document = json.loads(base64.b64decode((await side("GET", f"backup/{key}")).data["backup"]))
    document["policy"]["convergent_version"] = -1 if in_version else 2
    for entry in [*document["policy"]["keys"].values(), *document["archived_keys"]["keys"]]:
        entry["convergent_version"] = 2 if in_version else 0
    backup = base64.b64encode(json.dumps(document).encode()).decode()
    assert (await side("POST", f"restore/{key}-old", {"backup": backup})).status == 204
    sentence = "refusing to support decryption with old convergent encryption key: version 2"
    for path, body in (("encrypt", {"plaintext": TEXT}), ("decrypt", {"ciphertext": "vault:v1:aaaa"})):
        assert (await side("POST", f"{path}/{key}-old", body | {"context": TEXT})).errors == [sentence]


def authority(name, key, issuer, issuer_key, *, is_authority):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(issuer_key, SHA256())
    )


@pytest.mark.parametrize("kind", ["ecdsa-p256", "ecdsa-p521", "ed25519", "rsa-2048"])
async def test_a_key_gets_a_certificate_by_its_own_request(side, key, kind):
    await certify(side, key, kind)


async def test_an_ml_dsa_key_gets_a_certificate_by_its_own_request(call):
    await certify(call, "k", "ml-dsa-65")


async def certify(side, key, kind):
    """A request of the key, a certificate for it, and the refusals on the way."""
    await side("POST", f"keys/{key}", {"type": kind})
    template = (
        x509.CertificateSigningRequestBuilder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer.example.com")]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("signer.example.com")]), critical=False)
        .sign(PRIVATE["rsa-2048"], SHA256())
    )
    answer = await side("POST", f"keys/{key}/csr", {"csr": template.public_bytes(Encoding.PEM).decode()})
    request = x509.load_pem_x509_csr(answer.data["csr"].encode())
    assert request.is_signature_valid
    assert request.subject == template.subject
    assert [extension.value for extension in request.extensions] == [extension.value for extension in template.extensions]
    root_key = PRIVATE["ecdsa-p256"]
    root = authority("root", root_key.public_key(), "root", root_key, is_authority=True)
    leaf = authority("signer.example.com", request.public_key(), "root", root_key, is_authority=False)
    pem = [certificate.public_bytes(Encoding.PEM).decode() for certificate in (leaf, root)]
    for order, sentence in (
        ([1, 0], "certificate in the first element is not a valid leaf certificate"),
        ([0, 0], "certificate in the last element is not a valid CA certificate"),
        ([0, 0, 1], "could not validate if there is only one leaf certificate in the provided chain"),
    ):
        body = {"certificate_chain": "".join(pem[index] for index in order)}
        answer = await side("POST", f"keys/{key}/set-certificate", body)
        assert answer.errors == [f"failed to persist certificate chain: {sentence}"]
    set_ = await side("POST", f"keys/{key}/set-certificate", {"certificate_chain": "".join(pem)})
    assert set_.data == {"name": key, "type": kind, "certificate_chain": "".join(pem)}
    chain = "".join(pem).strip()
    assert (await side("GET", f"keys/{key}")).data["keys"]["1"]["certificate_chain"] == chain
    assert (await side("GET", f"export/certificate-chain/{key}")).data["keys"] == {"1": chain}
    await side("POST", f"keys/{key}-other", {"type": kind})
    assert (await side("POST", f"keys/{key}-other/set-certificate", {"certificate_chain": "".join(pem)})).status in {400, 500}

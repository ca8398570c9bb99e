"""Keys go from a real OpenBao to us and back, and each side reads what the other made, for every type that OpenBao has."""

import base64
from itertools import product

import pytest

pytestmark = pytest.mark.anyio

AEADS = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"]
RSA = ["rsa-2048", "rsa-3072", "rsa-4096"]
ECDSA = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521"]
HASHES = ["sha1", "sha2-224", "sha2-256", "sha2-384", "sha2-512", "sha3-224", "sha3-256", "sha3-384", "sha3-512"]
TEXT = base64.b64encode(b"the launch is at dawn").decode()
CONTEXT = base64.b64encode(b"tenant 7").decode()
SHARED = {"exportable": True, "allow_plaintext_backup": True}


async def done(call, method, path, body=None):
    answer = await call(method, path, body)
    assert answer.status in {200, 204}, (path, body, answer)
    return answer.data


async def share(source, target, **options):
    """Create the key `k` at `source`, restore its backup at `target`. It has three versions; of RSA, which is slow, one."""
    await done(source, "POST", "keys/k", SHARED | options)
    if options["type"] not in RSA:
        for _ in range(2):
            await done(source, "POST", "keys/k/rotate")
        await done(source, "POST", "keys/k/config", {"min_decryption_version": 2})
    await done(target, "POST", "restore", await done(source, "GET", "backup/k"))


@pytest.fixture(params=["ours", "theirs"])
def made_by(request, call, bao):
    """Who makes the key, and who gets it as a backup."""
    return (call, bao) if request.param == "ours" else (bao, call)


@pytest.mark.parametrize(("kind", "derived"), [*product(AEADS, [None, "derived", "convergent"]), *product(RSA, [None])])
async def test_each_side_decrypts_what_the_other_encrypted(made_by, kind, derived):
    options = {"type": kind, "derived": derived is not None, "convergent_encryption": derived == "convergent"}
    await share(*made_by, **options)
    body = {"plaintext": TEXT} | ({"context": CONTEXT} if derived else {})
    for writer, reader in (made_by, made_by[::-1]):
        for version in [1] if kind in RSA else [2, 3]:
            sealed = await done(writer, "POST", "encrypt/k", body | {"key_version": version})
            assert sealed["key_version"] == version
            opened = await done(reader, "POST", "decrypt/k", body | sealed)
            assert opened == {"plaintext": TEXT}
            rewrapped = await done(reader, "POST", "rewrap/k", body | {"ciphertext": sealed["ciphertext"]})
            assert rewrapped["key_version"] == (1 if kind in RSA else 3)
            assert (await done(writer, "POST", "decrypt/k", body | rewrapped)) == {"plaintext": TEXT}
        datakey = await done(writer, "POST", "datakey/plaintext/k", body)
        opened = await done(reader, "POST", "decrypt/k", body | {"ciphertext": datakey["ciphertext"]})
        assert opened["plaintext"] == datakey["plaintext"]


@pytest.mark.parametrize("kind", AEADS)
async def test_convergent_ciphertexts_are_the_same_bytes_on_both_sides(made_by, kind):
    await share(*made_by, type=kind, derived=True, convergent_encryption=True)
    answers = [await done(side, "POST", "encrypt/k", {"plaintext": TEXT, "context": CONTEXT}) for side in made_by]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", AEADS)
async def test_associated_data_is_authenticated_on_both_sides(made_by, kind):
    await share(*made_by, type=kind)
    for writer, reader in (made_by, made_by[::-1]):
        sealed = await done(writer, "POST", "encrypt/k", {"plaintext": TEXT, "associated_data": CONTEXT})
        body = {"ciphertext": sealed["ciphertext"]}
        assert (await done(reader, "POST", "decrypt/k", body | {"associated_data": CONTEXT})) == {"plaintext": TEXT}
        assert (await reader("POST", "decrypt/k", body)).status == 400


def signing_options():
    for kind, algorithm in product(ECDSA, HASHES):
        yield kind, {"hash_algorithm": algorithm, "marshaling_algorithm": "jws" if algorithm == "sha2-256" else "asn1"}
    for algorithm, scheme, salt in product(HASHES, ["pss", "pkcs1v15"], ["auto", "hash", "17"]):
        yield "rsa-2048", {"hash_algorithm": algorithm, "signature_algorithm": scheme, "salt_length": salt}
    yield "ed25519", {}
    yield "ed25519", {"marshaling_algorithm": "jws"}
    yield "rsa-3072", {}
    yield "rsa-4096", {"marshaling_algorithm": "jws"}


@pytest.mark.parametrize("kind", ["ed25519", *ECDSA, *RSA])
async def test_each_side_verifies_what_the_other_signed(made_by, kind):
    await share(*made_by, type=kind)
    other = base64.b64encode(b"another message").decode()
    for options in [options for of, options in signing_options() if of == kind]:
        for signer, verifier in (made_by, made_by[::-1]):
            signed = await done(signer, "POST", "sign/k", {"input": TEXT} | options)
            body = {"signature": signed["signature"]} | options
            assert (await done(verifier, "POST", "verify/k", body | {"input": TEXT})) == {"valid": True}, options
            assert (await done(verifier, "POST", "verify/k", body | {"input": other})) == {"valid": False}, options


@pytest.mark.parametrize(
    ("kind", "length", "options"),
    [
        *(("ecdsa-p256", length, {}) for length in (1, 20, 32, 64)),
        *(("ecdsa-p384", length, {}) for length in (20, 48, 64)),
        *(("ecdsa-p521", length, {}) for length in (20, 64)),
        ("rsa-2048", 32, {}),
        ("rsa-2048", 32, {"signature_algorithm": "pkcs1v15"}),
        ("rsa-2048", 77, {"signature_algorithm": "pkcs1v15", "hash_algorithm": "none"}),
    ],
)
async def test_each_side_verifies_prehashed_inputs_of_the_other(made_by, kind, length, options):
    await share(*made_by, type=kind)
    body = {"input": base64.b64encode(bytes(range(length))).decode(), "prehashed": True} | options
    for signer, verifier in (made_by, made_by[::-1]):
        signed = await done(signer, "POST", "sign/k", body)
        assert (await done(verifier, "POST", "verify/k", body | {"signature": signed["signature"]})) == {"valid": True}


async def test_derived_signing_keys_are_the_same_on_both_sides(made_by):
    await share(*made_by, type="ed25519", derived=True)
    body = {"input": TEXT, "context": CONTEXT}
    ours, theirs = [await done(side, "POST", "sign/k", body) for side in made_by]
    assert ours == theirs
    assert ours["public_key"]
    shown = [await done(side, "GET", f"keys/k?context={CONTEXT}") for side in made_by]
    assert {side["keys"]["3"]["public_key"] for side in shown} == {ours["public_key"]}
    assert (await done(made_by[0], "POST", "verify/k", body | {"signature": theirs["signature"]})) == {"valid": True}


@pytest.mark.parametrize(
    ("kind", "algorithm"), [*product(["hmac"], HASHES), ("aes256-gcm96", "sha2-256"), ("rsa-2048", "sha2-512")]
)
async def test_hmacs_are_the_same_on_both_sides(made_by, kind, algorithm):
    await share(*made_by, type=kind, **({"key_size": 32} if kind == "hmac" else {}))
    body = {"input": TEXT, "algorithm": algorithm}
    ours, theirs = [await done(side, "POST", "hmac/k", body) for side in made_by]
    assert ours == theirs
    assert (await done(made_by[1], "POST", "verify/k", body | ours)) == {"valid": True}


@pytest.mark.parametrize("kind", [*AEADS, *RSA, *ECDSA, "ed25519", "hmac"])
async def test_every_export_is_the_same_text_on_both_sides(made_by, kind):
    await share(*made_by, type=kind, **({"key_size": 48} if kind == "hmac" else {}))
    compared = 0
    for what, form, version in product(
        ["encryption-key", "signing-key", "hmac-key", "public-key"], ["", "raw", "der", "pem"], ["", "/1", "/2", "/latest"]
    ):
        ours, theirs = [await side("GET", f"export/{what}/k{version}?format={form}") for side in made_by]
        assert ours.data == theirs.data, (what, form, version)
        compared += ours.status == 200
    assert compared >= 3


async def test_keys_go_to_another_vault_under_its_wrapping_key(made_by):
    source, target = made_by
    wrapping = (await done(target, "GET", "wrapping_key"))["public_key"]
    await done(source, "POST", "keys/theirs/import", {"type": "rsa-4096", "public_key": wrapping})
    for kind, hash_name in product([*AEADS, "rsa-2048", *ECDSA, "ed25519", "hmac"], ["SHA256", "SHA1"]):
        name = f"{kind}-{hash_name}"
        size = {"key_size": 40} if kind == "hmac" else {}
        await done(source, "POST", f"keys/{name}", {"type": kind, "exportable": True} | size)
        exported = await done(source, "GET", f"byok-export/theirs/{name}?hash={hash_name}")
        body = {"ciphertext": exported["keys"]["1"], "type": kind, "hash_function": hash_name}
        assert (await target("POST", f"keys/{name}/import", body)).status == 204
        if kind == "hmac":
            hmacs = [await done(side, "POST", f"hmac/{name}", {"input": TEXT}) for side in made_by]
            assert hmacs[0] == hmacs[1]
        elif kind in AEADS or kind in RSA:
            sealed = await done(source, "POST", f"encrypt/{name}", {"plaintext": TEXT})
            assert (await done(target, "POST", f"decrypt/{name}", sealed)) == {"plaintext": TEXT}
        else:
            signed = await done(target, "POST", f"sign/{name}", {"input": TEXT})
            assert (await done(source, "POST", f"verify/{name}", {"input": TEXT} | signed)) == {"valid": True}


@pytest.mark.parametrize("kind", ["rsa-2048", "ecdsa-p384", "ed25519"])
async def test_a_key_without_its_private_part_goes_to_the_other_side_too(made_by, kind):
    source, target = made_by
    await done(source, "POST", "keys/whole", {"type": kind})
    signed = await done(source, "POST", "sign/whole", {"input": TEXT})
    shown = await done(source, "GET", "export/public-key/whole?format=pem")
    await done(source, "POST", "keys/k/import", SHARED | {"type": kind, "public_key": shown["keys"]["1"]})
    await done(target, "POST", "restore", await done(source, "GET", "backup/k"))
    assert (await done(target, "POST", "verify/k", {"input": TEXT} | signed)) == {"valid": True}
    for what in ("signing-key", "public-key"):
        ours, theirs = [await side("GET", f"export/{what}/k") for side in made_by]
        assert ours == theirs


async def test_two_sides_agree_on_a_derived_key(call, bao):
    for side in (call, bao):
        await done(side, "POST", "keys/own", {"type": "ecdsa-p256"})
    public = [(await done(side, "GET", "keys/own"))["keys"]["1"]["public_key"] for side in (call, bao)]
    for side, peer in ((call, public[1]), (bao, public[0])):
        assert (await side("POST", "derive-key/k", {"base_key_name": "own", "peer_public_key": peer})).status == 204
    sealed = await done(call, "POST", "encrypt/k", {"plaintext": TEXT})
    assert (await done(bao, "POST", "decrypt/k", sealed)) == {"plaintext": TEXT}

"""What comes back is what went in, and nothing that is sent makes the engine fail."""

import asyncio
import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svault.engines.transit.encoding import encode

ENCRYPTING = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305", "ml-kem-768", "x25519-ml-kem-768"]
DERIVING = ENCRYPTING[:4]
SIGNING = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ml-dsa-65"]


@pytest.fixture(scope="module")
def mount(new_transit):
    """One mount for all examples: `call` without await."""
    with asyncio.Runner() as runner:
        transit = new_transit()

        def call(path, **body):
            return runner.run(transit.call("POST", path, body))

        for kind in [*ENCRYPTING, *SIGNING, "rsa-2048"]:
            assert call(f"keys/{kind}", type=kind).status == 200
        for kind in DERIVING:
            assert call(f"keys/derived-{kind}", type=kind, derived=True).status == 200
            assert call(f"keys/convergent-{kind}", type=kind, derived=True, convergent_encryption=True).status == 200
        yield call


@given(data=st.binary(max_size=300), aad=st.binary(max_size=40), name=st.sampled_from(ENCRYPTING))
def test_every_text_comes_back(mount, data, aad, name):
    sealed = mount(f"encrypt/{name}", plaintext=encode(data), associated_data=encode(aad)).data
    assert mount(f"decrypt/{name}", associated_data=encode(aad), **sealed).data == {"plaintext": encode(data)}


@given(
    data=st.binary(max_size=300), context=st.binary(min_size=1, max_size=40), name=st.sampled_from(DERIVING), how=st.booleans()
)
def test_every_text_of_a_derived_key_comes_back_with_its_context_only(mount, data, context, name, how):
    name = f"{'convergent' if how else 'derived'}-{name}"
    first, second = [mount(f"encrypt/{name}", plaintext=encode(data), context=encode(context)).data for _ in range(2)]
    assert (first == second) is how
    assert mount(f"decrypt/{name}", context=encode(context), **first).data == {"plaintext": encode(data)}
    assert mount(f"decrypt/{name}", context=encode(context + b"x"), **first).status == 400


@given(message=st.binary(max_size=200), other=st.binary(max_size=200), name=st.sampled_from(SIGNING))
def test_a_signature_verifies_its_own_message_only(mount, message, other, name):
    signed = mount(f"sign/{name}", input=encode(message)).data
    assert mount(f"verify/{name}", input=encode(message), **signed).data == {"valid": True}
    assert mount(f"verify/{name}", input=encode(other), **signed).data == {"valid": other == message}


@given(
    name=st.sampled_from(ENCRYPTING),
    data=st.binary(max_size=60),
    position=st.integers(min_value=0),
    flip=st.integers(1, 255),
)
def test_a_ciphertext_with_a_changed_byte_is_refused(mount, name, data, position, flip):
    prefix, _, encoded = mount(f"encrypt/{name}", plaintext=encode(data)).data["ciphertext"].rpartition(":")
    sealed = bytearray(base64.b64decode(encoded))
    sealed[position % len(sealed)] ^= flip
    assert mount(f"decrypt/{name}", ciphertext=f"{prefix}:{encode(bytes(sealed))}").status == 400


ANY_TEXT = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=1400).map(encode),
    st.builds("vault:v{}:{}".format, st.integers(-2, 3), st.binary(max_size=1400).map(encode)),
    st.builds("vault:v{}{}".format, st.text(max_size=5), st.text(max_size=30)),
)
ANY_VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ANY_TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=5,
)
FIELDS = [
    "plaintext", "ciphertext", "input", "signature", "hmac", "context", "associated_data", "key_version", "type", "bits",
    "hash_algorithm", "signature_algorithm", "marshaling_algorithm", "salt_length", "prehashed", "backup", "name", "force",
    "public_key", "hash_function", "version", "batch_input", "partial_failure_response_code", "min_decryption_version",
    "auto_rotate_period", "peer_public_key", "certificate_chain", "csr", "format", "bytes", "size", "derived",
]  # fmt: skip
PATHS = [
    "encrypt/{}", "decrypt/{}", "rewrap/{}", "sign/{}", "verify/{}", "hmac/{}", "datakey/plaintext/{}", "keys/{}/config",
    "keys/{}/trim", "keys/{}/csr", "keys/{}/set-certificate", "restore/copy-{}", "derive-key/{}", "random", "hash",
    "cache-config",
]  # fmt: skip
BATCH = st.lists(st.dictionaries(st.sampled_from(FIELDS[:8]), st.one_of(ANY_TEXT, ANY_VALUE), max_size=4), max_size=3)
BODY = st.dictionaries(st.sampled_from(FIELDS), st.one_of(ANY_TEXT, ANY_VALUE, BATCH), max_size=6)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    path=st.sampled_from(PATHS),
    name=st.sampled_from([*ENCRYPTING, *SIGNING, "rsa-2048", "derived-aes256-gcm96", "convergent-aes256-gcm96"]),
    body=BODY,
)
def test_whatever_is_sent_is_answered_or_refused(mount, path, name, body):
    answer = mount(path.format(name), **body)
    assert answer.status in {200, 204, 400} or answer.status == body.get("partial_failure_response_code")
    assert answer.errors or answer.status != 400 or "batch_results" in answer.data


BACKUP = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.binary(max_size=70).map(encode)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["policy", "archived_keys", "keys", "1", "name", "type", "key", "hmac_key", "time", "latest_version", "rsa_key"]
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=25,
)


@settings(max_examples=300)
@given(BACKUP)
def test_whatever_is_restored_is_read_or_refused(mount, document):
    backup = encode(json.dumps(document).encode())
    assert mount("restore", backup=backup, force=True).status in {204, 400}

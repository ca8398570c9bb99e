"""Envelopes and the hybrid: against another implementation of HPKE, against X-Wing's draft, and against damage."""

import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svault.crypto import envelope, hybrid
from svault.crypto.base import CryptoBackend, CryptoError
from svault.crypto.oqs import OqsBackend

pytestmark = pytest.mark.timeout(900)  # the first test of aws-lc may build it
EXAMPLES = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
SCHEMES = tuple(envelope.SCHEMES)
Named = Callable[[str], CryptoBackend]

# draft-connolly-cfrg-xwing-kem, appendix C, the first vector
XWING_SEED = "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"
XWING_DRAWN = (
    "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2",
    "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
)
XWING_SHARED = "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384"


def of_cryptography(scheme: str, seed: bytes) -> tuple[hpke.Suite, MLKEM768PrivateKey | hpke.MLKEM768X25519PrivateKey]:
    """The same suite and key in `cryptography`'s own HPKE."""
    key: MLKEM768PrivateKey | hpke.MLKEM768X25519PrivateKey
    if scheme == "ml-kem-768":
        kem, key = hpke.KEM.MLKEM768, MLKEM768PrivateKey.from_seed_bytes(seed)
    else:
        kem_seed, x25519 = hybrid._expand(seed)
        kem, key = hpke.KEM.MLKEM768_X25519, hpke.MLKEM768X25519PrivateKey(MLKEM768PrivateKey.from_seed_bytes(kem_seed), x25519)
    return hpke.Suite(kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM), key


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_hpke_opens_what_is_sealed_and_the_reverse(backend: CryptoBackend, scheme: str):
    seed = envelope.new_seed(scheme)
    suite, key = of_cryptography(scheme, seed)
    sealed = envelope.seal(backend, scheme, envelope.public_of(backend, scheme, seed), b"plaintext")
    assert suite.decrypt(sealed, key) == b"plaintext"
    assert envelope.unseal(backend, scheme, seed, suite.encrypt(b"another", key.public_key())) == b"another"


@EXAMPLES
@given(plaintext=st.binary(max_size=2000), aad=st.binary(max_size=100), scheme=st.sampled_from(SCHEMES))
def test_what_is_sealed_is_unsealed_by_its_seed_and_associated_data_only(
    backend: CryptoBackend, plaintext: bytes, aad: bytes, scheme: str
):
    seed = envelope.new_seed(scheme)
    public = envelope.public_of(backend, scheme, seed)
    sealed = envelope.seal(backend, scheme, public, plaintext, aad)
    assert len(sealed) == envelope.scheme_of(scheme).ciphertext + len(plaintext) + envelope.TAG
    assert sealed != envelope.seal(backend, scheme, public, plaintext, aad)
    assert envelope.unseal(backend, scheme, seed, sealed, aad) == plaintext
    for other_seed, other_aad in ((envelope.new_seed(scheme), aad), (seed, aad + b"x")):
        with pytest.raises(CryptoError, match="cannot be opened"):
            envelope.unseal(backend, scheme, other_seed, sealed, other_aad)


@EXAMPLES
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7), scheme=st.sampled_from(SCHEMES))
def test_a_changed_bit_is_always_noticed(backend: CryptoBackend, place: int, bit: int, scheme: str):
    seed = envelope.new_seed(scheme)
    sealed = bytearray(envelope.seal(backend, scheme, envelope.public_of(backend, scheme, seed), b"plaintext"))
    place %= len(sealed)
    sealed[place] ^= 1 << bit
    with pytest.raises(CryptoError, match="cannot be opened"):
        envelope.unseal(backend, scheme, seed, bytes(sealed))


@EXAMPLES
@given(kept=st.integers(0, 1200), scheme=st.sampled_from(SCHEMES))
def test_a_truncated_envelope_is_refused(backend_of: Named, kept: int, scheme: str):
    backend, seed = backend_of("openssl"), envelope.new_seed(scheme)
    sealed = envelope.seal(backend, scheme, envelope.public_of(backend, scheme, seed), b"plaintext " * 10)
    with pytest.raises(CryptoError, match=r"fewer than|cannot be opened"):
        envelope.unseal(backend, scheme, seed, sealed[: min(kept, len(sealed) - 1)])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("wrong", [0, 1, 31, 33, 63, 65, 1183, 1215, 1217])
def test_keys_and_seeds_of_another_length_are_refused(backend_of: Named, scheme: str, wrong: int):
    backend, value = backend_of("openssl"), bytes(wrong)
    calls: list[Callable[[], object]] = [
        lambda: envelope.public_of(backend, scheme, value),
        lambda: envelope.seal(backend, scheme, value, b""),
        lambda: envelope.unseal(backend, scheme, value, bytes(2000)),
    ]
    for call in calls:
        with pytest.raises(CryptoError, match="bytes, not"):
            call()


def test_an_unknown_scheme_is_refused_with_the_known_ones(backend_of: Named):
    with pytest.raises(CryptoError, match=r"there are: ml-kem-768, x25519-ml-kem-768"):
        envelope.seal(backend_of("openssl"), "rot13", b"", b"")


def test_the_hybrid_gives_the_shared_secret_of_the_draft(backend: CryptoBackend, liboqs: OqsBackend):
    seed, (drawn, ephemeral_seed) = bytes.fromhex(XWING_SEED), (bytes.fromhex(part) for part in XWING_DRAWN)
    public = hybrid.hybrid_public(backend, seed)
    assert public[:16].hex() == "e2236b35a8c24b39b10aa1323a96a919"
    _, (kem_ciphertext, _) = liboqs._library.call("OQS_KEM_ml_kem_768_encaps", (1088, 32), (public[:1184],), drawn)
    x_ciphertext = X25519PrivateKey.from_private_bytes(ephemeral_seed).public_key().public_bytes_raw()
    assert hybrid.hybrid_decapsulate(backend, seed, kem_ciphertext + x_ciphertext).hex() == XWING_SHARED


def test_the_hybrid_works_between_backends(backend: CryptoBackend, backend_of: Named):
    reference, seed = backend_of("openssl"), os.urandom(hybrid.HYBRID_SEED)
    public = hybrid.hybrid_public(backend, seed)
    assert (len(public), public) == (hybrid.HYBRID_PUBLIC, hybrid.hybrid_public(reference, seed))
    shared, ciphertext = hybrid.hybrid_encapsulate(backend, public)
    assert (len(shared), len(ciphertext)) == (hybrid.HYBRID_SHARED, hybrid.HYBRID_CIPHERTEXT)
    assert hybrid.hybrid_decapsulate(reference, seed, ciphertext) == shared


def test_a_point_of_low_order_is_refused_in_keys_and_ciphertexts(backend_of: Named):
    backend, seed = backend_of("openssl"), os.urandom(hybrid.HYBRID_SEED)
    public = hybrid.hybrid_public(backend, seed)
    _, ciphertext = hybrid.hybrid_encapsulate(backend, public)
    for point in (bytes(32), (1).to_bytes(32, "little")):
        with pytest.raises(CryptoError, match="low order"):
            hybrid.hybrid_encapsulate(backend, public[:1184] + point)
        with pytest.raises(CryptoError, match="low order"):
            hybrid.hybrid_decapsulate(backend, seed, ciphertext[:1088] + point)

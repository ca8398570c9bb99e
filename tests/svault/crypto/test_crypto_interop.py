"""One key works in every backend: whatever one makes, each other one takes."""

import os
from collections.abc import Callable

import pytest

from svault.crypto.base import DSA_SEED, KEM_SEED, CryptoBackend

pytestmark = pytest.mark.timeout(900)  # the first test of aws-lc may build it
REFERENCE = "openssl"
Named = Callable[[str], CryptoBackend]


def test_the_same_seed_gives_the_same_public_keys(backend: CryptoBackend, backend_of: Named):
    reference = backend_of(REFERENCE)
    for _ in range(5):
        seed, dsa_seed = os.urandom(KEM_SEED), os.urandom(DSA_SEED)
        assert backend.kem_public(seed) == reference.kem_public(seed)
        assert backend.dsa_public(dsa_seed) == reference.dsa_public(dsa_seed)


@pytest.mark.parametrize("other", ["openssl", "oqs-wasm", "aws-lc", "rustcrypto"])
def test_each_opens_and_verifies_what_another_made(backend: CryptoBackend, backend_of: Named, other: str):
    maker, seed, dsa_seed = backend_of(other), os.urandom(KEM_SEED), os.urandom(DSA_SEED)
    shared, ciphertext = maker.kem_encapsulate(backend.kem_public(seed))
    assert backend.kem_decapsulate(seed, ciphertext) == shared
    signature = maker.dsa_sign(dsa_seed, b"message", b"context")
    assert backend.dsa_verify(backend.dsa_public(dsa_seed), b"message", signature, b"context")
    assert not backend.dsa_verify(backend.dsa_public(dsa_seed), b"message", signature)


def test_a_tampered_ciphertext_gives_the_same_wrong_secret_everywhere(backend: CryptoBackend, backend_of: Named):
    seed = os.urandom(KEM_SEED)
    ciphertext = os.urandom(1088)
    assert backend.kem_decapsulate(seed, ciphertext) == backend_of(REFERENCE).kem_decapsulate(seed, ciphertext)

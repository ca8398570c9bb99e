"""What every backend must do, asked of each of them."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svault.crypto.base import (
    DSA_PUBLIC,
    DSA_SEED,
    DSA_SIGNATURE,
    KEM_CIPHERTEXT,
    KEM_PUBLIC,
    KEM_SEED,
    KEM_SHARED,
    CryptoBackend,
    CryptoError,
)
from svault.crypto.self_test import failure

pytestmark = pytest.mark.timeout(900)  # the first test of aws-lc may build it
EXAMPLES = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


def other_than(length: int) -> st.SearchStrategy[bytes]:
    near = st.sampled_from([0, 1, length - 1, length + 1, 2 * length])
    return st.one_of(near.map(bytes), st.binary(max_size=200).filter(lambda value: len(value) != length))


def test_a_backend_names_its_library_and_passes_the_self_test(backend: CryptoBackend):
    assert any(character.isdigit() for character in backend.version)
    assert failure(backend) is None


def test_what_is_encapsulated_is_decapsulated_and_fresh_each_time(backend: CryptoBackend):
    seed = os.urandom(KEM_SEED)
    public = backend.kem_public(seed)
    assert len(public) == KEM_PUBLIC
    (one, first), (two, second) = backend.kem_encapsulate(public), backend.kem_encapsulate(public)
    assert (len(one), len(first)) == (KEM_SHARED, KEM_CIPHERTEXT)
    assert one != two
    assert first != second
    assert backend.kem_decapsulate(seed, first) == one
    assert backend.kem_decapsulate(seed, second) == two
    assert backend.kem_decapsulate(os.urandom(KEM_SEED), first) != one


def test_a_tampered_ciphertext_gives_another_secret_and_always_the_same(backend: CryptoBackend):
    seed = os.urandom(KEM_SEED)
    shared, ciphertext = backend.kem_encapsulate(backend.kem_public(seed))
    tampered = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    wrong = backend.kem_decapsulate(seed, tampered)
    assert wrong != shared
    assert wrong == backend.kem_decapsulate(seed, tampered)


def test_a_signature_is_verified_and_hedged(backend: CryptoBackend):
    seed = os.urandom(DSA_SEED)
    public = backend.dsa_public(seed)
    assert len(public) == DSA_PUBLIC
    one, two = backend.dsa_sign(seed, b"message"), backend.dsa_sign(seed, b"message")
    assert len(one) == DSA_SIGNATURE
    assert one != two
    assert backend.dsa_verify(public, b"message", one)
    assert backend.dsa_verify(public, b"message", two)


@EXAMPLES
@given(message=st.binary(max_size=5000), context=st.binary(max_size=255), change=st.integers(0, DSA_SIGNATURE * 8 - 1))
def test_a_signature_holds_for_its_message_context_and_key_only(
    backend: CryptoBackend, message: bytes, context: bytes, change: int
):
    seed = os.urandom(DSA_SEED)
    public = backend.dsa_public(seed)
    signature = backend.dsa_sign(seed, message, context)
    assert backend.dsa_verify(public, message, signature, context)
    assert not backend.dsa_verify(public, message + b"\0", signature, context)
    assert not backend.dsa_verify(public, message, signature, context[:-1] if context else b"\0")
    assert not backend.dsa_verify(backend.dsa_public(os.urandom(DSA_SEED)), message, signature, context)
    tampered = bytearray(signature)
    tampered[change // 8] ^= 1 << change % 8
    assert not backend.dsa_verify(public, message, bytes(tampered), context)


def test_a_context_of_255_bytes_is_used_and_one_of_256_refused(backend: CryptoBackend):
    seed = os.urandom(DSA_SEED)
    public, longest = backend.dsa_public(seed), b"c" * 255
    signature = backend.dsa_sign(seed, b"m", longest)
    assert backend.dsa_verify(public, b"m", signature, longest)
    assert not backend.dsa_verify(public, b"m", signature, longest[:-1])
    for refused in (
        lambda: backend.dsa_sign(seed, b"m", longest + b"c"),
        lambda: backend.dsa_verify(public, b"m", signature, longest + b"c"),
    ):
        with pytest.raises(CryptoError, match="256 bytes"):
            refused()


def test_empty_messages_and_those_of_a_megabyte_are_signed(backend: CryptoBackend):
    seed = os.urandom(DSA_SEED)
    public = backend.dsa_public(seed)
    for message in (b"", os.urandom(1 << 20)):
        signature = backend.dsa_sign(seed, message)
        assert backend.dsa_verify(public, message, signature)
        assert not backend.dsa_verify(public, message + b"x", signature)


@EXAMPLES
@given(seed=other_than(KEM_SEED), public=other_than(KEM_PUBLIC), ciphertext=other_than(KEM_CIPHERTEXT))
def test_kem_values_of_another_length_are_refused(backend: CryptoBackend, seed: bytes, public: bytes, ciphertext: bytes):
    calls: list[Callable[[], object]] = [
        lambda: backend.kem_public(seed),
        lambda: backend.kem_encapsulate(public),
        lambda: backend.kem_decapsulate(seed, bytes(KEM_CIPHERTEXT)),
        lambda: backend.kem_decapsulate(bytes(KEM_SEED), ciphertext),
    ]
    for call in calls:
        with pytest.raises(CryptoError, match="bytes, not"):
            call()


@EXAMPLES
@given(seed=other_than(DSA_SEED), public=other_than(DSA_PUBLIC), signature=other_than(DSA_SIGNATURE))
def test_dsa_values_of_another_length_are_refused(backend: CryptoBackend, seed: bytes, public: bytes, signature: bytes):
    calls: list[Callable[[], object]] = [
        lambda: backend.dsa_public(seed),
        lambda: backend.dsa_sign(seed, b"m"),
        lambda: backend.dsa_verify(public, b"m", bytes(DSA_SIGNATURE)),
    ]
    for call in calls:
        with pytest.raises(CryptoError, match="bytes, not"):
            call()
    assert backend.dsa_verify(backend.dsa_public(bytes(DSA_SEED)), b"m", signature) is False


@EXAMPLES
@given(data=st.data())
def test_arbitrary_bytes_of_the_right_length_never_verify_and_raise_nothing_else(backend: CryptoBackend, data: st.DataObject):
    filled = st.binary(min_size=1, max_size=40)
    public = (data.draw(filled) * DSA_PUBLIC)[:DSA_PUBLIC]
    signature = (data.draw(filled) * DSA_SIGNATURE)[:DSA_SIGNATURE]
    assert backend.dsa_verify(public, b"m", signature) is False
    encapsulation_key = (data.draw(filled) * KEM_PUBLIC)[:KEM_PUBLIC]
    try:
        shared, ciphertext = backend.kem_encapsulate(encapsulation_key)
    except CryptoError:
        return
    assert (len(shared), len(ciphertext)) == (KEM_SHARED, KEM_CIPHERTEXT)


def test_eight_threads_work_with_their_own_keys_at_once(backend: CryptoBackend):
    def one(_: int) -> bool:
        seed, dsa_seed = os.urandom(KEM_SEED), os.urandom(DSA_SEED)
        shared, ciphertext = backend.kem_encapsulate(backend.kem_public(seed))
        public = backend.dsa_public(dsa_seed)
        signature = backend.dsa_sign(dsa_seed, seed, b"context")
        same = public == backend.dsa_public(dsa_seed) and shared == backend.kem_decapsulate(seed, ciphertext)
        return same and backend.dsa_verify(public, seed, signature, b"context")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(60)))


def test_an_error_never_holds_the_value(backend: CryptoBackend):
    secret = b"s3cr3t-s3cr3t"
    with pytest.raises(CryptoError) as caught:
        backend.kem_decapsulate(secret, bytes(KEM_CIPHERTEXT))
    assert "s3cr3t" not in f"{caught.value!s}{caught.value!r}{caught.value.details}"
    assert caught.value.__cause__ is None

"""AWS-LC through ctypes: nothing leaks, and no other library passes for it."""

import ctypes.util
import os
from pathlib import Path

import pytest

from svault.crypto.awslc import AwsLcBackend
from svault.crypto.base import CryptoError
from svault.crypto.unavailable import BackendUnavailableError

pytestmark = pytest.mark.timeout(900)  # the first one may build it


def resident() -> int:
    """The memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_twenty_thousand_operations_leave_no_memory_behind(backend_of):
    backend = backend_of("aws-lc")
    seed, dsa_seed = os.urandom(64), os.urandom(32)
    public, verifying = backend.kem_public(seed), backend.dsa_public(dsa_seed)
    _, ciphertext = backend.kem_encapsulate(public)
    signature = backend.dsa_sign(dsa_seed, b"message")

    def four() -> None:
        backend.kem_encapsulate(public)
        backend.kem_decapsulate(seed, ciphertext)
        assert not backend.dsa_verify(verifying, b"another", signature, b"context")
        with pytest.raises(CryptoError):
            backend.kem_encapsulate(b"\xff" * 1184)

    for _ in range(250):
        four()
        backend.dsa_sign(dsa_seed, b"message")
    before = resident()
    for _ in range(5_000):
        four()
    for _ in range(500):
        backend.dsa_sign(dsa_seed, b"message", b"context")
        backend.dsa_public(dsa_seed)
        backend.kem_public(seed)
    assert resident() - before < 4 << 20


def test_a_failure_leaves_nothing_in_the_error_queue(backend_of):
    backend = backend_of("aws-lc")
    peek = backend._c.ERR_peek_error
    peek.restype, peek.argtypes = ctypes.c_uint32, ()
    with pytest.raises(CryptoError):
        backend.kem_encapsulate(b"\xff" * 1184)
    assert peek() == 0
    assert not backend.dsa_verify(backend.dsa_public(bytes(32)), b"m", bytes(3309))
    assert peek() == 0


def test_openssl_beside_it_stays_what_it_is(backend_of):
    import hashlib
    import ssl

    assert "AWS-LC" in backend_of("aws-lc").version
    assert "AWS-LC" not in ssl.OPENSSL_VERSION
    assert ssl.create_default_context().get_ciphers()
    assert hashlib.new("sha3_256", b"").hexdigest().startswith("a7ffc6f8bf1ed766")


def test_openssls_libcrypto_is_refused_by_name():
    name = ctypes.util.find_library("crypto")
    if name is None:
        pytest.skip("the machine has no libcrypto of its own")
    with pytest.raises(BackendUnavailableError, match="is not AWS-LC, or too old") as caught:
        AwsLcBackend(name)
    assert "SVAULT_AWSLC_LIBCRYPTO" in caught.value.hint


@pytest.mark.parametrize("content", [None, b"", b"\x7fELF and nothing more"])
def test_a_file_that_cannot_be_loaded_is_named(tmp_path: Path, content: bytes | None):
    file = tmp_path / "libcrypto.so"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BackendUnavailableError, match="cannot be loaded") as caught:
        AwsLcBackend(str(file))
    assert str(file) in str(caught.value)

"""Choosing a backend: what is there, what is not and how to install it, and what a choice costs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime

import awslc
from svault.crypto import choice, oqs_native
from svault.crypto.base import CryptoBackend
from svault.crypto.openssl import OpenSSLBackend
from svault.crypto.self_test import failure
from svault.crypto.unavailable import BackendUnavailableError
from svault.errors import BadRequestError


def run(program: str, **environment: str) -> str:
    """Run a program in a fresh Python, where nothing is imported or chosen yet."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_native_liboqs_is_tested_where_there_is_one(backend_of):
    if oqs_native.find() is None:
        pytest.skip("no native liboqs: no package of Debian, PyPI or npm carries one, and OQS_INSTALL_PATH names none")
    assert "native" in backend_of("oqs-native").version
    assert choice.default_name() == "oqs"


def test_openssl_costs_no_other_library():
    program = """
import sys
from svault.crypto import choice
chosen = choice.backend("openssl")
chosen.dsa_verify(chosen.dsa_public(bytes(32)), b"m", chosen.dsa_sign(bytes(32), b"m"))
print(sorted({"wasmtime", "oqs", "ml_kem_rs", "fast_mldsa"} & set(sys.modules)))
"""
    assert run(program) == "[]\n"


def test_the_same_backend_is_returned_each_time():
    assert choice.backend("openssl") is choice.backend("openssl")
    assert choice.backend() is choice.backend(choice.default_name())


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(BadRequestError, match="there are: openssl, oqs, aws-lc, rustcrypto"):
        choice.backend("botan")


@pytest.mark.parametrize(
    ("name", "absent", "install"),
    [
        ("rustcrypto", "ml_kem_rs", "stratumops[rustcrypto]"),
        ("rustcrypto", "fast_mldsa", "stratumops[rustcrypto]"),
        ("oqs", "wasmtime", "stratumops[oqs-wasm]"),
        ("aws-lc", "nothing", "SVAULT_AWSLC_LIBCRYPTO"),
    ],
)
def test_a_backend_that_is_not_installed_says_how_to_install_it(name: str, absent: str, install: str):
    program = f"""
import sys
sys.modules[{absent!r}] = None  # as if it was not installed
from svault.crypto import choice
from svault.errors import VaultError
try:
    choice.backend({name!r})
except VaultError as error:
    print(error.code, error.http_status, error, error.hint, sep="\\n")
print(choice.available())
"""
    if name == "oqs" and oqs_native.find() is not None:
        pytest.skip("this machine has a native liboqs")
    code, status, message, hint, listed = run(program, SVAULT_AWSLC_LIBCRYPTO="").splitlines()
    assert (code, status) == ("vault_crypto_backend", "400")
    assert install in message
    assert install in hint
    assert f"Availability(name={name!r}, version=None, reason='its library is not installed'" in listed


def test_a_library_that_only_calls_itself_liboqs_is_refused_and_is_not_the_default(tmp_path: Path):
    (other,) = Path(wasmtime.__file__).parent.rglob("_libwasmtime.so")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "liboqs.so").symlink_to(other)
    program = """
from svault.crypto import choice
print(choice.default_name())
print(choice.available()[1])
"""
    default, listed = run(program, OQS_INSTALL_PATH=str(tmp_path)).splitlines()
    assert default == "openssl"
    assert "too old, or no liboqs: it has no OQS_init" in listed


@pytest.mark.timeout(900)  # the first one may build it
def test_aws_lc_is_found_by_the_option_and_by_the_variable():
    path = str(awslc.libcrypto())
    assert choice.backend("aws-lc", libcrypto=path) is choice.backend("aws-lc", libcrypto=path)
    program = "from svault.crypto import choice\nprint(choice.backend('aws-lc').version)"
    assert run(program, SVAULT_AWSLC_LIBCRYPTO=path).startswith("AWS-LC ")


class DropsContexts(OpenSSLBackend):
    def dsa_sign(self, seed: bytes, message: bytes, context: bytes = b"") -> bytes:
        return super().dsa_sign(seed, message)

    def dsa_verify(self, public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
        return super().dsa_verify(public, message, signature)


class ChangesSeeds(OpenSSLBackend):
    def dsa_public(self, seed: bytes) -> bytes:
        return super().dsa_public(bytes(32))


class ChecksNoKeys(OpenSSLBackend):
    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        return super().kem_encapsulate(self.kem_public(bytes(range(64))))


class RejectsAloud(OpenSSLBackend):
    def kem_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        return bytes(32) if ciphertext == bytes(1088) else super().kem_decapsulate(seed, ciphertext)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (DropsContexts(), "ML-DSA contexts"),
        (ChangesSeeds(), "ML-DSA key generation"),
        (ChecksNoKeys(), "the check of ML-KEM public keys"),
        (RejectsAloud(), "ML-KEM implicit rejection"),
    ],
)
def test_the_self_test_finds_a_library_that_computes_otherwise(wrong: CryptoBackend, told: str):
    assert failure(wrong) == told
    assert failure(OpenSSLBackend()) is None


def test_the_error_is_of_the_family_of_bad_requests():
    error = BackendUnavailableError("aws-lc", "reason")
    assert isinstance(error, BadRequestError)
    assert (error.errors, error.hint) == ([str(error)], error.install)

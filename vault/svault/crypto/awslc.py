"""ML-KEM-768 and ML-DSA-65 by AWS-LC, through ctypes on its libcrypto.

The library is the one that the configuration or `$SVAULT_AWSLC_LIBCRYPTO` names, else the first of the usual places. OpenSSL's
libcrypto has most of the same names: whatever is not AWS-LC is refused, and the two never see each other's symbols.
"""

import ctypes
import ctypes.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from svault.crypto.base import (
    DSA_PUBLIC,
    DSA_SEED,
    DSA_SIGNATURE,
    KEM_CIPHERTEXT,
    KEM_PUBLIC,
    KEM_SEED,
    KEM_SHARED,
    CryptoError,
)
from svault.crypto.lengths import require_context, require_length
from svault.crypto.unavailable import AWSLC_VARIABLE, BackendUnavailableError
from svault.errors import InternalError

PLACES = ("/opt/aws-lc/lib64/libcrypto.so", "/opt/aws-lc/lib/libcrypto.so", "/usr/local/aws-lc/lib/libcrypto.so")

_P, _I, _N, _B = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
# The result, then the arguments: openssl/evp.h and openssl/experimental/kem_deterministic_api.h.
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "awslc_version_string": (_B,),
    "ERR_clear_error": (None,),
    "OBJ_sn2nid": (_I, _B),
    "EVP_PKEY_free": (None, _P),
    "EVP_PKEY_CTX_new": (_P, _P, _P),
    "EVP_PKEY_CTX_new_id": (_P, _I, _P),
    "EVP_PKEY_CTX_free": (None, _P),
    "EVP_PKEY_CTX_kem_set_params": (_I, _P, _I),
    "EVP_PKEY_keygen_init": (_I, _P),
    "EVP_PKEY_keygen_deterministic": (_I, _P, _P, _B, _P),
    "EVP_PKEY_kem_new_raw_public_key": (_P, _I, _B, _N),
    "EVP_PKEY_encapsulate": (_I, _P, _P, _P, _P, _P),
    "EVP_PKEY_decapsulate": (_I, _P, _P, _P, _B, _N),
    "EVP_PKEY_get_raw_public_key": (_I, _P, _P, _P),
    "EVP_PKEY_pqdsa_new_raw_public_key": (_P, _I, _B, _N),
    "EVP_PKEY_pqdsa_new_raw_private_key": (_P, _I, _B, _N),
    "EVP_MD_CTX_new": (_P,),
    "EVP_MD_CTX_free": (None, _P),
    "EVP_DigestSignInit": (_I, _P, _P, _P, _P, _P),
    "EVP_DigestSign": (_I, _P, _P, _P, _B, _N),
    "EVP_DigestVerifyInit": (_I, _P, _P, _P, _P, _P),
    "EVP_DigestVerify": (_I, _P, _B, _N, _B, _N),
    "EVP_PKEY_CTX_set_signature_context": (_I, _P, _B, _N),
}


def find(named: str | None = None) -> str | None:
    """Return the path of AWS-LC's libcrypto: `named`, else the variable's, else the first usual place that has one."""
    if chosen := named or os.environ.get(AWSLC_VARIABLE):
        return chosen
    return next((place for place in PLACES if Path(place).exists()), None) or ctypes.util.find_library("crypto-awslc")


def load(libcrypto: str | None) -> "AwsLcBackend | None":
    """Return the backend over AWS-LC's libcrypto, or None when there is none. Raises BackendUnavailableError."""
    path = find(libcrypto)
    return None if path is None else AwsLcBackend(path)


class AwsLcBackend:
    """The CryptoBackend of one libcrypto. Raises BackendUnavailableError when `path` is not AWS-LC, or one that is too old."""

    name = "aws-lc"

    def __init__(self, path: str) -> None:
        self._c = _load(path)
        self._kem, self._kem_768, self._dsa_65 = (self._c.OBJ_sn2nid(name) for name in (b"KEM", b"MLKEM768", b"MLDSA65"))
        if not (self._kem and self._kem_768 and self._dsa_65):
            raise BackendUnavailableError(self.name, f"{path} knows no ML-KEM-768 or ML-DSA-65")

    @property
    def version(self) -> str:
        """AWS-LC's own name and version."""
        version: bytes = self._c.awslc_version_string()
        return version.decode("ascii", "replace")

    def kem_public(self, seed: bytes) -> bytes:
        """See CryptoBackend."""
        with self._kem_key(seed) as key:
            return self._public(key, KEM_PUBLIC)

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """See CryptoBackend."""
        require_length("public key", public, KEM_PUBLIC)
        ciphertext, shared = ctypes.create_string_buffer(KEM_CIPHERTEXT), ctypes.create_string_buffer(KEM_SHARED)
        lengths = _N(KEM_CIPHERTEXT), _N(KEM_SHARED)
        with (
            self._public_key(self._c.EVP_PKEY_kem_new_raw_public_key, self._kem_768, public) as key,
            self._context(key) as context,
        ):
            arguments = context, ciphertext, ctypes.byref(lengths[0]), shared, ctypes.byref(lengths[1])
            if not self._c.EVP_PKEY_encapsulate(*arguments):
                self._c.ERR_clear_error()
                raise CryptoError("the public key is not valid")
            return _taken(shared), ciphertext.raw

    def kem_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """See CryptoBackend."""
        require_length("ciphertext", ciphertext, KEM_CIPHERTEXT)
        with self._kem_key(seed) as key:
            return self._decapsulate(key, ciphertext)

    def dsa_public(self, seed: bytes) -> bytes:
        """See CryptoBackend."""
        with self._dsa_key(seed) as key:
            return self._public(key, DSA_PUBLIC)

    def dsa_sign(self, seed: bytes, message: bytes, context: bytes = b"") -> bytes:
        """See CryptoBackend."""
        require_context(context)
        signature, length = ctypes.create_string_buffer(DSA_SIGNATURE), _N(DSA_SIGNATURE)
        with self._dsa_key(seed) as key, self._digest(self._c.EVP_DigestSignInit, key, context) as digest:
            self._check(self._c.EVP_DigestSign(digest, signature, ctypes.byref(length), message, len(message)))
            return signature.raw

    def dsa_verify(self, public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
        """See CryptoBackend."""
        require_length("public key", public, DSA_PUBLIC)
        require_context(context)
        if len(signature) != DSA_SIGNATURE:
            return False
        with (
            self._public_key(self._c.EVP_PKEY_pqdsa_new_raw_public_key, self._dsa_65, public) as key,
            self._digest(self._c.EVP_DigestVerifyInit, key, context) as digest,
        ):
            if self._c.EVP_DigestVerify(digest, signature, len(signature), message, len(message)) == 1:
                return True
            self._c.ERR_clear_error()
            return False

    def _decapsulate(self, key: int, ciphertext: bytes) -> bytes:
        shared, length = ctypes.create_string_buffer(KEM_SHARED), _N(KEM_SHARED)
        with self._context(key) as context:
            self._check(self._c.EVP_PKEY_decapsulate(context, shared, ctypes.byref(length), ciphertext, len(ciphertext)))
            return _taken(shared)

    def _public(self, key: int, size: int) -> bytes:
        public, length = ctypes.create_string_buffer(size), _N(size)
        self._check(self._c.EVP_PKEY_get_raw_public_key(key, public, ctypes.byref(length)))
        return public.raw

    @contextmanager
    def _kem_key(self, seed: bytes) -> Iterator[int]:
        require_length("seed", seed, KEM_SEED)
        key, length = _P(), _N(len(seed))
        with self._owned(self._c.EVP_PKEY_CTX_new_id(self._kem, None), self._c.EVP_PKEY_CTX_free) as context:
            self._check(self._c.EVP_PKEY_CTX_kem_set_params(context, self._kem_768))
            self._check(self._c.EVP_PKEY_keygen_init(context))
            self._check(self._c.EVP_PKEY_keygen_deterministic(context, ctypes.byref(key), seed, ctypes.byref(length)))
        with self._owned(key.value, self._c.EVP_PKEY_free) as made:
            yield made

    @contextmanager
    def _dsa_key(self, seed: bytes) -> Iterator[int]:
        require_length("seed", seed, DSA_SEED)
        made = self._c.EVP_PKEY_pqdsa_new_raw_private_key(self._dsa_65, seed, len(seed))
        with self._owned(made, self._c.EVP_PKEY_free) as key:
            yield key

    @contextmanager
    def _public_key(self, make: Callable[[int, bytes, int], int | None], kind: int, public: bytes) -> Iterator[int]:
        key = make(kind, public, len(public))
        if not key:
            self._c.ERR_clear_error()
            raise CryptoError("the public key is not valid")
        with self._owned(key, self._c.EVP_PKEY_free):
            yield key

    def _context(self, key: int) -> Any:
        return self._owned(self._c.EVP_PKEY_CTX_new(key, None), self._c.EVP_PKEY_CTX_free)

    @contextmanager
    def _digest(self, initialise: Callable[..., int], key: int, context: bytes) -> Iterator[int]:
        inner = _P()  # belongs to the digest
        with self._owned(self._c.EVP_MD_CTX_new(), self._c.EVP_MD_CTX_free) as digest:
            self._check(initialise(digest, ctypes.byref(inner), None, None, key))
            if context:
                self._check(self._c.EVP_PKEY_CTX_set_signature_context(inner, context, len(context)))
            yield digest

    @contextmanager
    def _owned(self, pointer: int | None, free: Callable[[int], None]) -> Iterator[int]:
        if not pointer:
            self._check(0)
        assert pointer
        try:
            yield pointer
        finally:
            free(pointer)

    def _check(self, result: int) -> None:
        if result != 1:
            self._c.ERR_clear_error()
            raise InternalError("AWS-LC failed")


def _taken(secret: "ctypes.Array[ctypes.c_char]") -> bytes:
    value = secret.raw
    ctypes.memset(secret, 0, len(secret))
    return value


def _load(path: str) -> ctypes.CDLL:
    try:
        # Its own symbols come first for it, and are not offered to others: Python has OpenSSL's libcrypto in the same process.
        library = ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL | getattr(os, "RTLD_DEEPBIND", 0))
    except OSError:
        raise BackendUnavailableError("aws-lc", f"{path} cannot be loaded") from None
    for name, (result, *arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            reason = f"{path} is not AWS-LC, or too old: it has no {name}"
            raise BackendUnavailableError("aws-lc", reason) from None
        function.restype, function.argtypes = result, arguments
    return library

"""XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): ChaCha20-Poly1305 with a 24-byte nonce, by a subkey from HChaCha20."""

import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NONCE = 24
_SIGMA = struct.unpack("<4I", b"expand 32-byte k")
_ROUNDS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)
_MASK = 0xFFFFFFFF


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _MASK


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """The 32-byte subkey of a 32-byte key and the first 16 bytes of the nonce (section 2.2 of the draft)."""
    state = [*_SIGMA, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce)]
    for _ in range(10):
        for a, b, c, d in _ROUNDS:
            state[a] = (state[a] + state[b]) & _MASK
            state[d] = _rotated(state[d] ^ state[a], 16)
            state[c] = (state[c] + state[d]) & _MASK
            state[b] = _rotated(state[b] ^ state[c], 12)
            state[a] = (state[a] + state[b]) & _MASK
            state[d] = _rotated(state[d] ^ state[a], 8)
            state[c] = (state[c] + state[d]) & _MASK
            state[b] = _rotated(state[b] ^ state[c], 7)
    return struct.pack("<8I", *state[:4], *state[12:])


class XChaCha20Poly1305:
    """The cipher with the calls of `cryptography`'s AEADs."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _cipher(self, nonce: bytes) -> tuple[ChaCha20Poly1305, bytes]:
        return ChaCha20Poly1305(hchacha20(self._key, nonce[:16])), bytes(4) + nonce[16:]

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The ciphertext and its tag."""
        cipher, rest = self._cipher(nonce)
        return cipher.encrypt(rest, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The plaintext. Raises InvalidTag."""
        cipher, rest = self._cipher(nonce)
        return cipher.decrypt(rest, data, associated_data)

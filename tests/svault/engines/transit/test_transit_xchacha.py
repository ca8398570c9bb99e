"""XChaCha20-Poly1305 against the draft's own vectors (draft-irtf-cfrg-xchacha-03, 2.2.1 and A.3.1)."""

import pytest
from cryptography.exceptions import InvalidTag

from svault.engines.transit.xchacha import XChaCha20Poly1305, hchacha20

KEY = bytes(range(0x80, 0xA0))
NONCE = bytes(range(0x40, 0x58))
AAD = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
PLAINTEXT = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."


def test_hchacha20_makes_the_subkey_of_the_draft():
    subkey = hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927"))
    assert subkey.hex() == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"


def test_the_ciphertext_and_tag_are_the_drafts():
    sealed = XChaCha20Poly1305(KEY).encrypt(NONCE, PLAINTEXT, AAD)
    assert sealed[:16].hex() == "bd6d179d3e83d43b9576579493c0e939"
    assert sealed[-16:].hex() == "c0875924c1c7987947deafd8780acf49"


def test_a_changed_ciphertext_is_refused():
    cipher = XChaCha20Poly1305(KEY)
    sealed = cipher.encrypt(NONCE, PLAINTEXT, AAD)
    assert cipher.decrypt(NONCE, sealed, AAD) == PLAINTEXT
    with pytest.raises(InvalidTag):
        cipher.decrypt(NONCE, sealed[:-1] + bytes([sealed[-1] ^ 1]), AAD)

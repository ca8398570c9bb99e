"""The barrier's keys: a term a rotation, of which the newest encrypts and all decrypt."""

import base64
import json
import os
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Term:
    """One key. `installed` is in seconds since the epoch, `encryptions` counted up to the last time the keyring was written."""

    number: int
    key: bytes = field(repr=False)
    installed: float
    encryptions: int = 0


@dataclass(frozen=True)
class Keyring:
    """All terms, the active one last, and the root key that encrypts the keyring itself."""

    root_key: bytes = field(repr=False)
    terms: tuple[Term, ...]

    @classmethod
    def new(cls, root_key: bytes, now: float) -> "Keyring":
        """A keyring with one fresh term."""
        return cls(root_key, (Term(1, os.urandom(KEY_BYTES), now),))

    @property
    def active(self) -> Term:
        """The term that encrypts."""
        return self.terms[-1]

    def rotated(self, now: float, encryptions: int) -> "Keyring":
        """The same with a fresh active term; `encryptions` is the old one's count."""
        counted = self.counted(encryptions)
        return replace(counted, terms=(*counted.terms, Term(self.active.number + 1, os.urandom(KEY_BYTES), now)))

    def counted(self, encryptions: int) -> "Keyring":
        """The same with the active term's count."""
        return replace(self, terms=(*self.terms[:-1], replace(self.active, encryptions=encryptions)))

    def ciphers(self) -> dict[int, AESGCM]:
        """A cipher a term."""
        return {term.number: AESGCM(term.key) for term in self.terms}

    def encoded(self) -> bytes:
        """The keyring as JSON, to be encrypted before it is stored."""
        terms = [
            {
                "term": term.number,
                "key": base64.b64encode(term.key).decode(),
                "installed": term.installed,
                "encryptions": term.encryptions,
            }
            for term in self.terms
        ]
        return json.dumps({"root_key": base64.b64encode(self.root_key).decode(), "terms": terms}).encode()

    @classmethod
    def decoded(cls, text: bytes) -> "Keyring":
        """The inverse of `encoded`."""
        found = json.loads(text)
        terms = (Term(one["term"], base64.b64decode(one["key"]), one["installed"], one["encryptions"]) for one in found["terms"])
        return cls(base64.b64decode(found["root_key"]), tuple(terms))

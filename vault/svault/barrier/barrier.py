"""Everything that reaches the storage passes here: AES-256-GCM, with the entry's key as associated data.

An entry is `0x01 || term (4 bytes) || nonce (12 bytes) || ciphertext and tag`. Moving an entry to another key, or changing a
bit of it, makes it unreadable, and the error names the key. A cache keeps ciphertext, so plaintext lives only while it is used.
"""

import asyncio
import os
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from svault.barrier.keyring import KEY_BYTES, Keyring, Term
from svault.errors import BadRequestError, DamagedStorageError, SealedError
from svault.logical.clock import Clock
from svault.storage.base import ABSENT, CommitConflictError, Storage, Write

KEYRING = "core/keyring"
ROTATE_AFTER = 1 << 31
"""Encryptions of one term before a new one begins; NIST SP 800-38D allows 2^32 random nonces a key."""
_VERSION = b"\x01"
_HEAD = 1 + 4 + 12
_CACHE_BYTES = 32 << 20


class WrongKeyError(BadRequestError):
    """The key does not open the keyring."""

    code = "vault_wrong_key"


def seal_box(key: bytes, name: str, plaintext: bytes) -> bytes:
    """Encrypt a single value under a key outside the keyring: nonce and ciphertext, bound to its name."""
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, name.encode())


def open_box(key: bytes, name: str, box: bytes) -> bytes:
    """The inverse of `seal_box`. Raises WrongKeyError."""
    try:
        return AESGCM(key).decrypt(box[:12], box[12:], name.encode())
    except (InvalidTag, ValueError):
        raise WrongKeyError("the key does not open the vault") from None


class Watcher(Protocol):
    """Who is told of every change: before any of it can be seen, and when all of it can."""

    def begun(self, keys: Iterable[str]) -> int:
        """These entries may change from now on; returns the change's number."""
        ...

    def ended(self, change: int) -> None:
        """The change was made, or was not."""
        ...


class Barrier:
    """The encrypted storage of one vault. Sealed until `unseal`; then `get`, `list` and `commit` work on plaintext."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._keyring: Keyring | None = None
        self._ciphers: dict[int, AESGCM] = {}
        self._encryptions = 0
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._writes = 0
        self._writing: Counter[str] = Counter()
        self._overlapping: set[str] = set()
        self._keyring_lock = asyncio.Lock()
        self.watcher: Watcher | None = None

    @property
    def is_sealed(self) -> bool:
        """Whether nothing can be read."""
        return self._keyring is None

    async def is_initialized(self) -> bool:
        """Whether a keyring is stored."""
        return await self._storage.get(KEYRING) is not None

    async def initialize(self, root_key: bytes, also: Sequence[Write]) -> None:
        """Store a first keyring under a root key, and what opens it, in one commit; the barrier stays sealed.

        Raises CommitConflictError when there is one: of two servers that initialise one storage, one wins.
        """
        keyring = Keyring.new(root_key, self._clock.time())
        await self._storage.commit([Write(KEYRING, seal_box(root_key, KEYRING, keyring.encoded())), *also], {KEYRING: ABSENT})

    async def unseal(self, root_key: bytes) -> None:
        """Open the keyring. Raises WrongKeyError, DamagedStorageError."""
        if len(root_key) != KEY_BYTES:
            raise WrongKeyError("the root key has the wrong length")
        stored = await self._storage.get(KEYRING)
        if stored is None:
            raise BadRequestError("Vault is not initialized")
        self._use(Keyring.decoded(open_box(root_key, KEYRING, stored.value)))

    def seal(self) -> None:
        """Forget the keys and all that was cached."""
        self._keyring = None
        self._ciphers.clear()
        self.forget()

    def forget(self) -> None:
        """Drop the cache: another server may have written since."""
        self._writes += 1
        self._cache.clear()
        self._cached_bytes = 0

    def _use(self, keyring: Keyring) -> None:
        change = self.watcher.begun((KEYRING,)) if self.watcher is not None else None
        self._keyring = keyring
        self._ciphers = keyring.ciphers()
        self._encryptions = keyring.active.encryptions
        if change is not None and self.watcher is not None:
            self.watcher.ended(change)

    def exported_terms(self) -> bytes:
        """The keys of all terms, without the root key, for a process that reads. Raises SealedError."""
        return replace(self._open(), root_key=b"").encoded()

    def use_terms(self, exported: bytes) -> None:
        """Read with the keys that another process exported."""
        self._use(Keyring.decoded(exported))

    def _open(self) -> Keyring:
        if self._keyring is None:
            raise SealedError
        return self._keyring

    async def reload(self) -> None:
        """Read the keyring again: another server may have rotated it."""
        await self.unseal(self._open().root_key)

    @property
    def root_key(self) -> bytes:
        """The key over the keyring, for whoever wraps it anew (rekey, generate-root)."""
        return self._open().root_key

    @property
    def active_term(self) -> Term:
        """The term that encrypts now, with its count up to date."""
        return replace(self._open().active, encryptions=self._encryptions)

    async def rotate(self) -> int:
        """Begin a new term; what is stored stays readable. Returns its number."""
        async with self._keyring_lock:
            return await self._rotated()

    async def save_count(self) -> None:
        """Keep how much the active term has encrypted, and rotate when that is too much."""
        async with self._keyring_lock:
            if self._encryptions >= ROTATE_AFTER:
                await self._rotated()
            else:
                await self._save(self._open().counted(self._encryptions))

    async def _rotated(self) -> int:
        keyring = self._open().rotated(self._clock.time(), self._encryptions)
        await self._save(keyring)
        self._use(keyring)
        return keyring.active.number

    async def _save(self, keyring: Keyring) -> None:
        """Store a keyring that is at least as new as the stored one: a term that is lost loses all that it encrypted."""
        stored = await self._storage.get(KEYRING)
        before = Keyring.decoded(open_box(keyring.root_key, KEYRING, stored.value)) if stored else keyring
        if not {term.number for term in before.terms} <= {term.number for term in keyring.terms}:
            raise CommitConflictError(KEYRING)
        expected = {KEYRING: stored.version if stored else ABSENT}
        await self._storage.commit([Write(KEYRING, seal_box(keyring.root_key, KEYRING, keyring.encoded()))], expected)

    async def get(self, key: str) -> bytes | None:
        """The plaintext of an entry. Raises SealedError, DamagedStorageError naming the key."""
        keyring = self._open()
        if key in self._cache:
            self._cache.move_to_end(key)
            stored: bytes | None = self._cache[key]
        else:
            writes = self._writes
            entry = await self._storage.get(key)
            stored = entry.value if entry else None
            # What somebody writes at this moment may be older here than there; a miss is cheap and would push out what is needed.
            if stored is not None and writes == self._writes and key not in self._writing:
                self._keep(key, stored)
        if stored is None:
            return None
        cipher = self._ciphers.get(int.from_bytes(stored[1:5], "big"))
        if self._keyring is not keyring and self.is_sealed:
            raise SealedError
        if cipher is not None and stored[:1] == _VERSION:
            with suppress(InvalidTag, ValueError):
                return cipher.decrypt(stored[5:_HEAD], stored[_HEAD:], stored[1:5] + key.encode())
        raise DamagedStorageError(
            f"the stored entry {key!r} is damaged or was moved", hint="restore it from a backup of the storage", key=key
        )

    async def list(self, prefix: str) -> list[str]:
        """The names directly under a prefix; folders end in `/`."""
        self._open()
        return await self._storage.list(prefix)

    async def commit(self, changes: Mapping[str, bytes | None]) -> None:
        """Write all, or nothing; returns when it is durable."""
        term = self._open().active.number
        cipher, number = self._ciphers[term], term.to_bytes(4, "big")
        boxes: dict[str, bytes | None] = {}
        for key, value in changes.items():
            if value is None:
                boxes[key] = None
                continue
            nonce = os.urandom(12)
            boxes[key] = _VERSION + number + nonce + cipher.encrypt(nonce, value, number + key.encode())
        self._encryptions += len(boxes)
        watcher = self.watcher
        change = watcher.begun(boxes.keys()) if watcher is not None else 0
        self.begin_change(boxes)
        done = False
        try:
            await self._storage.commit([Write(key, box) for key, box in boxes.items()])
            done = self._keyring is not None
        finally:
            self.end_change(boxes, is_done=done)
            if watcher is not None:
                watcher.ended(change)

    def begin_change(self, keys: Iterable[str]) -> None:
        """Entries are being written, here or by the process that this one reads from: keep none of them until `end_change`."""
        # A read that overlaps with this write must not put the old value back into the cache, and of two writes that overlap
        # nobody knows here which the storage did last. After a failure it is not known whether it was done at all.
        self._writes += 1
        for key in keys:
            if key in self._writing:
                self._overlapping.add(key)
            self._writing[key] += 1
            self._drop(key)

    def end_change(self, boxes: Mapping[str, bytes | None], *, is_done: bool) -> None:
        """Entries were written, or nobody knows; what they are now, where that is known, is kept."""
        self._writes += 1
        for key, box in boxes.items():
            self._drop(key)
            if is_done and box is not None and key not in self._overlapping:
                self._keep(key, box)
            self._writing[key] -= 1
            if self._writing[key] <= 0:
                del self._writing[key]
                self._overlapping.discard(key)

    def _drop(self, key: str) -> None:
        old = self._cache.pop(key, None)
        if old is not None:
            self._cached_bytes -= len(key) + len(old)

    def _keep(self, key: str, box: bytes) -> None:
        self._drop(key)
        self._cache[key] = box
        self._cached_bytes += len(key) + len(box)
        while self._cached_bytes > _CACHE_BYTES:
            self._drop(next(iter(self._cache)))

"""What stands between the storage and the root key, and is itself stored in the clear or under the seal's key.

core/seal-config    JSON: the kind, shares and threshold
core/root-key       the root key in a box under the seal's key (of the shares together, or of the file)
core/recovery-key   with a static seal: the recovery key in a box under the root key, split among people for generate-root
"""

import hmac
import json
import os
from dataclasses import asdict, dataclass

from svault.barrier.barrier import Barrier, WrongKeyError, open_box, seal_box
from svault.barrier.keyring import KEY_BYTES
from svault.errors import BadRequestError, DamagedStorageError
from svault.seal.shamir import check_counts, split
from svault.storage.base import Storage, Write

CONFIG, ROOT_KEY, RECOVERY = "core/seal-config", "core/root-key", "core/recovery-key"


@dataclass(frozen=True, slots=True)
class SealConfig:
    """How many shares there are and how many of them open the seal (or, with a static seal, prove who may recover)."""

    kind: str
    shares: int
    threshold: int


class Seal:
    """The seal of one vault: Shamir's, or `static` when a key of the machine's is given (32 bytes)."""

    def __init__(self, storage: Storage, barrier: Barrier, static_key: bytes | None = None) -> None:
        if static_key is not None and len(static_key) != KEY_BYTES:
            raise BadRequestError(f"the static seal's key must have {KEY_BYTES} bytes")
        self._storage = storage
        self._barrier = barrier
        self._static_key = static_key

    @property
    def is_static(self) -> bool:
        """Whether the machine itself opens the seal."""
        return self._static_key is not None

    async def config(self) -> SealConfig | None:
        """The stored configuration, or None before init. Raises DamagedStorageError."""
        entry = await self._storage.get(CONFIG)
        if entry is None:
            return None
        try:
            return SealConfig(**json.loads(entry.value))
        except (ValueError, TypeError):
            raise DamagedStorageError(f"the stored entry {CONFIG!r} is damaged", key=CONFIG) from None

    async def initialize(self, shares: int, threshold: int) -> list[bytes]:
        """Make the root key and the barrier; returns the shares (of the unseal key, or of the recovery key with a static seal).

        Raises BadRequestError for impossible counts, CommitConflictError when another server was first. The barrier stays sealed.
        """
        check_counts(shares, threshold)
        root_key, secret = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)
        config = SealConfig("static" if self.is_static else "shamir", shares, threshold)
        writes = [Write(CONFIG, _json(config)), Write(ROOT_KEY, seal_box(self._static_key or secret, ROOT_KEY, root_key))]
        if self.is_static:
            writes.append(Write(RECOVERY, seal_box(root_key, RECOVERY, secret)))
        await self._barrier.initialize(root_key, writes)
        return split(secret, shares, threshold)

    async def open(self, unseal_key: bytes | None = None) -> bytes:
        """The root key, by the combined shares or the machine's key. Raises WrongKeyError."""
        key = self._static_key or unseal_key
        entry = await self._storage.get(ROOT_KEY)
        if entry is None or key is None:
            raise WrongKeyError("the key does not open the vault")
        return open_box(key, ROOT_KEY, entry.value)

    async def is_proven_by(self, secret: bytes) -> bool:
        """Whether combined shares are the unseal key (or the recovery key): who gave them may rekey and generate root tokens."""
        if not self.is_static:
            try:
                return hmac.compare_digest(await self.open(secret), self._barrier.root_key)
            except WrongKeyError:
                return False
        entry = await self._storage.get(RECOVERY)
        return entry is not None and hmac.compare_digest(open_box(self._barrier.root_key, RECOVERY, entry.value), secret)

    async def rekey(self, secret: bytes, shares: int, threshold: int) -> None:
        """Make `secret` the unseal key (or recovery key) of an unsealed vault, split as said by the caller; one commit."""
        config = SealConfig("static" if self.is_static else "shamir", shares, threshold)
        if self.is_static:
            changed = Write(RECOVERY, seal_box(self._barrier.root_key, RECOVERY, secret))
        else:
            changed = Write(ROOT_KEY, seal_box(secret, ROOT_KEY, self._barrier.root_key))
        await self._storage.commit([Write(CONFIG, _json(config)), changed])


def _json(config: SealConfig) -> bytes:
    return json.dumps(asdict(config)).encode()

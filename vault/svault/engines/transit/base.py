"""What all parts of the transit engine share: the keys of the mount."""

from typing import ClassVar

from svault.crypto.base import CryptoBackend
from svault.engines.transit.keyring import Keyring
from svault.engines.transit.policies import Policy
from svault.errors import BadRequestError
from svault.logical import Engine, Mount


class TransitBase(Engine):
    """A mount with its keyring; the routes are in subclasses, by subject."""

    kind: ClassVar[str] = "transit"

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self.keyring = Keyring(mount.view)

    @property
    def backend(self) -> CryptoBackend:
        """Who computes post-quantum operations."""
        return self.mount.crypto

    async def require(self, name: str, otherwise: str = "encryption key not found") -> Policy:
        """A key. Raises BadRequestError with a sentence when there is none."""
        policy = await self.keyring.find(name)
        if policy is None:
            raise BadRequestError(otherwise)
        return policy

    async def saved(self, policy: Policy) -> Policy:
        """Write a key whose lock is held."""
        return await self.keyring.save(policy)

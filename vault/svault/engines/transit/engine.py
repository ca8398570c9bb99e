"""The transit engine: encryption, signatures and more as a service, with keys that stay in the vault.

Source: Vault's API page of the transit engine; OpenBao's is the model, byte for byte in what is encrypted and signed.
"""

from svault.engines.transit.certificate_routes import CertificateRoutes
from svault.engines.transit.cipher_routes import CipherRoutes
from svault.engines.transit.creation import rotated
from svault.engines.transit.key_routes import CACHE_CONFIG, KeyRoutes
from svault.engines.transit.keyring import DEFAULT_CACHE_SIZE
from svault.engines.transit.policies import Policy
from svault.engines.transit.signing_routes import SigningRoutes
from svault.engines.transit.stateless_routes import StatelessRoutes
from svault.engines.transit.transfer_routes import TransferRoutes
from svault.errors import VaultError
from svault.logical import Mount

_LONGEST_WAIT = 3600.0
"""Seconds after which all keys are looked at again, whatever was planned."""
_PAUSE = 60.0
"""Seconds after which a rotation that failed is tried again."""


class TransitEngine(CertificateRoutes, TransferRoutes, KeyRoutes, StatelessRoutes, SigningRoutes, CipherRoutes):
    """A mount of kind `transit`. The routes of the last class are tried first."""

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self._looked = self._look_again = 0.0

    async def start(self) -> None:
        """Read how many keys to keep in memory."""
        stored = await self.mount.view.read(CACHE_CONFIG)
        self.keyring.resize((stored or {}).get("size") or DEFAULT_CACHE_SIZE)

    async def stop(self) -> None:
        """Drop the keys from memory."""
        self.keyring.forget()

    async def saved(self, policy: Policy) -> Policy:
        """Write a key whose lock is held, and plan its next rotation."""
        due = policy.rotation_due
        if due is not None:
            self._look_again = min(self._look_again, due)
        return await super().saved(policy)

    async def tick(self) -> None:
        """Rotate the keys whose period is over.

        All keys are looked at when one is due, once an hour, and when the clock went back. A key that cannot be read or written
        keeps no other from its rotation, and is tried again after a minute. Raises the first VaultError.
        """
        now = self.mount.clock.time()
        if self._looked <= now < self._look_again:
            return
        names = await self.keyring.names()
        self._looked, self._look_again = now, now + _LONGEST_WAIT
        failures = []
        for name in names:
            try:
                await self._rotate_if_due(name, now)
            except VaultError as error:
                failures.append(error)
        if failures:
            self._look_again = min(self._look_again, now + _PAUSE)
            raise failures[0]

    async def _rotate_if_due(self, name: str, now: float) -> None:
        policy = await self.keyring.peek(name)
        due = policy.rotation_due if policy else None
        if due is None:
            return
        if due > now:
            self._look_again = min(self._look_again, due)
            return
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is not None and (due := policy.rotation_due) is not None and due <= now:
                await self.saved(await rotated(policy, self.backend, now))

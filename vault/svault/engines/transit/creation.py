"""Making a named key, and giving it another version."""

from dataclasses import replace

from svault.crypto.base import CryptoBackend
from svault.engines.transit.keytypes import Family
from svault.engines.transit.material import generated
from svault.engines.transit.policies import Policy
from svault.errors import BadRequestError


def require_possible(policy: Policy) -> None:
    """Raises BadRequestError when the type cannot be derived or convergent as asked."""
    if policy.derived and not policy.type.derives:
        raise BadRequestError(f"key derivation and convergent encryption not supported for keys of type {policy.type}")
    if policy.convergent and policy.type.family is not Family.AEAD:
        raise BadRequestError(f"convergent encryption not supported for keys of type {policy.type}")


async def created(policy: Policy, backend: CryptoBackend, now: float) -> Policy:
    """A key that has no versions yet, with its first one. Raises BadRequestError."""
    require_possible(policy)
    return policy.with_version(await generated(policy.type, backend, now, policy.key_size))


async def rotated(policy: Policy, backend: CryptoBackend, now: float) -> Policy:
    """A key with one more version. Raises BadRequestError when it may not be rotated."""
    policy.require_usable()
    if policy.imported and not policy.allow_imported_rotation:
        raise BadRequestError(f"imported key {policy.name} does not allow rotation within Vault")
    version = await generated(policy.type, backend, now, policy.key_size)
    return replace(policy, imported=False).with_version(version)

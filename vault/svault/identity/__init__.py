"""Who is behind a token, whatever way it logged in: entities, their aliases at the auth mounts, and groups."""

from svault.identity.engine import IdentityEngine

__all__ = ["IdentityEngine"]

"""Encryption and signatures as a service, with Vault's API and byte formats, and post-quantum key types."""

from svault.engines.transit.engine import TransitEngine

__all__ = ["TransitEngine"]

"""The userpass auth method."""

from svault.auth.userpass.engine import UserpassEngine

__all__ = ["UserpassEngine"]

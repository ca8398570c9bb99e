"""The AppRole auth method."""

from svault.auth.approle.engine import AppRoleEngine

__all__ = ["AppRoleEngine"]

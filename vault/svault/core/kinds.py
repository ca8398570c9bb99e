"""The engines that can be mounted, by their type; each is imported when it is first mounted."""

from collections.abc import Callable, Mapping
from importlib import import_module

from svault.errors import BadRequestError
from svault.logical.engine import Engine, Mount

SECRET_KINDS: Mapping[str, str] = {
    "kv": "svault.engines.kv:kv_engine",
    "transit": "svault.engines.transit:TransitEngine",
    "pki": "svault.engines.pki:PkiEngine",
    "database": "svault.engines.database:DatabaseEngine",
    "cubbyhole": "svault.engines.cubbyhole:CubbyholeEngine",
    "identity": "svault.identity:IdentityEngine",
}
AUTH_KINDS: Mapping[str, str] = {
    "approle": "svault.auth.approle:AppRoleEngine",
    "userpass": "svault.auth.userpass:UserpassEngine",
}
ONE_EACH = {"cubbyhole", "identity", "system", "token"}
"""Kinds that the vault mounts itself, once."""


def normalized(kind: str, options: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A type as clients name it and its options: `kv-v2` and `generic` are kv."""
    options = dict(options)
    if kind in {"kv-v1", "kv-v2"}:
        return "kv", {**options, "version": kind[-1]}
    if kind == "generic":
        return "kv", {**options, "version": "1"}
    return kind, options


def make(kind: str, mount: Mount, *, is_auth: bool) -> Engine:
    """A new engine of a kind. Raises BadRequestError for a kind that there is not."""
    reference = (AUTH_KINDS if is_auth else SECRET_KINDS).get(kind)
    if reference is None:
        raise BadRequestError(f"plugin not found in the catalog: {kind}")
    module, _, name = reference.partition(":")
    factory: Callable[[Mount], Engine] = getattr(import_module(module), name)
    return factory(mount)

"""Which engine answers a path."""

from dataclasses import dataclass

from prov_tools.vault.access import VaultClient
from stratumops.errors import InvalidInputError, NotFoundError
from svault.errors import PermissionDeniedError

ENGINES = {"kv": "secrets", "transit": "keys", "pki": "certificates", "database": "database users"}
"""The kinds of engines that the tools use, and what each holds."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted engine; `path` ends with a slash."""

    path: str
    kind: str
    version: str = ""


def cleaned(path: str) -> str:
    """A path as a person writes it. Raises InvalidInputError for what no path in a vault can be."""
    stripped = path.strip("/")
    if not stripped or any(part in {"", ".", ".."} for part in stripped.split("/")) or not stripped.isprintable():
        raise InvalidInputError("this is no path in a vault", hint="write it like secret/app: the mount, then the secret's path")
    return stripped


async def mount_of(client: VaultClient, path: str) -> tuple[Mount, str]:
    """The engine at a path, and the rest of the path below it.

    Raises NotFoundError (no engine there) and VaultError.
    """
    path = cleaned(path)
    try:
        found = (await client.request("GET", f"sys/internal/ui/mounts/{path}"))["data"]
    except PermissionDeniedError:
        raise NotFoundError(
            f"no engine that you may use is mounted at {path!r}",
            hint=f"a path begins with its engine, such as secret/{path}; `prov vault status` lists the engines",
        ) from None
    mount = Mount(found["path"], found["type"], (found.get("options") or {}).get("version", "1"))
    return mount, path[len(mount.path) :]


async def require_mount(client: VaultClient, path: str, kind: str) -> tuple[Mount, str]:
    """As `mount_of`, for one kind of engine. Raises InvalidInputError too: the engine is of another kind, or kv version 1."""
    mount, rest = await mount_of(client, path)
    if mount.kind != kind:
        raise InvalidInputError(
            f"{mount.path} holds {ENGINES.get(mount.kind, f'an engine of the kind {mount.kind}')}, not {ENGINES[kind]}",
            hint=f"a path begins with its engine, such as secret/{path}; `prov vault status` lists the engines",
        )
    if kind == "kv" and mount.version != "2":
        raise InvalidInputError(
            f"{mount.path} is KV version 1, which keeps no versions",
            hint="enable version 2 for this mount (vault kv enable-versioning)",
        )
    return mount, rest

"""The key-value engine, version 1 (one value a path) and 2 (versions, check-and-set, metadata)."""

from svault.engines.kv.v1 import KvV1Engine
from svault.engines.kv.v2 import KvV2Engine
from svault.errors import BadRequestError
from svault.logical import Engine, Mount

__all__ = ["KvV1Engine", "KvV2Engine", "kv_engine"]

_VERSIONS: dict[str, type[Engine]] = {"1": KvV1Engine, "2": KvV2Engine}


def kv_engine(mount: Mount) -> Engine:
    """The engine of a mount by its option `version`; without one it is `1`, as in Vault's API. Raises BadRequestError."""
    version = mount.tuned.options.get("version") or "1"
    try:
        return _VERSIONS[version](mount)
    except KeyError:
        raise BadRequestError(f"a kv mount has version 1 or 2, not {version!r}") from None

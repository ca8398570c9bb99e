"""What the paths of the identity engine share: the registry, the mounts, and reading what a request brings."""

import secrets
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from svault.errors import BadRequestError
from svault.identity.model import Alias
from svault.identity.registry import Registry
from svault.logical import Engine, Fields, Mount, rfc3339

MAX_PAIRS, MAX_KEY, MAX_VALUE = 64, 128, 512
MAX_NAME = 512


@dataclass(frozen=True, slots=True)
class MountInfo:
    """An auth mount as an alias shows it: `auth/userpass/`, `userpass`."""

    path: str
    kind: str
    is_local: bool = False


def _no_mounts(accessor: str) -> MountInfo | None:  # noqa: ARG001 - replaced by the core, which knows the mounts
    return None


class IdentityPaths(Engine):
    """The base of all paths. `mount_of` finds a mount by its accessor; the core sets it before the first request."""

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self.registry = Registry(mount.view)
        self.mount_of: Callable[[str], MountInfo | None] = _no_mounts

    def writing(self) -> AbstractAsyncContextManager[None]:
        """Held while something is read, decided and written: one writer at a time."""
        return self.mount.view.lock("registry")

    def checked_mount(self, accessor: str) -> MountInfo:
        """The mount of an accessor. Raises BadRequestError."""
        found = self.mount_of(accessor)
        if found is None:
            raise BadRequestError(f'invalid mount accessor "{accessor}"')
        return found

    def alias_answer(self, alias: Alias, owner: str) -> dict[str, Any]:
        """An alias as it stands in an entity's or group's answer."""
        return {
            "id": alias.id,
            "canonical_id": owner,
            "mount_accessor": alias.mount_accessor,
            **self.mount_answer(alias),
            "metadata": alias.metadata,
            "name": alias.name,
            "merged_from_canonical_ids": list(alias.merged_from) or None,
            "creation_time": rfc3339(alias.created),
            "last_update_time": rfc3339(alias.updated),
        }

    def mount_answer(self, alias: Alias) -> dict[str, Any]:
        """Where an alias is from; nothing when the mount is gone."""
        found = self.mount_of(alias.mount_accessor)
        return {} if found is None else {"mount_path": found.path, "mount_type": found.kind}

    def local_answer(self, alias: Alias) -> dict[str, Any]:
        """The fields that an entity's alias has besides."""
        found = self.mount_of(alias.mount_accessor)
        return {"custom_metadata": alias.custom_metadata, "local": found is not None and found.is_local}


def new_id() -> str:
    """An id for anything here."""
    return str(uuid.uuid4())


def generated_name(kind: str) -> str:
    """The name of what nobody named: `entity_1a2b3c4d.root`; `root` is the one namespace."""
    return f"{kind}_{secrets.token_hex(4)}.root"


def checked_name(name: str) -> str:
    """A name as it may be stored. Raises BadRequestError."""
    if len(name) > MAX_NAME or not name.isprintable():
        raise BadRequestError(f"a name is printable text of at most {MAX_NAME} characters")
    return name


def pairs(fields: Fields, name: str) -> dict[str, str]:
    """Metadata: an object of texts, or `["k=v"]`. Raises BadRequestError."""
    raw = fields.raw[name]
    found = {key: _text(value, name) for key, value in raw.items()} if isinstance(raw, Mapping) else fields.pairs(name)
    if len(found) > MAX_PAIRS:
        raise BadRequestError(f"{name} can contain no more than {MAX_PAIRS} key pairs")
    for key, value in found.items():
        if not key or len(key) > MAX_KEY or len(value) > MAX_VALUE:
            raise BadRequestError(f"a key of {name} has at most {MAX_KEY} characters, a value at most {MAX_VALUE}")
    return found


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    raise BadRequestError(f'Field validation failed: error converting input for field "{name}": an object of texts is expected')


def policy_names(fields: Fields) -> tuple[str, ...]:
    """The policies of an entity or group, in lower case and each once. Raises BadRequestError."""
    names = tuple(dict.fromkeys(name.lower() for name in fields.strings("policies")))
    if "root" in names:
        raise BadRequestError("policies cannot contain root")
    return names

"""Secrets in a container's environment: a `vault:` handle becomes a reference to a Secret's key, never a value."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from prov_gen.export.kubernetes.metadata import object_name
from prov_gen.export.tracking import Ledger
from prov_gen.model.base import Handle

_HANDLE: TypeAdapter[str] = TypeAdapter(Handle)
_VARIABLE = re.compile(r"[ -<>-~]+")  # printable ASCII without '='
_LONGEST_KEY = 253


def environment(env: Mapping[str, str], where: tuple[str | int, ...], ledger: Ledger) -> list[dict[str, Any]]:
    """A container's `env`. Names that are none for a variable are left in the ledger."""
    made: list[dict[str, Any]] = []
    for name, value in env.items():
        if not _VARIABLE.fullmatch(name):
            ledger.leave((*where, name), "no name for an environment variable")
        elif not value.startswith("vault:"):
            # Kubernetes puts other variables in place of $(NAME); a doubled $ is one as it stands.
            made.append({"name": name, "value": value.replace("$", "$$") if "$(" in value or "$$" in value else value})
        elif (reference := secret_key(value)) is None:
            ledger.leave((*where, name), "no handle of the form vault:path#key, so there is no Secret to name")
        else:
            made.append({"name": name, "valueFrom": {"secretKeyRef": reference}})
    return made


def secret_key(handle: str) -> dict[str, str] | None:
    """Name and key of the Secret that a handle means; None for what is no handle."""
    try:
        path, key = _HANDLE.validate_python(handle).removeprefix("vault:").split("#")
    except ValidationError:
        return None
    return {"name": object_name(path), "key": key} if len(key) <= _LONGEST_KEY else None


def needed(env: Mapping[str, str]) -> list[str]:
    """What has to be in the namespace before the workload starts, as lines for a person: Secret, key and handle."""
    found = [(secret_key(value), value) for value in env.values() if value.startswith("vault:")]
    return sorted({f"Secret {made['name']}, key {made['key']}: {handle}" for made, handle in found if made})

"""The same requests to our vault and to a real OpenBao, and what differs between their answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from svault.core.call import Answer

_VOLATILE = re.compile(
    r"(request_id|accessor|client_token|token|uuid|id|entity_id|wrapped_accessor|migration_id|.*_time|time|issue_time|lease_id|modified|last_renewal|nonce|created|updated|cluster_id"
    r"|cluster_name|version|build_date|commit_date|server_time_utc|role_id|secret_id|secret_id_accessor|random_bytes|otp|encryptions"
    r"|encoded_token|encoded_root_token|install_time|plugin_version|running_plugin_version|running_sha256|hash|sum|storage_type|keys_base64)"
)

_A_SECOND_LESS = re.compile(r"(\d+)h59m5[89]s")


class Asked(Protocol):
    """Whoever answers requests."""

    def call(self, method: str, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> Answer: ...


@dataclass
class Story:
    """Requests of which later ones use what earlier ones answered: `{name}` in paths and bodies."""

    known: dict[str, str] = field(default_factory=dict)

    def filled(self, value: Any) -> Any:
        if isinstance(value, str):
            for name, text in self.known.items():
                value = value.replace("{" + name + "}", text)
            return value
        if isinstance(value, dict):
            return {key: self.filled(one) for key, one in value.items()}
        return [self.filled(one) for one in value] if isinstance(value, list) else value

    def keep(self, names: Mapping[str, str], body: Mapping[str, Any] | None) -> None:
        for name, path in names.items():
            found: Any = body or {}
            for part in path.split("."):
                found = found[int(part)] if isinstance(found, list) else found[part]
            self.known[name] = str(found)


def shape(value: Any, key: str = "") -> Any:
    """A body without what differs from run to run: such values by their type."""
    if isinstance(value, dict):
        return {name: shape(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one, key) for one in value]
    if key in {"ttl", "lease_duration"} and isinstance(value, int):
        return value // 10 + (value % 10 > 7)  # a second may have passed
    if key == "warnings" and isinstance(value, str):
        return _A_SECOND_LESS.sub(lambda found: f"{int(found[1]) + 1}h", value)
    if value not in (None, "", 0) and _VOLATILE.fullmatch(key):
        return type(value).__name__
    return value


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """What our answer lacks or says otherwise. Keys that only we have are differences too."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{path}.{key}: we lack {theirs[key]!r}" for key in theirs.keys() - ours.keys()]
        found += [f"{path}.{key}: only we say {ours[key]!r}" for key in ours.keys() - theirs.keys()]
        for key in ours.keys() & theirs.keys():
            found += differences(ours[key], theirs[key], f"{path}.{key}")
        return sorted(found)
    return [] if ours == theirs else [f"{path}: {ours!r} is not {theirs!r}"]

"""A policy as it is evaluated: rules of paths with their capabilities and limits. Frozen, so that caches may share it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

Parameters = Mapping[str, tuple[Any, ...]]
"""Values by parameter, in lower case; no values means any value. `*` is any parameter."""


class Capability(IntFlag):
    """What a rule allows. Source: Vault's policies page; `scan` is OpenBao's."""

    NONE = 0
    CREATE = 1
    READ = 2
    UPDATE = 4
    DELETE = 8
    LIST = 16
    SUDO = 32
    PATCH = 64
    SCAN = 128
    DENY = 256


def capability_names(capabilities: Capability) -> list[str]:
    """The names as `sys/capabilities` answers them: sorted, `["deny"]` when nothing is allowed."""
    if not capabilities or capabilities & Capability.DENY:
        return ["deny"]
    return sorted(str(capability.name).lower() for capability in Capability if capability & capabilities)


@dataclass(frozen=True, slots=True)
class Rule:
    """A path with what is allowed there. `path` is relative to `/v1/` and still has its `*`, its `+` and its templates.

    TTLs are whole seconds, 0 is no limit; `expires` is seconds since the epoch, 0 is never.
    """

    path: str
    capabilities: Capability
    allowed: Parameters = field(default_factory=dict)
    denied: Parameters = field(default_factory=dict)
    required: tuple[str, ...] = ()
    min_wrapping_ttl: int = 0
    max_wrapping_ttl: int = 0
    expires: float = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """A named set of rules."""

    name: str
    rules: tuple[Rule, ...]
    is_templated: bool = False

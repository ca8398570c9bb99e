"""Several policies compiled into one answer: may this operation be done on this path?

How rules of the same path are merged, and which of several matching paths counts, is Vault's; source: its policies page, "Policy
syntax" (priority matching), and the answers of OpenBao's `sys/capabilities`. An exact path wins. Else the rule counts whose first
`+` or `*` stands furthest to the right; then one that does not end in `*`; then the one with fewer `+`; then the longer; then the
lexically larger. A list is looked for with a `/` at its end first, then without.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from svault.logical import Operation
from svault.policy.globs import Globs, has_segment_wildcard, reaches
from svault.policy.model import Capability, Policy, Rule, capability_names
from svault.policy.parameters import refused_parameter

# Plain numbers: an operation of an IntFlag costs a microsecond.
_NEEDED = {operation: int(Capability[operation.name]) for operation in Operation}
_DENY, _SUDO = int(Capability.DENY), int(Capability.SUDO)
_WITH_PARAMETERS = frozenset({Operation.READ, Operation.CREATE, Operation.UPDATE, Operation.PATCH})


@dataclass(frozen=True, slots=True)
class Decision:
    """What an Acl says. `policies` are those that allow it; `why` is for the audit and never for the one who was refused."""

    is_allowed: bool
    is_root: bool = False
    is_sudo: bool = False
    """Whether paths that need the `sudo` capability may be used."""
    policies: tuple[str, ...] = ()
    why: str = ""


@dataclass(slots=True)
class _Permission:
    """The rules of one path, merged."""

    path: str
    capabilities: int
    allowed: dict[str, tuple[Any, ...]]
    denied: dict[str, tuple[Any, ...]]
    required: tuple[str, ...]
    min_wrapping_ttl: int
    max_wrapping_ttl: int
    sources: list[tuple[str, int]]
    decisions: dict[Operation, Decision] = field(default_factory=dict)

    def merge(self, policy: str, rule: Rule) -> None:
        if self.capabilities & _DENY:
            return
        capabilities = int(rule.capabilities)
        if capabilities & _DENY:
            self.capabilities = _DENY
            self.sources = [(policy, _DENY)]
            return
        self.capabilities |= capabilities
        self.sources.append((policy, capabilities))
        # Of two limits the smaller counts, also of two minimums: so Vault does.
        self.min_wrapping_ttl = min(filter(None, (self.min_wrapping_ttl, rule.min_wrapping_ttl)), default=0)
        self.max_wrapping_ttl = min(filter(None, (self.max_wrapping_ttl, rule.max_wrapping_ttl)), default=0)
        _merge_parameters(self.allowed, rule.allowed)
        _merge_parameters(self.denied, rule.denied)
        self.required += tuple(name for name in rule.required if name not in self.required)

    @property
    def is_granting(self) -> bool:
        return self.capabilities != 0 and not self.capabilities & _DENY

    @property
    def has_conditions(self) -> bool:
        limits = self.min_wrapping_ttl > 0 or self.max_wrapping_ttl > 0
        return bool(limits or self.allowed or self.denied or self.required)

    def decision(self, operation: Operation) -> Decision:
        """What is decided as far as it does not depend on parameters; worked out once an operation."""
        known = self.decisions.get(operation)
        if known is not None:
            return known
        needed, is_sudo = _NEEDED[operation], bool(self.capabilities & _SUDO)
        if self.capabilities & needed:
            policies = tuple(dict.fromkeys(policy for policy, capabilities in self.sources if capabilities & needed))
            known = Decision(is_allowed=True, is_sudo=is_sudo, policies=policies)
        else:
            named = ", ".join(sorted({policy for policy, _ in self.sources}))
            why = f"the rule {self.path!r} of {named} does not allow {operation}"
            known = Decision(is_allowed=False, is_sudo=is_sudo, why=why)
        self.decisions[operation] = known
        return known

    def refusal(self, operation: Operation, data: Mapping[str, Any], wrap_ttl: int) -> str | None:
        shortest, longest = self.min_wrapping_ttl, self.max_wrapping_ttl
        if shortest > 0 and wrap_ttl < shortest:
            return f"the response must be wrapped for at least {shortest} seconds"
        if longest > 0 and not 0 < wrap_ttl <= longest:
            return f"the response must be wrapped for at most {longest} seconds"
        if operation in _WITH_PARAMETERS:
            return refused_parameter(data, self.allowed, self.denied, self.required)
        return None


def _merge_parameters(into: dict[str, tuple[Any, ...]], more: Mapping[str, tuple[Any, ...]]) -> None:
    for name, values in more.items():
        known = into.get(name)
        into[name] = () if not values or known == () else values + (known or ())


_NOTHING = Decision(is_allowed=False, why="no rule matches the path")
_ROOT = Decision(is_allowed=True, is_root=True, is_sudo=True, policies=("root",))


class Acl:
    """The policies of one token, compiled. Immutable; a decision takes a few microseconds."""

    __slots__ = ("_exact", "_globs", "_rules", "is_root")

    def __init__(self, policies: Iterable[Policy]) -> None:
        """Compile policies whose templates are filled in (`store.PolicyStore` does it) and none of whose rules has expired."""
        given = list(policies)
        self.is_root = [policy.name for policy in given] == ["root"]
        merged: dict[str, _Permission] = {}
        for policy in given:
            for rule in policy.rules:
                if rule.path in merged:
                    merged[rule.path].merge(policy.name, rule)
                else:
                    merged[rule.path] = _permission(policy.name, rule)
        wild = {path: permission for path, permission in merged.items() if path.endswith("*") or has_segment_wildcard(path)}
        self._rules = merged
        self._exact = {path: permission for path, permission in merged.items() if path not in wild}
        self._globs = Globs(wild)

    def decide(self, operation: Operation, path: str, data: Mapping[str, Any] | None = None, wrap_ttl: int = 0) -> Decision:
        """Whether an operation on a path (relative to `/v1/`) with these parameters is allowed.

        `wrap_ttl` is how many seconds the response will be wrapped, 0 is unwrapped.
        """
        if self.is_root:
            return _ROOT
        path, is_list = path.lstrip("/"), operation is Operation.LIST
        # What is listed is a folder, whether the client wrote its slash or not.
        permission = self._permission(path if not is_list or path.endswith("/") else path + "/", is_list=is_list)
        if permission is None:
            return _NOTHING
        decision = permission.decision(operation)
        if decision.is_allowed and permission.has_conditions:
            why = permission.refusal(operation, data or {}, wrap_ttl)
            if why is not None:
                return Decision(is_allowed=False, is_sudo=decision.is_sudo, policies=decision.policies, why=why)
        return decision

    def capabilities(self, path: str) -> list[str]:
        """What may be done on a path, sorted: `["root"]`, `["deny"]`, or the names of the capabilities."""
        if self.is_root:
            return ["root"]
        permission = self._permission(path.lstrip("/"), is_list=True)
        return ["deny"] if permission is None else capability_names(Capability(permission.capabilities))

    def allows_anything_below(self, mount: str) -> bool:
        """Whether any path under a mount (`secret/`) is allowed anything: who may see that the mount is there."""
        return self.is_root or any(
            rule.is_granting and (path.startswith(mount) if path in self._exact else reaches(path, mount))
            for path, rule in self._rules.items()
        )

    def _permission(self, path: str, *, is_list: bool) -> _Permission | None:
        found = self._exact.get(path)
        if is_list and path.endswith("/"):
            bare = path[:-1]
            return found or self._exact.get(bare) or self._globs.find(path) or self._globs.find(bare)
        return found or self._globs.find(path)


def _permission(policy: str, rule: Rule) -> _Permission:
    return _Permission(
        path=rule.path,
        capabilities=int(rule.capabilities),
        allowed=dict(rule.allowed),
        denied=dict(rule.denied),
        required=rule.required,
        min_wrapping_ttl=rule.min_wrapping_ttl,
        max_wrapping_ttl=rule.max_wrapping_ttl,
        sources=[(policy, int(rule.capabilities))],
    )

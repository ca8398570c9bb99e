"""Cedar policies beside the ACL: written by name, checked against `vault.cedarschema`, kept in memory while unsealed.

Where there is none, the ACL decides alone. Where there are some, a request passes only when the ACL allows it and Cedar's answer
is Allow; whatever else Cedar says (Deny, NoDecision, a policy that failed while it was evaluated) refuses it. The root token is
not asked about, as in Vault no policy binds it: it repairs what locks everybody out. Source: the Cedar policy language reference.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from svault.barrier.view import View
from svault.errors import BadRequestError, DamagedStorageError
from svault.policy.cedar_request import CedarRequest
from svault.policy.cedar_statements import Statement, checked_statements, document
from svault.policy.recent import Recent

if TYPE_CHECKING:
    from cedarpy import Entities, PolicySet

MAX_STATEMENTS = 2_000
MAX_KEPT = 1024
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,126}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class CedarPolicy:
    """A text with one or more statements, as it was written."""

    name: str
    policy: str
    version: int


@dataclass(frozen=True, slots=True)
class DecidingStatement:
    """A statement that decided: `name`, or `name#1` for a further one of the same text, with its annotations."""

    id: str
    effect: str
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CedarDecision:
    """What Cedar says. `deciding` and `errors` are for the audit and for operators, never for the one who was refused."""

    is_allowed: bool
    is_asked: bool = True
    """False when there is no Cedar policy, so that the ACL decided alone."""
    deciding: tuple[DecidingStatement, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def policies(self) -> tuple[str, ...]:
        """The ids of the statements that decided."""
        return tuple(one.id for one in self.deciding)

    @property
    def why(self) -> str:
        """A sentence for the audit."""
        if self.errors:
            return "a Cedar policy failed: " + "; ".join(self.errors)
        if self.deciding:
            return ", ".join(f"{one.effect} by {one.id}" for one in self.deciding)
        return "no Cedar policy permits it" if self.is_asked else "there is no Cedar policy"


class CedarPolicies:
    """The Cedar policies of a vault. One a vault; all methods but `decide` may raise StorageError."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._policies: dict[str, CedarPolicy] = {}
        self._statements: dict[str, tuple[Statement, ...]] = {}
        self._decisions: Recent[tuple[str, str, str, str], CedarDecision] = Recent(MAX_KEPT)
        self._sets: Recent[tuple[Statement, ...], PolicySet] = Recent(MAX_KEPT)
        self._principals: Recent[str, Entities] = Recent(MAX_KEPT)
        self._index: dict[tuple[str | None, str | None], list[Statement]] | None = None

    async def start(self) -> None:
        """Read the policies: after unsealing, and when another server may have written some. Raises DamagedStorageError."""
        policies: dict[str, CedarPolicy] = {}
        statements: dict[str, tuple[Statement, ...]] = {}
        async for name in self._view.walk():
            policies[name] = CedarPolicy(name=name, **(await self._view.read(name)))
            try:
                statements[name] = checked_statements(name, policies[name].policy)
            except BadRequestError:
                raise DamagedStorageError(f"the stored Cedar policy {name!r} cannot be read") from None
        self._policies, self._statements = policies, statements
        self._forget()

    @property
    def has_policies(self) -> bool:
        """Whether Cedar is asked at all."""
        return bool(self._statements)

    def get(self, name: str) -> CedarPolicy | None:
        """A policy as it was written, or None."""
        return self._policies.get(name.lower())

    def names(self) -> list[str]:
        """The names, sorted."""
        return sorted(self._policies)

    async def put(self, name: str, text: str) -> list[str]:
        """Write a policy; returns warnings. Raises BadRequestError with what is wrong with it, a sentence each."""
        name = name.lower()
        if not _NAME.fullmatch(name):
            raise BadRequestError("a Cedar policy's name has at most 128 letters, digits, '_', '.' and '-'")
        statements = checked_statements(name, text)
        others = sum(len(more) for other, more in self._statements.items() if other != name)
        if others + len(statements) > MAX_STATEMENTS:
            raise BadRequestError(f"more than {MAX_STATEMENTS} Cedar statements in all")
        async with self._view.lock(name):
            before = self._policies.get(name)
            policy = CedarPolicy(name, text, before.version + 1 if before else 1)
            await self._view.write(name, {"policy": policy.policy, "version": policy.version})
            self._policies[name] = policy
            self._statements[name] = statements
            self._forget()
        return self._warnings()

    async def delete(self, name: str) -> list[str]:
        """Remove a policy; one that is not there is no error. Returns warnings."""
        name = name.lower()
        if name in self._policies:
            async with self._view.lock(name):
                await self._view.delete(name)
                self._policies.pop(name, None)
                self._statements.pop(name, None)
                self._forget()
        return self._warnings()

    def _warnings(self) -> list[str]:
        every = [statement for statements in self._statements.values() for statement in statements]
        if every and all(statement.source["effect"] == "forbid" for statement in every):
            return ["no Cedar policy permits anything: every request is refused, except those of the root token"]
        return []

    def decide(self, request: CedarRequest) -> CedarDecision:
        """Ask Cedar. Never raises: what cannot be decided is refused."""
        if not self.has_policies:
            return CedarDecision(is_allowed=True, is_asked=False)
        # Cedar's answer depends on these texts and the policies alone.
        principal, resource, context = request.principal.entities(), request.resource(), request.context()
        key = (principal, request.action, resource, context)
        return self._decisions.get(key) or self._decisions.keep(key, self._decide(request, principal, resource, context))

    def _decide(self, request: CedarRequest, principal: str, resource: str, context: str) -> CedarDecision:
        import cedarpy  # noqa: PLC0415 - 55 ms that a vault without Cedar policies does not spend

        applicable = self._applicable(request.principal.key, request.action, request.path)
        if not applicable:
            return CedarDecision(is_allowed=False)
        try:
            entities = self._principal(principal).with_added_json_str(resource)
            answer = cedarpy.is_authorized(request.question(context), self._policy_set(applicable), entities)
        except (ValueError, TypeError) as error:
            return CedarDecision(is_allowed=False, errors=(f"{type(error).__name__} in the request",))
        errors = tuple(answer.diagnostics.errors)
        by_id = {statement.id: statement for statement in applicable}
        deciding = tuple(
            DecidingStatement(name, by_id[name].source["effect"], by_id[name].annotations)
            for name in sorted(answer.diagnostics.reasons)
            if name in by_id
        )
        is_allowed = answer.decision is cedarpy.Decision.Allow and not errors
        return CedarDecision(is_allowed=is_allowed, deciding=deciding, errors=errors)

    def _applicable(self, principal: str, action: str, path: str) -> tuple[Statement, ...]:
        """The statements whose scope does not rule the request out. Cedar would find the rest unsatisfied too, one by one."""
        index = self._index
        if index is None:
            index = self._index = {}
            for statement in (one for statements in self._statements.values() for one in statements):
                key = (statement.resource, statement.principal if statement.resource is None else None)
                index.setdefault(key, []).append(statement)
        return tuple(
            statement
            for scope in ((None, None), (None, principal), (path, None))
            for statement in index.get(scope, ())
            if (statement.principal is None or statement.principal == principal)
            and (statement.actions is None or action in statement.actions)
        )

    def _policy_set(self, statements: tuple[Statement, ...]) -> "PolicySet":
        from cedarpy import PolicySet  # noqa: PLC0415 - as above

        found = self._sets.get(statements)
        return found or self._sets.keep(statements, PolicySet.from_json_str(document(statements)))

    def _principal(self, text: str) -> "Entities":
        """Who asks, parsed. Raises ValueError."""
        from cedarpy import Entities  # noqa: PLC0415 - as above

        return self._principals.get(text) or self._principals.keep(text, Entities.from_json_str(text))

    def _forget(self) -> None:
        self._index = None
        for kept in (self._decisions, self._sets, self._principals):
            kept.clear()

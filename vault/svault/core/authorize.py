"""Whether a token may do what it asks: its ACL policies, those of its entity and groups, and the Cedar policies."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from svault.audit.entry import AuditAuth, GrantingPolicy
from svault.auth.token.entry import Token
from svault.core.mounts import Mounted
from svault.errors import BadRequestError
from svault.logical.networks import is_bound
from svault.logical.request import Identity, Operation, Request
from svault.policy.cedar import CedarDecision
from svault.policy.cedar_request import CedarRequest, Principal

if TYPE_CHECKING:
    from svault.core.active import Active


@dataclass(frozen=True, slots=True)
class Grant:
    """The decision and what it rests on; `why` is for the audit alone."""

    policies: list[str]
    identity_policies: list[str]
    granting: tuple[GrantingPolicy, ...] = ()
    is_allowed: bool = False
    why: str = ""


def identity_of(token: Token) -> Identity:
    """What engines may know of a token."""
    return Identity(
        entity_id=token.entity,
        display_name=token.display_name,
        policies=tuple(token.policies),
        metadata=token.meta,
        accessor=token.accessor,
        token_id=token.cubbyhole,
        token_hash=token.hash,
    )


class Authorizer:
    """Belongs to an unsealed vault."""

    def __init__(self, active: "Active") -> None:
        self._active = active

    async def grant(self, request: Request, path: str, mounted: Mounted | None, token: Token) -> Grant:
        """Decide; an update of what is not there yet becomes a create on the way."""
        names, identity_policies = self.policy_names(token)
        needs_sudo = False
        if mounted is not None:
            if request.operation == Operation.UPDATE and await self._is_new(request, mounted):
                request.operation = Operation.CREATE
            needs_sudo = request.found is not None and request.found[0].needs_sudo
        entity = self._active.identity.entity(token.entity) if token.entity else None
        if token.entity and entity is None:
            return Grant(names, identity_policies, why="the entity of the token is gone")
        if entity is not None and entity.is_disabled:
            return Grant(names, identity_policies, why="the entity is disabled")
        if token.bound_cidrs and not is_bound(token.bound_cidrs, request.remote_address):
            return Grant(names, identity_policies, why="the address is not among the token's bound_cidrs")
        values = self._active.identity.template_values(token.entity) if token.entity else None
        acl = await self._active.policies.acl_for(names, values)
        decision = acl.decide(request.operation, path, request.data, request.wrap_ttl)
        granting = tuple(GrantingPolicy(name) for name in decision.policies)
        if not decision.is_allowed:
            return Grant(names, identity_policies, granting, why=decision.why)
        if needs_sudo and not (decision.is_sudo or decision.is_root):
            return Grant(names, identity_policies, granting, why="this path needs the sudo capability")
        if self._active.cedar.has_policies and not decision.is_root:
            has_certificate = request.client_certificate is not None
            for action in (request.operation.value, "sudo") if needs_sudo else (request.operation.value,):
                cedar = self.cedar_decision(
                    token, action, path, request.remote_address, request.wrap_ttl, has_certificate=has_certificate
                )
                if not cedar.is_allowed:
                    return Grant(names, identity_policies, granting, why=cedar.why)
                granting += tuple(GrantingPolicy(one.id, "cedar") for one in cedar.deciding)
        return Grant(names, identity_policies, granting, is_allowed=True)

    @staticmethod
    async def _is_new(request: Request, mounted: Mounted) -> bool:
        try:
            return await mounted.engine.exists(request) is False
        except BadRequestError:
            return False  # whoever may not write there does not learn what is wrong with the path

    def policy_names(self, token: Token) -> tuple[list[str], list[str]]:
        """All policies of a token, and those among them that its entity and groups give."""
        if not token.entity:
            return token.policies, []
        own, inherited = self._active.identity.policies_of(token.entity)
        identity_policies = list(dict.fromkeys([*own, *inherited]))
        return list(dict.fromkeys([*token.policies, *identity_policies])), identity_policies

    def cedar_decision(
        self, token: Token, action: str, path: str, address: str, wrap_ttl: int, *, has_certificate: bool = False
    ) -> CedarDecision:
        """What the Cedar policies alone say."""
        mounted = self._active.mounts.find(path)
        groups = self._active.identity.group_names(token.entity) if token.entity else ()
        entity = self._active.identity.entity(token.entity) if token.entity else None
        metadata = token.meta if entity is None else entity.metadata or {}
        asker = replace(identity_of(token), policies=tuple(self.policy_names(token)[0]), metadata=metadata)
        return self._active.cedar.decide(
            CedarRequest(
                Principal(asker, groups),
                action,
                path,
                mounted.entry.path if mounted else "",
                mounted.entry.kind if mounted else "",
                self._active.core.clock.time(),
                address,
                wrap_ttl,
                has_certificate,
            )
        )


def audit_auth(text: str, token: Token, grant: Grant) -> AuditAuth:
    """Who asked and what was decided, for the audit."""
    return AuditAuth(
        client_token=text,
        accessor=token.accessor,
        display_name=token.display_name,
        policies=grant.policies,
        token_policies=token.policies,
        identity_policies=grant.identity_policies,
        metadata=token.meta,
        entity_id=token.entity,
        token_type=token.kind,
        token_ttl=token.ttl,
        token_issue_time=token.created,
        remaining_uses=token.uses,
        allowed=grant.is_allowed,
        granting_policies=grant.granting,
        reason=grant.why,
    )

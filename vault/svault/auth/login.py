"""From a login that succeeded to a token."""

from typing import TYPE_CHECKING, Any

from svault.auth.token.entry import ROOT, Token
from svault.auth.token.store import new_accessor
from svault.core.lifetime import Lifetime
from svault.core.mounts import Mounted
from svault.errors import BadRequestError, PermissionDeniedError
from svault.logical.request import Auth, Request

if TYPE_CHECKING:
    from svault.core.active import Active

DEFAULT = "default"


async def login(active: "Active", request: Request, mounted: Mounted, auth: Auth, warnings: list[str]) -> dict[str, Any]:
    """Make the token of a login; returns the answer's `auth`. Raises BadRequestError when a login asks for the root policy."""
    policies = sorted({name.lower() for name in auth.policies} | (set() if auth.no_default_policy else {DEFAULT}))
    if ROOT in policies:
        raise BadRequestError("auth methods cannot create root tokens")
    entity_id = ""
    if auth.alias:
        entity = await active.identity.entity_for_login(mounted.entry.accessor, auth.alias, auth.alias_metadata)
        if entity.is_disabled:
            raise PermissionDeniedError
        entity_id = entity.id
    system = mounted.mount.system
    lifetime = Lifetime(
        auth.ttl, system.default_lease_ttl(), system.max_lease_ttl(), auth.max_ttl, auth.explicit_max_ttl, auth.period
    )
    ttl, capped = lifetime.granted()
    warnings += capped
    prefix = mounted.entry.name.removesuffix("/").replace("/", "-")
    token = Token(
        hash="",
        accessor=new_accessor(),
        policies=policies,
        path=mounted.entry.path + request.path,
        created=active.core.clock.time(),
        mount=mounted.entry.uuid,
        display_name=f"{prefix}-{auth.display_name}" if auth.display_name else prefix,
        meta=auth.metadata,
        uses=auth.uses,
        explicit_max_ttl=auth.explicit_max_ttl,
        period=auth.period,
        entity=entity_id,
        is_orphan=True,
        bound_cidrs=[request.remote_address] if auth.binds_address else auth.bound_cidrs,
        is_renewable=auth.renewable,
        max_ttl=auth.max_ttl,
        internal=auth.internal,
    )
    text = await active.tokens.create(token, ttl)
    active.core.metrics.logins.labels(mounted.entry.kind).inc()
    return described(active, token, text, ttl)


def described(active: "Active", token: Token, text: str, ttl: int) -> dict[str, Any]:
    """A token as an answer's `auth` shows it."""
    own, inherited = active.identity.policies_of(token.entity) if token.entity else ((), ())
    identity_policies = sorted({*own, *inherited})
    found: dict[str, Any] = {
        "client_token": text,
        "accessor": token.accessor,
        "policies": sorted({*token.policies, *identity_policies}),
        "token_policies": token.policies,
        "metadata": token.meta or None,
        "lease_duration": ttl,
        "renewable": token.is_renewable and ttl > 0,
        "entity_id": token.entity,
        "token_type": token.kind,
        "orphan": token.is_orphan,
        "mfa_requirement": None,
        "num_uses": max(token.uses, 0),
    }
    if identity_policies:
        found["identity_policies"] = identity_policies
    return found

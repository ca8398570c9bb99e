"""Leases of answers and of tokens: how long they last, how they are renewed."""

from typing import TYPE_CHECKING, Any

from svault.auth.token.entry import Token
from svault.core.lifetime import Lifetime
from svault.core.mounts import Mounted
from svault.errors import BadRequestError
from svault.leases.lease import TOKEN, StoredLease
from svault.leases.registry import new_id
from svault.logical.engine import LeaseRecord
from svault.logical.request import Request, Response

if TYPE_CHECKING:
    from svault.core.active import Active

_LAST_USE = "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked."


async def register_lease(
    active: "Active", request: Request, mounted: Mounted, response: Response, token: Token | None
) -> dict[str, Any]:
    """Activate the lease of an answer; returns what stands at its top level. Raises BadRequestError, PermissionDeniedError."""
    lease = response.lease
    assert lease is not None
    if token is not None and token.uses < 0:
        raise BadRequestError(_LAST_USE)
    system = mounted.mount.system
    limit = system.max_lease_ttl()
    ttl, warnings = Lifetime(lease.ttl, system.default_lease_ttl(), limit, lease.max_ttl).granted()
    response.warnings += warnings
    intended = active.intended.get(request.id, [])
    stored = next((one for one in intended if one.id == lease.id), None)
    if stored is None:
        owner = token.hash if token is not None else ""
        lease.id = new_id(mounted.entry.path + request.path)
        stored = StoredLease(lease.id, lease.kind, mounted.entry.uuid, owner)
    stored.internal, stored.is_renewable = dict(lease.internal), lease.renewable
    stored.max_expires = active.core.clock.time() + (min(limit, lease.max_ttl) if lease.max_ttl else limit)
    if token is None:
        await active.leases.activate(stored, ttl)
    else:
        async with active.tokens.hanging_on(token.hash):
            await active.leases.activate(stored, ttl)
    if stored in intended:
        intended.remove(stored)
    return {"lease_id": stored.id, "renewable": stored.is_renewable, "lease_duration": ttl}


def asked_increment(request: Request) -> int:
    """The seconds that a renewal asks for. Raises BadRequestError for less than nothing."""
    increment = request.fields.duration("increment")
    if increment < 0:
        wrong = "Field validation failed: error converting input for field"
        raise BadRequestError(f'{wrong} "increment": cannot provide a negative value')
    return increment


async def renew_lease(active: "Active", lease: StoredLease, increment: int) -> tuple[int, list[str]]:
    """Let a secret's lease last longer; returns its new seconds and warnings. Raises BadRequestError when it cannot be."""
    if not lease.is_renewable:
        raise BadRequestError("lease is not renewable")
    mounted = active.mounts.by_uuid(lease.mount)
    if mounted is None:
        raise BadRequestError("lease is not renewable")
    asked, own_max = await mounted.engine.renew(lease.record(), increment)
    system = mounted.mount.system
    now = active.core.clock.time()
    limit = int(lease.max_expires - lease.issued) if lease.max_expires else system.max_lease_ttl()
    lifetime = Lifetime(asked, system.default_lease_ttl(), limit, own_max, age=int(now - lease.issued))
    ttl, warnings = lifetime.granted()
    await active.leases.extend(lease, ttl)
    return ttl, warnings


async def renew_token(active: "Active", token: Token, increment: int) -> tuple[int, list[str]]:
    """Let a token live longer; returns its new seconds and warnings. Raises BadRequestError when it cannot be."""
    lease = active.leases.own_lease(token.hash)
    if lease is None or not token.is_renewable:
        raise BadRequestError("lease is not renewable")
    mounted = active.mounts.by_uuid(token.mount)
    limit = mounted.mount.system.max_lease_ttl() if mounted else active.core.settings.max_lease_ttl
    default = mounted.mount.system.default_lease_ttl() if mounted else active.core.settings.default_lease_ttl
    asked, period = increment or int(lease.expires - (lease.last_renewal or lease.issued)), token.period
    if mounted is not None and mounted.entry.kind != TOKEN:
        record = LeaseRecord(lease.id, TOKEN, token.internal, token.created, lease.expires)
        asked, _ = await mounted.engine.renew(record, increment)
    lifetime = Lifetime(
        asked,
        default,
        limit,
        token.max_ttl,
        token.explicit_max_ttl,
        period,
        int(active.core.clock.time() - token.created),
    )
    ttl, warnings = lifetime.granted()
    await active.leases.extend(lease, ttl)
    return ttl, warnings

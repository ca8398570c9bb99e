"""`sys/leases`: look up, renew and revoke. Source: Vault's API page of the same name."""

from typing import Any

from svault.core.lifetimes import asked_increment, renew_lease
from svault.errors import BadRequestError, UpstreamError
from svault.leases.lease import TOKEN, StoredLease
from svault.logical.answers import TIDY_STARTED
from svault.logical.clock import rfc3339
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.sys.base import SystemPart

_READ, _UPDATE, _LIST = Operation.READ, Operation.UPDATE, Operation.LIST
ID = "{lease_id:.+?}"


class LeasePaths(SystemPart):
    """Leases, those of tokens among them."""

    def _given(self, request: Request) -> str:
        lease_id = request.fields.text("lease_id") or request.fields.text("url_lease_id") or request.args.get("lease_id", "")
        if not lease_id:
            raise BadRequestError("lease_id must be specified")
        return lease_id

    def _lease(self, request: Request, missing: str) -> StoredLease:
        lease = self._active.leases.get(self._given(request))
        if lease is None:
            raise BadRequestError(missing)
        return lease

    @route("leases/lookup", _UPDATE)
    async def lookup_lease(self, request: Request) -> Response:
        """One lease."""
        lease = self._lease(request, "invalid lease")
        data: dict[str, Any] = {
            "expire_time": rfc3339(lease.expires) if lease.expires else None,
            "id": lease.id,
            "issue_time": rfc3339(lease.issued),
            "last_renewal": rfc3339(lease.last_renewal) if lease.last_renewal else None,
            "path": lease.id.rpartition("/")[0],
            "renewable": lease.is_renewable,
            "ttl": self._active.leases.remaining(lease),
        }
        return Response(data)

    @route("leases/lookup/{prefix...}", _LIST, sudo=True)
    async def list_leases(self, request: Request) -> Response | None:
        """The names of the leases directly under a prefix."""
        prefix = request.args["prefix"]
        names = self._active.leases.names(f"{prefix.strip('/')}/" if prefix.strip("/") else "")
        return Response({"keys": names}) if names else None

    @route("leases/lookup", _LIST, sudo=True)
    async def list_all(self, request: Request) -> Response | None:
        """The mounts that have leases."""
        names = self._active.leases.names("")
        return Response({"keys": names}) if names else None

    @route("leases", _READ, sudo=True)
    async def count_leases(self, request: Request) -> Response | None:
        """The leases that need a person (`type=irrevocable`)."""
        if request.fields.text("type") != "irrevocable":
            raise BadRequestError("missing required query parameter: type (irrevocable)")
        found = self._active.leases.irrevocable()
        return Response({"lease_count": len(found), "leases": found, "counts": {}})

    @route("leases/count", _READ)
    async def count_by_mount(self, request: Request) -> Response:
        """How many leases each mount has."""
        counts: dict[str, int] = {}
        for lease in self._active.leases:
            mounted = self._active.mounts.find(lease.id)
            if mounted is not None:
                counts[mounted.entry.path] = counts.get(mounted.entry.path, 0) + 1
        return Response({"lease_count": sum(counts.values()), "counts": counts})

    @route("renew", _UPDATE)
    @route(f"renew/{ID}", _UPDATE)
    @route("leases/renew", _UPDATE)
    @route(f"leases/renew/{ID}", _UPDATE)
    async def renew_lease(self, request: Request) -> Response:
        """Let a lease last longer."""
        lease = self._lease(request, "lease not found")
        increment = asked_increment(request)
        if lease.kind == TOKEN:
            raise BadRequestError("tokens cannot be renewed through this endpoint")
        try:
            ttl, warnings = await renew_lease(self._active, lease, increment)
        except UpstreamError as error:
            raise BadRequestError(f"failed to renew entry: {error.message}") from None
        envelope = {"lease_id": lease.id, "renewable": lease.is_renewable, "lease_duration": ttl}
        return Response(warnings=warnings, envelope=envelope)

    @route("revoke", _UPDATE)
    @route(f"revoke/{ID}", _UPDATE)
    @route("leases/revoke", _UPDATE)
    @route(f"leases/revoke/{ID}", _UPDATE)
    async def revoke_lease(self, request: Request) -> None:
        """End a lease; one that is not there is no error."""
        lease = self._active.leases.kept(self._given(request))
        if lease is not None:
            await self._revoke(lease)

    async def _revoke(self, lease: StoredLease, *, force: bool = False) -> None:
        try:
            await self._active.leases.revoke(lease, force=force)
        except UpstreamError as error:
            raise BadRequestError(f"failed to revoke entry: {error.message}") from None

    async def _revoke_under(self, request: Request, *, force: bool) -> None:
        for lease in self._active.leases.under(request.args["prefix"].strip("/") + "/"):
            await self._revoke(lease, force=force)
        exact = self._active.leases.get(request.args["prefix"])
        if exact is not None:
            await self._revoke(exact, force=force)

    @route("revoke-prefix/{prefix:.+}", _UPDATE, sudo=True)
    @route("leases/revoke-prefix/{prefix:.+}", _UPDATE, sudo=True)
    async def revoke_prefix(self, request: Request) -> None:
        """End all leases under a prefix."""
        await self._revoke_under(request, force=False)

    @route("revoke-force/{prefix:.+}", _UPDATE, sudo=True)
    @route("leases/revoke-force/{prefix:.+}", _UPDATE, sudo=True)
    async def revoke_force(self, request: Request) -> None:
        """Forget all leases under a prefix, whether what they stand for could be undone or not."""
        await self._revoke_under(request, force=True)

    @route("leases/tidy", _UPDATE, sudo=True)
    async def tidy_leases(self, request: Request) -> Response:
        """Remove tokens and leases that a crash may have left, in the background."""
        self.mount.system.spawn(self._active.tokens.tidy(), "lease tidy")
        return Response(status=202, warnings=[TIDY_STARTED])

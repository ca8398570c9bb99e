"""Users made on demand: `roles/:name`, `creds/:name`, their renewal and revocation.

The name of a user is written down with a lease before PostgreSQL is asked to make it, so that a crash leaves nobody behind.
`VALID UNTIL` in the statements is the second fence: the user ends with its lease even when the vault is not there.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from svault.engines.database.config import SCRAM
from svault.engines.database.connections import Connections
from svault.engines.database.credentials import new_password, new_username
from svault.engines.database.failures import kept_secret
from svault.engines.database.roles import Role, changed_role
from svault.engines.database.statements import filled
from svault.errors import BadRequestError, InternalError, NotFoundError
from svault.logical import Lease, LeaseRecord, Operation, Request, Response, route

ROLES, STATIC = "roles/", "static-roles/"
GRACE = 5  # seconds that VALID UNTIL lies behind the lease's end


class DynamicRoles(Connections):
    """The part of the engine that makes users with leases."""

    @route("roles", Operation.LIST)
    async def list_roles(self, _request: Request) -> Response:
        """The names of the roles."""
        names = await self.mount.view.list(ROLES)
        if not names:
            raise NotFoundError
        return Response(data={"keys": names})

    @route("roles/{name}", Operation.READ)
    async def read_role(self, request: Request) -> Response:
        """A role."""
        entry = await self.mount.view.read(ROLES + request.args["name"])
        if entry is None:
            raise NotFoundError
        return Response(data=Role.stored(entry).shown())

    @route("roles/{name}", Operation.CREATE, Operation.UPDATE)
    async def write_role(self, request: Request) -> None:
        """Make or change a role; its connection need not be there yet."""
        name = request.args["name"]
        async with self.mount.view.lock(ROLES + name):
            if await self.mount.view.get(STATIC + name) is not None:
                raise BadRequestError("Role and Static Role names must be unique")
            entry = await self.mount.view.read(ROLES + name)
            role = changed_role(Role.stored(entry) if entry else None, request.fields)
            await self.mount.view.write(ROLES + name, role.entry())

    @route("roles/{name}", Operation.DELETE)
    async def delete_role(self, request: Request) -> None:
        """Remove a role. What was leased by it stays until its lease ends."""
        await self.mount.view.delete(ROLES + request.args["name"])

    @route("creds/{name}", Operation.READ)
    async def issue(self, request: Request) -> Response:
        """Make a user: its name and password, and a lease."""
        name = request.args["name"]
        entry = await self.mount.view.read(ROLES + name)
        if entry is None:
            raise BadRequestError(f"unknown role: {name}")
        role = Role.stored(entry)
        config = await self._configured(role.db_name)
        if not config.allows(name):
            raise InternalError(f'"{name}" is not an allowed role')
        if not role.creation_statements:
            raise InternalError("empty creation statements")
        now = self.mount.clock.time()
        username = new_username(config.template(), request.identity.display_name, name, now)
        password = new_password()
        database = await self._database(role.db_name)
        await database.check()  # a database that is away is found out before anything is written down
        internal = {
            "db_name": role.db_name,
            "role": name,
            "username": username,
            "revocation_statements": list(role.revocation_statements),
            "renew_statements": list(role.renew_statements),
        }
        lease = Lease(kind="creds", internal=internal, ttl=role.default_ttl, max_ttl=role.max_ttl)
        lease = await self.mount.system.intend_lease(request, lease)
        ttl, _ = self._ttl(role, role.default_ttl)
        expiration = _timestamp(now + ttl)
        sends_verifier = config.password_authentication == SCRAM
        with kept_secret(password):
            await database.create(username, password, role.creation_statements, expiration, sends_verifier=sends_verifier)
        return Response(data={"username": username, "password": password}, lease=lease)

    async def renew(self, lease: LeaseRecord, increment: int) -> tuple[int, int]:
        """Move the user's `VALID UNTIL` with the lease. The core cuts what is returned, and warns."""
        internal = lease.internal
        entry = await self.mount.view.read(ROLES + internal["role"])
        if entry is None:
            raise BadRequestError(f"could not find role with name: {internal['role']}")
        role = Role.stored(entry)
        ttl, longest = self._ttl(role, increment or role.default_ttl)
        now = self.mount.clock.time()
        database = await self._database(internal["db_name"])
        expiration = _timestamp(min(now + ttl, lease.issued + longest))
        if internal["renew_statements"]:
            await database.execute(filled(internal["renew_statements"], _values(internal, expiration)))
        else:
            await database.extend(internal["username"], expiration)
        return increment or role.default_ttl, role.max_ttl

    async def revoke(self, lease: LeaseRecord) -> None:
        """Remove the user; one who was never made, or is gone already, is no error."""
        internal = lease.internal
        database = await self._database(internal["db_name"])
        statements = filled(internal["revocation_statements"], _values(internal))
        await database.revoke(internal["username"], statements)

    def _ttl(self, role: Role, wanted: int) -> tuple[int, int]:
        """Seconds that a lease lasts, and may last at most, by the role and the mount."""
        system = self.mount.system
        longest = min(role.max_ttl or system.max_lease_ttl(), system.max_lease_ttl())
        return min(wanted or system.default_lease_ttl(), longest), longest


def _values(internal: Mapping[str, Any], expiration: str = "") -> dict[str, str]:
    values = {"name": internal["username"], "username": internal["username"]}
    return {**values, "expiration": expiration} if expiration else values


def _timestamp(seconds: float) -> str:
    """A time for `VALID UNTIL`, a little behind the lease's end so that the lease is never the longer one."""
    return datetime.fromtimestamp(seconds + GRACE, UTC).strftime("%Y-%m-%d %H:%M:%S+00:00")

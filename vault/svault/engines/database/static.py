"""Users that exist already, whose passwords are rotated: `static-roles/:name`, `static-creds/:name`, `rotate-role/:name`.

A new password is written down as pending before PostgreSQL is told of it. Whoever finds one pending (after a crash, or when the
connection was lost) sets it again, which is harmless when it was set already.
"""

from dataclasses import replace

from svault.engines.database.connections import Connections
from svault.engines.database.credentials import new_password
from svault.engines.database.dynamic import ROLES, STATIC
from svault.engines.database.failures import RefusedError
from svault.engines.database.roles import StaticRole, changed_static_role
from svault.errors import BadRequestError, InternalError, NotFoundError, VaultError
from svault.logical import Mount, Operation, Request, Response, route

RETRY_AFTER = 10  # seconds


class StaticRoles(Connections):
    """The part of the engine that rotates passwords."""

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self._due: dict[str, tuple[float, int]] = {}
        self._is_rotating = False

    async def start(self) -> None:
        """Find out when each password is to be rotated; one that is pending is due at once."""
        await super().start()
        for name in await self.mount.view.list(STATIC):
            self._plan(name, await self._static_role(name))

    @route("static-roles", Operation.LIST)
    async def list_static_roles(self, _request: Request) -> Response:
        """The names of the static roles."""
        names = await self.mount.view.list(STATIC)
        if not names:
            raise NotFoundError
        return Response(data={"keys": names})

    @route("static-roles/{name}", Operation.READ)
    async def read_static_role(self, request: Request) -> Response:
        """A static role without its password."""
        entry = await self.mount.view.read(STATIC + request.args["name"])
        if entry is None:
            raise NotFoundError
        return Response(data=StaticRole.stored(entry).shown())

    @route("static-roles/{name}", Operation.CREATE, Operation.UPDATE)
    async def write_static_role(self, request: Request) -> None:
        """Make or change a static role. When it is made, its user's password is rotated at once."""
        name = request.args["name"]
        async with self.mount.view.lock(STATIC + name):
            if await self.mount.view.get(ROLES + name) is not None:
                raise BadRequestError("Role and Static Role names must be unique")
            entry = await self.mount.view.read(STATIC + name)
            old = StaticRole.stored(entry) if entry else None
            role = changed_static_role(old, request.fields)
            await self._check_allowed(name, role)
            if old is None:
                try:
                    await self._rotate(name, role)
                except VaultError as error:
                    await self._remove(name)
                    raise InternalError("error setting credentials: " + "; ".join(error.errors)) from None
            else:
                await self.mount.view.write(STATIC + name, role.entry())
                self._plan(name, role)

    @route("static-roles/{name}", Operation.DELETE)
    async def delete_static_role(self, request: Request) -> None:
        """Forget a static role; its user keeps its last password."""
        async with self.mount.view.lock(STATIC + request.args["name"]):
            await self._remove(request.args["name"])

    @route("static-creds/{name}", Operation.READ)
    async def read_credentials(self, request: Request) -> Response:
        """The user's name and password."""
        name = request.args["name"]
        role = await self._static_role(name)
        if role.pending:
            async with self.mount.view.lock(STATIC + name):
                role = await self._static_role(name)
                if role.pending:
                    role = await self._rotate(name, role)
        return Response(data=role.credentials(self.mount.clock.time()))

    @route("rotate-role/{name}", Operation.CREATE, Operation.UPDATE)
    async def rotate_role(self, request: Request) -> None:
        """Rotate a password now."""
        name = request.args["name"]
        if await self.mount.view.get(STATIC + name) is None:
            raise BadRequestError("no static role found for role name")
        await self._rotate_locked(name)

    async def tick(self) -> None:
        """Begin with the rotations that are due, unless the last ones still run."""
        if self._due_now() and not self._is_rotating:
            self._is_rotating = True
            self.mount.system.spawn(self._rotate_due(), f"rotate static roles of {self.mount.path}")

    def _due_now(self) -> list[str]:
        now = self.mount.clock.time()
        # A time further ahead than the period means that the clock was set back.
        return [name for name, (due, period) in self._due.items() if due <= now or due - now > max(period, RETRY_AFTER)]

    async def _rotate_due(self) -> None:
        try:
            for name in self._due_now():
                try:
                    await self._rotate_locked(name)
                except VaultError:
                    if name in self._due:
                        self._due[name] = (self.mount.clock.time() + RETRY_AFTER, self._due[name][1])
        finally:
            self._is_rotating = False

    async def _rotate_locked(self, name: str) -> None:
        async with self.mount.view.lock(STATIC + name):
            await self._rotate(name, await self._static_role(name))

    async def _rotate(self, name: str, role: StaticRole) -> StaticRole:
        """Set the pending password, or a new one. The caller holds the role's lock."""
        database = await self._database(role.db_name)
        await database.check()
        pending = role.pending or new_password()
        await self.mount.view.write(STATIC + name, replace(role, pending=pending).entry())
        try:
            await self._set_password(database, role.username, pending, role.rotation_statements)
        except RefusedError:  # nothing has happened: the old password is still right
            await self.mount.view.write(STATIC + name, replace(role, pending="").entry())
            raise
        role = replace(role, password=pending, pending="", rotated=self.mount.clock.time())
        await self.mount.view.write(STATIC + name, role.entry())
        self._plan(name, role)
        return role

    def _plan(self, name: str, role: StaticRole) -> None:
        due = 0.0 if role.pending else role.rotated + role.rotation_period
        self._due[name] = (due, role.rotation_period)

    async def _remove(self, name: str) -> None:
        await self.mount.view.delete(STATIC + name)
        self._due.pop(name, None)

    async def _static_role(self, name: str) -> StaticRole:
        entry = await self.mount.view.read(STATIC + name)
        if entry is None:
            raise BadRequestError(f"unknown role: {name}")
        return StaticRole.stored(entry)

    async def _check_allowed(self, name: str, role: StaticRole) -> None:
        config = await self._configured(role.db_name)
        if not config.allows(name):
            raise InternalError(f'"{name}" is not an allowed role')
        if config.username == role.username:
            raise BadRequestError("the connection itself uses this user: rotate its password with rotate-root")

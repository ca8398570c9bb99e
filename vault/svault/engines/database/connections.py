"""The connections of a database mount: `config/:name`, `reset/:name` and `rotate-root/:name`.

A connection's own password is written down as pending before PostgreSQL is told of it: after a crash in between, one of the two
known passwords works, and the first use finds out which.
"""

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from svault.engines.database.config import ConnectionConfig, changed_connection, unknown_fields
from svault.engines.database.credentials import new_password
from svault.engines.database.failures import kept_secret
from svault.engines.database.statements import filled
from svault.errors import BadRequestError, InternalError, NotFoundError
from svault.logical import Engine, Mount, Operation, Request, Response, route

if TYPE_CHECKING:
    from svault.engines.database.postgresql import Postgresql

CONFIG = "config/"


class Connections(Engine):
    """The part of the engine that reaches databases."""

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self._databases: dict[str, Postgresql] = {}

    async def stop(self) -> None:
        """Close all connections."""
        for name in list(self._databases):
            await self._forget(name)

    @route("config", Operation.LIST)
    async def list_connections(self, _request: Request) -> Response:
        """The names of the connections."""
        names = await self.mount.view.list(CONFIG)
        if not names:
            raise NotFoundError
        return Response(data={"keys": names})

    @route("config/{name}", Operation.READ)
    async def read_connection(self, request: Request) -> Response:
        """A connection without its password."""
        entry = await self.mount.view.read(CONFIG + request.args["name"])
        if entry is None:
            raise NotFoundError
        return Response(data=ConnectionConfig.stored(entry).shown())

    @route("config/{name}", Operation.CREATE, Operation.UPDATE)
    async def write_connection(self, request: Request) -> Response | None:
        """Configure a connection, which is tried first unless `verify_connection` is false."""
        name = request.args["name"]
        async with self.mount.view.lock(CONFIG + name):
            entry = await self.mount.view.read(CONFIG + name)
            config = changed_connection(ConnectionConfig.stored(entry) if entry else None, request.fields)
            database = self._made(config)
            if request.fields.boolean("verify_connection", default=True):
                try:
                    await database.check()
                except InternalError as error:
                    message = "error creating database object: error verifying connection: " + "; ".join(error.errors)
                    raise BadRequestError(message) from None
                finally:
                    await database.aclose()
            await self.mount.view.write(CONFIG + name, config.entry())
            await self._forget(name)
        ignored = unknown_fields(request.fields)
        if not ignored:
            return None
        return Response(warnings=[f"Endpoint ignored these unrecognized parameters: [{' '.join(ignored)}]"])

    @route("config/{name}", Operation.DELETE)
    async def delete_connection(self, request: Request) -> None:
        """Forget a connection. What was leased through it can then not be revoked."""
        name = request.args["name"]
        async with self.mount.view.lock(CONFIG + name):
            await self.mount.view.delete(CONFIG + name)
            await self._forget(name)

    @route("reset/{name}", Operation.CREATE, Operation.UPDATE)
    async def reset_connection(self, request: Request) -> None:
        """Close a connection; the next use opens it anew."""
        await self._configured(request.args["name"])
        await self._forget(request.args["name"])

    @route("rotate-root/{name}", Operation.CREATE, Operation.UPDATE)
    async def rotate_root(self, request: Request) -> None:
        """Give the connection's own user a new password that only the vault knows."""
        name = request.args["name"]
        async with self.mount.view.lock(CONFIG + name):
            database = await self._opened(name)
            config = await self._configured(name)
            if not config.has_own_password():
                raise BadRequestError("unable to rotate root credentials: connection_url needs {{username}} and {{password}}")
            await database.check()
            rotating = replace(config, pending=new_password())
            await self.mount.view.write(CONFIG + name, rotating.entry())
            try:
                database.conninfos = rotating.conninfos()
                await self._set_password(database, config.username, rotating.pending, config.root_rotation_statements)
                settled = replace(config, password=rotating.pending, pending="")
                await self.mount.view.write(CONFIG + name, settled.entry())
                database.conninfos = settled.conninfos()
            except BaseException:  # whatever it was, the next use finds out which of the two passwords is right
                await self._forget(name)
                raise

    async def _set_password(self, database: "Postgresql", username: str, password: str, statements: tuple[str, ...]) -> None:
        with kept_secret(password):
            if statements:
                values = {"name": username, "username": username, "password": password}
                await database.execute(filled(statements, values))
            else:
                await database.set_password(username, password)

    async def _configured(self, name: str) -> ConnectionConfig:
        entry = await self.mount.view.read(CONFIG + name)
        if entry is None:
            raise InternalError(f'failed to find entry for connection with name: "{name}"')
        return ConnectionConfig.stored(entry)

    async def _database(self, name: str) -> "Postgresql":
        """The open connection of a name. Raises InternalError when there is none."""
        if database := self._databases.get(name):
            return database
        async with self.mount.view.lock(CONFIG + name):
            return await self._opened(name)

    async def _opened(self, name: str) -> "Postgresql":
        """As `_database`, for a caller that holds the connection's lock."""
        if database := self._databases.get(name):
            return database
        config = await self._configured(name)
        if config.pending:
            config = await self._settled(name, config)
        database = self._databases[name] = self._made(config)
        return database

    async def _settled(self, name: str, config: ConnectionConfig) -> ConnectionConfig:
        """Find out which of two passwords is right, and keep that."""
        database = self._made(config)
        try:
            position = await database.position_that_works()
        finally:
            await database.aclose()
        settled = replace(config, password=config.passwords()[position], pending="")
        await self.mount.view.write(CONFIG + name, settled.entry())
        return settled

    def _made(self, config: ConnectionConfig) -> "Postgresql":
        try:
            postgresql = import_module("svault.engines.database.postgresql")
        except ImportError:
            message = "the PostgreSQL driver is not installed: pip install 'stratumops[postgresql]'"
            raise BadRequestError(message, hint="install it where the vault's server runs") from None
        conninfos = config.conninfos()
        if not all(map(postgresql.check_conninfo, conninfos)):
            raise BadRequestError(
                "error creating database object: connection_url is neither a URL nor key=value that libpq reads"
            )
        made: Postgresql = postgresql.Postgresql(
            conninfos, self.mount.clock, size=config.max_open_connections, lifetime=config.max_connection_lifetime
        )
        return made

    async def _forget(self, name: str) -> None:
        if database := self._databases.pop(name, None):
            await database.aclose()

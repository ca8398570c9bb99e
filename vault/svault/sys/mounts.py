"""`sys/mounts`, `sys/auth`, `sys/remount`: which engines are where. Source: Vault's API pages of the same names."""

import uuid
from typing import TYPE_CHECKING, Any

from svault.core.kinds import normalized
from svault.core.mount_entry import MountEntry
from svault.core.mounts import Mounted
from svault.errors import BadRequestError
from svault.logical.engine import Mount
from svault.logical.fields import Fields
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.sys.base import SystemPart

if TYPE_CHECKING:
    from svault.core.active import Active

_READ, _UPDATE, _DELETE = Operation.READ, Operation.UPDATE, Operation.DELETE
_LISTS = {
    "audit_non_hmac_request_keys": "request_keys",
    "audit_non_hmac_response_keys": "response_keys",
    "passthrough_request_headers": "request_headers",
    "allowed_response_headers": "response_headers",
}
MOST_MIGRATIONS = 100
LOCKING = {"approle", "userpass"}
"""Kinds of auth methods that lock out who fails to log in too often."""
_PERMANENT = ("sys/", "identity/", "cubbyhole/", "auth/token/")


class MountPaths(SystemPart):
    """Mount, tune, move and remove engines."""

    def __init__(self, mount: Mount, active: "Active") -> None:
        super().__init__(mount, active)
        self._migrations: dict[str, dict[str, str]] = {}

    def _described(self, *, is_auth: bool) -> dict[str, Any]:
        return {m.entry.name: m.entry.described() for m in self._active.mounts if m.entry.is_auth is is_auth}

    @route("mounts", _READ)
    async def list_mounts(self, request: Request) -> Response:
        """All secret engines."""
        return Response(self._described(is_auth=False), is_flat=True)

    @route("auth", _READ)
    async def list_auth(self, request: Request) -> Response:
        """All auth methods."""
        return Response(self._described(is_auth=True), is_flat=True)

    @route("mounts/{path:.+?}/tune", _READ)
    async def read_tune(self, request: Request) -> Response:
        """What is tuned about a secret engine."""
        return self._tuned(self._found(request.args["path"] + "/"))

    @route("auth/{path:.+?}/tune", _READ, sudo=True)
    async def read_auth_tune(self, request: Request) -> Response:
        """What is tuned about an auth method."""
        return self._tuned(self._found(f"auth/{request.args['path']}/"))

    @route("mounts/{path:.+?}/tune", _UPDATE)
    async def write_tune(self, request: Request) -> None:
        """Tune a secret engine."""
        await self._tune(self._tunable(request.args["path"] + "/"), request.fields)

    @route("auth/{path:.+?}/tune", _UPDATE, sudo=True)
    async def write_auth_tune(self, request: Request) -> None:
        """Tune an auth method."""
        await self._tune(self._tunable(f"auth/{request.args['path']}/"), request.fields)

    @route("mounts/{path:.+?}", _READ)
    async def read_mount(self, request: Request) -> Response:
        """One secret engine."""
        return Response(self._found(request.args["path"] + "/", "No secret engine mount at").entry.described(), is_flat=True)

    @route("auth/{path:.+?}", _READ, sudo=True)
    async def read_auth(self, request: Request) -> Response:
        """One auth method."""
        return Response(self._found(f"auth/{request.args['path']}/", "No auth engine at").entry.described(), is_flat=True)

    @route("mounts/{path:.+?}", _UPDATE)
    async def mount_secret(self, request: Request) -> None:
        """Mount a secret engine."""
        await self._mount(_secret(request.args["path"]), request.fields)

    @route("auth/{path:.+?}", _UPDATE, sudo=True)
    async def mount_auth(self, request: Request) -> None:
        """Mount an auth method."""
        await self._mount(f"auth/{request.args['path']}/", request.fields)

    @route("mounts/{path:.+?}", _DELETE)
    async def unmount(self, request: Request) -> None:
        """Remove a secret engine, its leases and entries."""
        await self._remove(_secret(request.args["path"]))

    @route("auth/{path:.+?}", _DELETE, sudo=True)
    async def unmount_auth(self, request: Request) -> None:
        """Remove an auth method, its tokens and entries."""
        await self._remove(f"auth/{request.args['path']}/")

    def _found(self, path: str, missing: str = "cannot fetch sysview for path") -> Mounted:
        mounted = self._active.mounts.at(path)
        if mounted is None:
            raise BadRequestError(f"{missing} {path.removeprefix('auth/')}" if "No" in missing else f'{missing} "{path}"')
        return mounted

    def _tunable(self, path: str) -> Mounted:
        mounted = self._active.mounts.at(path)
        if mounted is None:
            raise BadRequestError(f'tune of path "{path}" failed: no mount entry found')
        return mounted

    async def _mount(self, path: str, fields: Fields) -> None:
        kind = fields.text("type")
        if not kind:
            raise BadRequestError("backend type must be specified as a string")
        kind, options = normalized(kind, fields.pairs("options"))
        if "plugin_name" in fields and kind == "plugin":
            kind = fields.text("plugin_name")
        entry = MountEntry(path, kind, description=fields.text("description"), options=options)
        entry.is_local, entry.seal_wrap = fields.boolean("local"), fields.boolean("seal_wrap")
        self._configure(entry, Fields(fields.mapping("config")))
        if kind == "kv" and options.get("version", "1") not in {"1", "2"}:
            raise BadRequestError("the version of a kv engine is 1 or 2")
        await self._active.mounts.add(entry)

    def _configure(self, entry: MountEntry, config: Fields) -> None:
        limit = self._active.core.settings.max_lease_ttl
        entry.default_lease_ttl = _duration(config, "default_lease_ttl", entry.default_lease_ttl)
        entry.max_lease_ttl = _duration(config, "max_lease_ttl", entry.max_lease_ttl)
        if entry.default_lease_ttl > (entry.max_lease_ttl or limit):
            bound = "given max lease TTL" if entry.max_lease_ttl else "system max lease TTL"
            raise BadRequestError(f"given default lease TTL greater than {bound}")
        for name, attribute in _LISTS.items():
            setattr(entry, attribute, config.strings(name, getattr(entry, attribute)))
        entry.listing_visibility = config.text("listing_visibility", entry.listing_visibility)
        if entry.listing_visibility not in {"", "hidden", "unauth"}:
            raise BadRequestError('invalid listing_visibility: it is "unauth" or "hidden"')
        token_type = config.text("token_type", entry.token_type)
        if token_type not in {"default-service", "service"}:
            raise BadRequestError('invalid token_type: batch tokens are not offered here, use "default-service" or "service"')
        entry.token_type = token_type
        if "user_lockout_config" in config:
            entry.lockout |= _lockout(entry, Fields(config.mapping("user_lockout_config")))

    async def _tune(self, mounted: Mounted, fields: Fields) -> None:
        entry = mounted.entry
        before = MountEntry.of(entry.stored())
        try:
            self._configure(entry, fields)
            entry.description = fields.text("description", entry.description)
            if "options" in fields:
                entry.options |= _upgrading(entry, fields.pairs("options"))
            await self._active.mounts.save_tuned(mounted)
            if entry.options != before.options:
                await self._active.mounts.remake(mounted)
        except BaseException:
            for name in MountEntry.__slots__:
                setattr(entry, name, getattr(before, name))
            raise

    def _tuned(self, mounted: Mounted) -> Response:
        entry, system = mounted.entry, mounted.mount.system
        data: dict[str, Any] = {
            "default_lease_ttl": system.default_lease_ttl(),
            "description": entry.description,
            "force_no_cache": False,
            "max_lease_ttl": system.max_lease_ttl(),
        }
        data |= {name: keys for name, keys in entry.audited_keys().items() if keys}
        if entry.options:
            data["options"] = entry.options
        if entry.listing_visibility:
            data["listing_visibility"] = entry.listing_visibility
        if entry.is_auth:
            data["token_type"] = entry.token_type
        if entry.lockout:
            data |= entry.described_lockout()
        return Response(data, is_flat=True)

    async def _remove(self, path: str) -> None:
        if path in _PERMANENT:
            raise BadRequestError(
                "token credential backend cannot be disabled" if path == "auth/token/" else f'cannot unmount "{path}"'
            )
        mounted = self._active.mounts.at(path)
        if mounted is None:
            return
        mounted.entry.is_tainted = True
        try:
            await mounted.drained()
            for lease in [one for one in self._active.leases if one.mount == mounted.entry.uuid]:
                await self._active.leases.revoke(lease)
            await self._active.mounts.remove(mounted)
        except BaseException:
            mounted.entry.is_tainted = False
            raise

    @route("remount", _UPDATE, sudo=True)
    async def remount(self, request: Request) -> Response:
        """Move an engine with its entries; its leases are revoked first, as Vault does."""
        source, target = request.fields.text("from").strip("/") + "/", request.fields.text("to").strip("/") + "/"
        if source == "/" or target == "/":
            raise BadRequestError("both 'from' and 'to' path must be specified as a string")
        mounted = self._active.mounts.at(source)
        if mounted is None:
            raise BadRequestError(f'no matching mount at "{source}"')
        if source in _PERMANENT:
            raise BadRequestError(f"cannot remount {source!r}")
        if source.startswith("auth/") is not target.startswith("auth/"):
            raise BadRequestError("cannot remount auth mount to non-auth mount, or the other way round")
        if self._active.mounts.at(target) is not None:
            raise BadRequestError(f'path already in use at "{target}"')
        self._active.mounts.check_free(target)
        mounted.entry.is_tainted = True
        try:
            await mounted.drained()
            for lease in [one for one in self._active.leases if one.mount == mounted.entry.uuid]:
                await self._active.leases.revoke(lease)
            await self._active.mounts.move(mounted, target)
        finally:
            mounted.entry.is_tainted = False
        migration = str(uuid.uuid4())
        while len(self._migrations) >= MOST_MIGRATIONS:
            del self._migrations[next(iter(self._migrations))]
        self._migrations[migration] = {"source_mount": source, "target_mount": target, "status": "success"}
        warning = "Mount move has been done; the migration_id tells its status"
        return Response({"migration_id": migration}, warnings=[warning], is_flat=True)

    @route("remount/status/{id:[^/]+}", _READ)
    async def remount_status(self, request: Request) -> Response | None:
        """How a move ended; they end before they answer."""
        found = self._migrations.get(request.args["id"])
        return None if found is None else Response({"migration_id": request.args["id"], "migration_info": found})


def _secret(path: str) -> str:
    """The path of a secret engine. Raises BadRequestError for an auth method's: those need sudo, under `sys/auth/`."""
    if (path + "/").startswith("auth/"):
        raise BadRequestError(f'"{path}/" is an auth method\'s: use sys/auth')
    return path + "/"


def _duration(fields: Fields, name: str, default: int) -> int:
    if fields.text(name) == "system":
        return 0
    seconds = fields.duration(name, default)
    if seconds < 0:
        raise BadRequestError(f"{name} cannot be negative")
    return seconds


def _lockout(entry: MountEntry, fields: Fields) -> dict[str, int]:
    if not entry.is_auth or entry.kind not in LOCKING:
        raise BadRequestError(f'tuning of user lockout configuration for auth type "{entry.kind}" not allowed')
    found: dict[str, int] = {}
    if "lockout_threshold" in fields:
        found["threshold"] = fields.integer("lockout_threshold")
    if "lockout_duration" in fields:
        found["duration"] = fields.duration("lockout_duration")
    if "lockout_counter_reset_duration" in fields:
        found["counter_reset"] = fields.duration("lockout_counter_reset_duration")
    if any(value < 1 for value in found.values()):
        raise BadRequestError("a lockout's threshold and durations are at least 1; lockout_disable switches it off")
    if "lockout_disable" in fields:
        found["is_disabled"] = fields.boolean("lockout_disable")
    return found


def _upgrading(entry: MountEntry, options: dict[str, str]) -> dict[str, str]:
    if entry.kind == "kv" and options.get("version", "2") < entry.options.get("version", "1"):
        raise BadRequestError("cannot downgrade a kv engine of version 2")
    return options

"""`sys/locked-users`: who failed to log in too often, and letting them in again. Source: Vault's API page of that name."""

from collections.abc import Iterator

from svault.auth.lockout import Lockout
from svault.core.mounts import Mounted
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.sys.base import SystemPart


class LockoutPaths(SystemPart):
    """Locked users of all auth methods."""

    def _lockouts(self, accessor: str = "") -> Iterator[tuple[Mounted, Lockout]]:
        for mounted in self._active.mounts:
            lockout = getattr(mounted.engine, "lockout", None)
            if isinstance(lockout, Lockout) and accessor in {"", mounted.entry.accessor}:
                yield mounted, lockout

    @route("locked-users", Operation.READ)
    async def locked_users(self, request: Request) -> Response:
        """Who is locked out now, by auth method; `mount_accessor` asks for one."""
        found = [
            {"mount_accessor": mounted.entry.accessor, "counts": len(locked), "alias_identifiers": locked}
            for mounted, lockout in self._lockouts(request.fields.text("mount_accessor"))
            if (locked := lockout.locked())
        ]
        total = sum(len(lockout.locked()) for _, lockout in self._lockouts(request.fields.text("mount_accessor")))
        root = {"namespace_id": "root", "namespace_path": "", "counts": total, "mount_accessors": found}
        return Response({"by_namespace": [root], "total": total})

    @route("locked-users/{accessor:[^/]+}/unlock/{alias:.+}", Operation.UPDATE)
    async def unlock_user(self, request: Request) -> None:
        """Let somebody log in again; one who is not locked out is no error."""
        for _, lockout in self._lockouts(request.args["accessor"]):
            await lockout.unlock(request.args["alias"])

"""KV version 1: one value a path, replaced as a whole.

Source: Vault's API, "KV Secrets Engine - Version 1". Entries: `s/<path>`.
"""

from typing import Any, ClassVar

from svault.engines.paths import folder_path, page, secret_path, written_path
from svault.engines.values import stored_value
from svault.errors import BadRequestError, NotFoundError
from svault.logical import Engine, Operation, Request, Response, parse_duration, route

SECRETS = "s/"


class KvV1Engine(Engine):
    """A kv mount of version 1."""

    kind: ClassVar[str] = "kv"

    async def exists(self, request: Request) -> bool | None:
        """Whether the path has a value."""
        try:
            return await self.mount.view.get(SECRETS + secret_path(request.path)) is not None
        except NotFoundError:  # no such path: `write` says so
            return None

    @route("{path...}", Operation.READ, pure=True)
    async def read(self, request: Request) -> Response:
        """The value; the answer's lease_duration is the value's own `ttl` (or `lease`), a hint without a lease."""
        value = await self.mount.view.read(SECRETS + secret_path(request.args["path"]))
        if value is None:
            raise NotFoundError
        return Response(data=value, envelope={"lease_duration": self._refresh_interval(value)})

    @route("{path...}", Operation.CREATE, Operation.UPDATE)
    async def write(self, request: Request) -> None:
        """Replace the value."""
        path = written_path(request.args["path"])
        if not request.data:
            raise BadRequestError("missing data fields")
        await self.mount.view.put(SECRETS + path, stored_value(dict(request.data)))

    @route("{path...}", Operation.DELETE)
    async def delete(self, request: Request) -> None:
        """Remove the value; one that is not there is no error."""
        path = request.args["path"]
        if path and not path.endswith("/"):
            await self.mount.view.delete(SECRETS + secret_path(path))

    @route("{path...}", Operation.LIST)
    async def list(self, request: Request) -> Response:
        """The names directly under a folder."""
        names = await self.mount.view.list(SECRETS + folder_path(request.args["path"]))
        if not names:
            raise NotFoundError
        return Response(data={"keys": page(names, request.fields.text("after"), request.fields.integer("limit"))})

    def _refresh_interval(self, value: dict[str, Any]) -> int:
        for name in ("ttl", "lease"):
            try:
                if name in value and (seconds := parse_duration(value[name])) > 0:
                    return seconds
            except BadRequestError:  # the value is the client's own: whatever is no duration says nothing
                continue
        return self.mount.system.default_lease_ttl()

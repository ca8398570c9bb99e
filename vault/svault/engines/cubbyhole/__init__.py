"""The cubbyhole: values that only the token which wrote them can read, gone when it ends.

Source: Vault's API, "Cubbyhole Secrets Engine". Entries: `<fingerprint of the token>/<path>`.
"""

from typing import ClassVar

from svault.engines.paths import folder_path, page, secret_path, written_path
from svault.engines.values import stored_value
from svault.errors import BadRequestError, NotFoundError, PermissionDeniedError
from svault.logical import Engine, Operation, Request, Response, route

__all__ = ["CubbyholeEngine"]


class CubbyholeEngine(Engine):
    """The cubbyhole mount. The core calls `drop` when a token ends."""

    kind: ClassVar[str] = "cubbyhole"

    async def drop(self, token_id: str) -> None:
        """Remove all that a token kept here."""
        await self.mount.view.clear(_home(token_id))

    async def exists(self, request: Request) -> bool | None:
        """Whether the token keeps something there."""
        try:
            return await self.mount.view.get(_home(request.identity.token_id) + secret_path(request.path)) is not None
        except NotFoundError:  # no such path: `write` says so
            return None

    @route("{path...}", Operation.READ)
    async def read(self, request: Request) -> Response:
        """The value that this token wrote there."""
        if not request.args["path"]:
            raise BadRequestError("missing path")
        value = await self.mount.view.read(_home(request.identity.token_id) + secret_path(request.args["path"]))
        if value is None:
            raise NotFoundError
        return Response(data=value)

    @route("{path...}", Operation.CREATE, Operation.UPDATE)
    async def write(self, request: Request) -> None:
        """Replace the value."""
        path = written_path(request.args["path"])
        if not request.data:
            raise BadRequestError("missing data fields")
        await self.mount.view.put(_home(request.identity.token_id) + path, stored_value(dict(request.data)))

    @route("{path...}", Operation.DELETE)
    async def delete(self, request: Request) -> None:
        """Remove the value; one that is not there is no error."""
        path = request.args["path"]
        if path and not path.endswith("/"):
            await self.mount.view.delete(_home(request.identity.token_id) + secret_path(path))

    @route("{path...}", Operation.LIST)
    async def list(self, request: Request) -> Response:
        """The names directly under a folder."""
        names = await self.mount.view.list(_home(request.identity.token_id) + folder_path(request.args["path"]))
        if not names:
            raise NotFoundError
        return Response(data={"keys": page(names, request.fields.text("after"), request.fields.integer("limit"))})


def _home(token_id: str) -> str:
    if not token_id:
        raise PermissionDeniedError
    return token_id + "/"

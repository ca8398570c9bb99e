"""`sys/wrapping`: answers that can be read once. Source: Vault's API page of the same name."""

import json

from svault.errors import BadRequestError
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.sys.base import SystemPart

_UPDATE, _READ = Operation.UPDATE, Operation.READ


class WrappingPaths(SystemPart):
    """Wrap, look up, unwrap and wrap again."""

    @route("wrapping/wrap", _UPDATE)
    async def wrap(self, request: Request) -> Response:
        """Wrap what is sent; the header X-Vault-Wrap-TTL says for how long."""
        if not request.data:
            raise BadRequestError("no data provided to wrap")
        if not request.wrap_ttl:
            raise BadRequestError("endpoint requires response wrapping to be used")
        return Response(dict(request.data))

    def _token(self, request: Request) -> str:
        return request.fields.text("token") or request.token

    @route("wrapping/lookup", _UPDATE, _READ, public=True)
    async def lookup_wrapping(self, request: Request) -> Response:
        """When, and for which path, something was wrapped."""
        return Response(await self._active.wrapping.lookup(self._token(request)))

    @route("wrapping/unwrap", _UPDATE, public=True)
    async def unwrap(self, request: Request) -> Response:
        """The wrapped answer, once; by the wrapping token in the body, or as the caller's own."""
        body = await self._active.wrapping.unwrap(self._token(request))
        return Response(raw=json.dumps({**body, "request_id": request.id}).encode())

    @route("wrapping/rewrap", _UPDATE, public=True)
    async def rewrap(self, request: Request) -> Response:
        """The same answer under a new token."""
        info = await self._active.wrapping.rewrap(request.fields.required("token", 'missing "token" value in input'))
        return Response(envelope={"request_id": "", "wrap_info": info})

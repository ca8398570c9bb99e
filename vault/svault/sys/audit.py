"""`sys/audit`, `sys/audit-hash`, `sys/config/auditing`. Source: Vault's API pages of the same names."""

from svault.errors import BadRequestError
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.sys.base import SystemPart

_READ, _UPDATE, _DELETE = Operation.READ, Operation.UPDATE, Operation.DELETE
PATH = "{path:.+?}"


class AuditPaths(SystemPart):
    """Where it is written what was done."""

    @route("audit", _READ, sudo=True)
    async def list_audit(self, request: Request) -> Response:
        """The enabled devices."""
        data = {
            path: {
                "description": device.description,
                "local": device.local,
                "options": dict(device.options),
                "path": path,
                "type": device.kind,
            }
            for path, device in self._active.audit.devices().items()
        }
        return Response(data, is_flat=True)

    @route(f"audit/{PATH}", _UPDATE, sudo=True)
    async def enable_audit(self, request: Request) -> None:
        """Enable a device; one that cannot be written is refused."""
        fields = request.fields
        kind = fields.text("type")
        await self._active.audit.enable(
            request.args["path"].strip("/") + "/",
            kind,
            fields.text("description"),
            fields.pairs("options"),
            fields.boolean("local"),
        )

    @route(f"audit/{PATH}", _DELETE, sudo=True)
    async def disable_audit(self, request: Request) -> None:
        """Disable a device; what it wrote stays."""
        await self._active.audit.disable(request.args["path"].strip("/") + "/")

    @route(f"audit-hash/{PATH}", _UPDATE)
    async def audit_hash(self, request: Request) -> Response:
        """What a device writes in place of a text, to find it there."""
        text = request.fields.text("input")
        if not text:
            raise BadRequestError('the "input" parameter is empty')
        return Response({"hash": self._active.audit.hash(request.args["path"].strip("/") + "/", text)}, is_flat=True)

    @route("config/auditing/request-headers", _READ, sudo=True)
    async def list_headers(self, request: Request) -> Response:
        """The headers that are written."""
        return Response({"headers": self._active.audit.headers.all()}, is_flat=True)

    @route("config/auditing/request-headers/{name:[^/]+}", _READ, sudo=True)
    async def read_header(self, request: Request) -> Response:
        """Whether a header is written, and how."""
        name = request.args["name"]
        return Response({name: self._active.audit.headers.get(name.lower())}, is_flat=True)

    @route("config/auditing/request-headers/{name:[^/]+}", _UPDATE, sudo=True)
    async def write_header(self, request: Request) -> None:
        """Write a header from now on."""
        await self._active.audit.headers.put(request.args["name"], hmac=request.fields.boolean("hmac"))

    @route("config/auditing/request-headers/{name:[^/]+}", _DELETE, sudo=True)
    async def delete_header(self, request: Request) -> None:
        """Leave a header out from now on."""
        await self._active.audit.headers.remove(request.args["name"])

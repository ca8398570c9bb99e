"""Ours: `sys/policies/cedar`, attribute-based policies that decide beside the ACL policies."""

from svault.errors import BadRequestError
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.sys.base import SystemPart

_READ, _UPDATE, _LIST, _DELETE = Operation.READ, Operation.UPDATE, Operation.LIST, Operation.DELETE
NAME = r"{name:[^/\x00]+?}"


class CedarPaths(SystemPart):
    """Cedar policies: once there is one, what Cedar does not allow is denied."""

    @route("policies/cedar", _LIST, _READ, sudo=True)
    async def list_cedar(self, request: Request) -> Response | None:
        """The names."""
        names = self._active.cedar.names()
        return Response({"keys": names}) if names else None

    @route("policies/cedar-explain", _UPDATE, sudo=True)
    async def explain_cedar(self, request: Request) -> Response:
        """What the policies say of somebody (`accessor`), an `operation` and a `path`, and why."""
        fields = request.fields
        token = await self._active.tokens.by_accessor(fields.required("accessor"))
        if token is None:
            raise BadRequestError("no token has this accessor")
        operation = fields.required("operation")
        if operation not in set(Operation) | {"sudo"}:
            raise BadRequestError(f"operation is one of {', '.join(Operation)}, sudo")
        path = fields.required("path")
        found = self._active.authorizer.cedar_decision(
            token, operation, path, fields.text("remote_address"), fields.duration("wrap_ttl")
        )
        deciding = [{"id": one.id, "effect": one.effect, "annotations": dict(one.annotations)} for one in found.deciding]
        return Response({"allowed": found.is_allowed, "deciding": deciding, "errors": list(found.errors), "why": found.why})

    @route(f"policies/cedar/{NAME}", _READ, sudo=True)
    async def read_cedar(self, request: Request) -> Response | None:
        """One policy."""
        found = self._active.cedar.get(request.args["name"])
        if found is None:
            return None
        data = {"name": found.name, "policy": found.policy, "version": found.version}
        return Response(data)

    @route(f"policies/cedar/{NAME}", _UPDATE, sudo=True)
    async def write_cedar(self, request: Request) -> Response | None:
        """Make or change a policy."""
        warnings = await self._active.cedar.put(request.args["name"], request.fields.required("policy"))
        return Response(warnings=warnings) if warnings else None

    @route(f"policies/cedar/{NAME}", _DELETE, sudo=True)
    async def delete_cedar(self, request: Request) -> Response | None:
        """Remove a policy."""
        warnings = await self._active.cedar.delete(request.args["name"])
        return Response(warnings=warnings) if warnings else None

"""`sys/capabilities*` and the paths that user interfaces ask. Source: Vault's API pages of the same names."""

from svault.auth.token.entry import Token
from svault.core.mounts import Mounted
from svault.errors import BadRequestError, PermissionDeniedError
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.policy.acl import Acl
from svault.sys.base import SystemPart

_READ, _UPDATE = Operation.READ, Operation.UPDATE


class CapabilityPaths(SystemPart):
    """What a token may do where."""

    async def _acl(self, token: Token) -> Acl:
        identity = self._active.identity
        own, inherited = identity.policies_of(token.entity) if token.entity else ((), ())
        values = identity.template_values(token.entity) if token.entity else None
        return await self._active.policies.acl_for([*token.policies, *own, *inherited], values)

    async def _capabilities(self, request: Request, token: Token | None, given: str = "token") -> Response:
        paths = request.fields.strings("paths") or request.fields.strings("path")
        if not paths:
            raise BadRequestError("paths must be supplied")
        if token is None:
            raise BadRequestError(f"1 error occurred:\n\t* invalid {given}\n\n")
        acl = await self._acl(token)
        data: dict[str, object] = {path: acl.capabilities(path) for path in paths}
        if len(paths) == 1:
            data["capabilities"] = data[paths[0]]
        return Response(data, is_flat=True)

    @route("capabilities", _UPDATE)
    async def capabilities(self, request: Request) -> Response:
        """Of a token, by its text."""
        return await self._capabilities(request, await self._active.tokens.find(request.fields.text("token")))

    @route("capabilities-self", _UPDATE)
    async def capabilities_self(self, request: Request) -> Response:
        """Of the caller's token."""
        return await self._capabilities(request, await self._active.tokens.by_hash(request.identity.token_hash))

    @route("capabilities-accessor", _UPDATE)
    async def capabilities_accessor(self, request: Request) -> Response:
        """Of a token, by its accessor."""
        token = await self._active.tokens.by_accessor(request.fields.text("accessor"))
        return await self._capabilities(request, token, "accessor")

    async def _may_see(self, request: Request, mounted: Mounted) -> bool:
        if mounted.entry.listing_visibility == "unauth":
            return True
        token = await self._active.tokens.by_hash(request.identity.token_hash)
        return token is not None and (await self._acl(token)).allows_anything_below(mounted.entry.path)

    @route("internal/ui/mounts", _READ, public=True)
    async def visible_mounts(self, request: Request) -> Response:
        """The engines that the caller may use, or that everybody may see."""
        seen = [mounted for mounted in self._active.mounts if await self._may_see(request, mounted)]
        return Response(
            {
                "auth": {m.entry.name: m.entry.described() for m in seen if m.entry.is_auth},
                "secret": {m.entry.name: m.entry.described() for m in seen if not m.entry.is_auth},
            }
        )

    @route("internal/ui/mounts/{path...}", _READ, public=True)
    async def visible_mount(self, request: Request) -> Response:
        """The engine that answers a path; clients ask it to learn the version of a kv engine."""
        path = request.args["path"]
        mounted = self._active.mounts.find(path if "/" in path else path + "/")
        if mounted is None or not await self._may_see(request, mounted):
            raise PermissionDeniedError(
                "preflight capability check returned 403, please ensure client's policies grant access to path "
                f'"{path.rstrip("/")}/"'
            )
        return Response(mounted.entry.described() | {"path": mounted.entry.path})

    @route("internal/ui/resultant-acl", _READ)
    async def resultant_acl(self, request: Request) -> Response:
        """Whether the caller may do everything; what it may do in detail, `capabilities-self` tells."""
        token = await self._active.tokens.by_hash(request.identity.token_hash)
        return Response({"root": bool(token and token.is_root)})

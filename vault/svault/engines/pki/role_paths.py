"""`roles/...`: create, patch, read, list and delete roles."""

from svault.barrier.view import encoded
from svault.engines.pki.base import PkiPaths
from svault.engines.pki.names import is_reference
from svault.engines.pki.roles import Role
from svault.errors import BadRequestError, NotFoundError
from svault.logical import Operation, Request, Response, route


class RolePaths(PkiPaths):
    """Roles, by name."""

    @route("roles", Operation.LIST)
    async def list_roles(self, request: Request) -> Response:
        """The names."""
        names = await self.mount.view.list("roles/")
        if not names:
            raise NotFoundError
        return Response(data={"keys": names})

    @route("roles/{name}", Operation.UPDATE)
    async def write_role(self, request: Request) -> Response:
        """Create or replace a role: fields that are not sent get their defaults."""
        return await self._store_role(request, Role())

    @route("roles/{name}", Operation.PATCH)
    async def patch_role(self, request: Request) -> Response:
        """Change the fields that are sent."""
        self.require_merge_patch(request)
        async with self.mount.view.lock(f"roles/{request.args['name']}"):
            stored = await self.mount.view.read(f"roles/{request.args['name']}")
            if stored is None:
                raise BadRequestError("Unable to fetch role entry to patch")
            return await self._store_role(request, Role.read(stored))

    @route("roles/{name}", Operation.READ)
    async def read_role(self, request: Request) -> Response:
        """The fields of a role."""
        stored = await self.mount.view.read(f"roles/{request.args['name']}")
        if stored is None:
            raise NotFoundError
        return Response(data=Role.read(stored).answered())

    @route("roles/{name}", Operation.DELETE)
    async def delete_role(self, request: Request) -> None:
        """Delete a role; one that is not there is no error."""
        await self.mount.view.delete(f"roles/{request.args['name']}")

    async def _store_role(self, request: Request, base: Role) -> Response:
        name, values = request.args["name"], request.fields
        if not is_reference(name):
            raise BadRequestError("the role's name is too long")
        role = base.merged(values)
        warnings = []
        if self.authorities.find_issuer(role.issuer_ref) is None:
            warnings.append(_missing_issuer(role.issuer_ref))
        if values.boolean("no_store") and values.boolean("generate_lease"):
            warnings.append(
                "mutually exclusive values no_store=true and generate_lease=true were both specified; "
                "no_store=true takes priority"
            )
        await self.mount.view.put(f"roles/{name}", encoded(role.answered()))
        return Response(data=role.answered(), warnings=warnings)


def _missing_issuer(reference: str) -> str:
    if reference == "default":
        return (
            "Issuing Certificate was set to default, but no default issuing certificate (configurable at /config/issuers) "
            "is currently set"
        )
    return f"Issuing Certificate was set to {reference} but no issuing certificate currently has that name"

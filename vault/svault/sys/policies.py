"""`sys/policy`, `sys/policies/acl`. Source: Vault's API pages of the same names."""

from svault.logical.clock import rfc3339
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.policy.store import StoredPolicy
from svault.sys.base import SystemPart

_READ, _UPDATE, _LIST, _DELETE = Operation.READ, Operation.UPDATE, Operation.LIST, Operation.DELETE
NAME = r"{name:[^\x00]+?}"


class PolicyPaths(SystemPart):
    """Who may do what."""

    @route("policy", _READ, _LIST)
    async def list_old(self, request: Request) -> Response:
        """The names of the ACL policies, in the old form."""
        names = await self._active.policies.names()
        return Response({"keys": names, "policies": names}, is_flat=True)

    @route("policies/acl", _LIST, _READ)
    async def list_policies(self, request: Request) -> Response:
        """The names of the ACL policies."""
        return Response({"keys": await self._active.policies.names()})

    @route(f"policy/{NAME}", _READ)
    async def read_old(self, request: Request) -> Response | None:
        """An ACL policy, in the old form."""
        found = await self._active.policies.get(request.args["name"])
        return None if found is None else Response({**_described(found), "rules": found.policy}, is_flat=True)

    @route(f"policies/acl/{NAME}", _READ)
    async def read_policy(self, request: Request) -> Response | None:
        """An ACL policy."""
        found = await self._active.policies.get(request.args["name"])
        return None if found is None else Response({**_described(found), "policy": found.policy})

    @route(f"policy/{NAME}", _UPDATE)
    @route(f"policies/acl/{NAME}", _UPDATE)
    async def write_policy(self, request: Request) -> None:
        """Make or change an ACL policy, in HCL or JSON."""
        fields = request.fields
        text = fields.text("policy") or fields.text("rules")
        cas = fields.integer("cas") if "cas" in fields else None
        required = fields.boolean("cas_required") if "cas_required" in fields else None
        ttl = fields.duration("ttl")
        expires = self.mount.clock.time() + ttl if ttl else 0
        await self._active.policies.put(request.args["name"], text, cas=cas, cas_required=required, expires=expires)

    @route(f"policy/{NAME}", _DELETE)
    @route(f"policies/acl/{NAME}", _DELETE)
    async def delete_policy(self, request: Request) -> None:
        """Remove an ACL policy."""
        await self._active.policies.delete(request.args["name"])


def _described(policy: StoredPolicy) -> dict[str, object]:
    return {
        "allow_slashes_in_identity_templates": False,
        "allow_wildcards_in_identity_templates": False,
        "cas_required": policy.cas_required,
        "modified": rfc3339(policy.modified),
        "name": policy.name,
        "version": policy.version,
    }

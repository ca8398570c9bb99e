"""`auth/token/`: make, look up, renew and revoke tokens. Source: Vault's API page "Token auth method"."""

from typing import TYPE_CHECKING, Any

from svault.auth.login import described
from svault.auth.token.entry import ROOT, Token
from svault.auth.token.roles import TokenRole
from svault.auth.token.store import new_accessor
from svault.core.lifetime import Lifetime
from svault.core.lifetimes import asked_increment, renew_token
from svault.errors import BadRequestError, PermissionDeniedError
from svault.logical.answers import TIDY_STARTED
from svault.logical.clock import rfc3339
from svault.logical.engine import Engine, Mount
from svault.logical.fields import Fields
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route

if TYPE_CHECKING:
    from svault.core.active import Active

_READ, _UPDATE, _LIST, _DELETE = Operation.READ, Operation.UPDATE, Operation.LIST, Operation.DELETE


class TokenEngine(Engine):
    """The token auth method, which every vault has once."""

    kind = "token"

    def __init__(self, mount: Mount, active: "Active") -> None:
        super().__init__(mount)
        self._active = active

    async def _own(self, request: Request) -> Token:
        token = await self._active.tokens.by_hash(request.identity.token_hash)
        if token is None:
            raise PermissionDeniedError
        return token

    async def _given(self, request: Request) -> Token:
        text = request.fields.text("token") or request.args.get("token", "")
        if not text:
            raise BadRequestError("missing token ID")
        token = await self._active.tokens.find(text)
        if token is None:
            raise PermissionDeniedError("bad token")
        return token

    async def _by_accessor(self, request: Request) -> Token:
        accessor = request.fields.text("accessor") or request.args.get("accessor", "")
        if not accessor:
            raise BadRequestError("1 error occurred:\n\t* missing accessor\n\n")
        token = await self._active.tokens.by_accessor(accessor)
        if token is None:
            raise BadRequestError("1 error occurred:\n\t* invalid accessor\n\n")
        return token

    @route("create", _UPDATE)
    async def create(self, request: Request) -> Response:
        """A child of the caller's token, or an orphan when sudo is there."""
        return await self._create(request, None, is_orphan=request.fields.boolean("no_parent"))

    @route("create-orphan", _UPDATE, sudo=True)
    async def create_orphan(self, request: Request) -> Response:
        """A token without a parent."""
        return await self._create(request, None, is_orphan=True)

    @route("create/{role}", _UPDATE)
    async def create_with_role(self, request: Request) -> Response:
        """A token within the bounds of a role."""
        role = await self._role(request.args["role"])
        if role is None:
            raise BadRequestError(f"unknown role {request.args['role']}")
        return await self._create(request, role, is_orphan=role.orphan)

    async def _create(self, request: Request, role: TokenRole | None, *, is_orphan: bool) -> Response:
        parent, fields = await self._own(request), request.fields
        if parent.uses:
            raise BadRequestError("restricted use token cannot generate child tokens")
        if fields.text("entity_alias"):
            raise BadRequestError("entity_alias is not offered here: log in through an auth method to be an entity")
        if fields.text("type", "service") not in {"service", "default", "default-service"}:
            raise BadRequestError("batch tokens are not offered here: use type=service")
        is_sudo = await self._is_sudo(request, parent)
        text, period = fields.text("id"), fields.duration("period")
        for wish, name in ((text, "id"), (period, "period"), (is_orphan and role is None, "no_parent")):
            if wish and not is_sudo:
                raise BadRequestError(f"root or sudo privileges required to {_PRIVILEGED[name]}")
        policies, warnings = await self._policies(fields, role, parent, is_sudo=is_sudo)
        # Root tokens of a root without a TTL never end.
        never_ends = ROOT in policies and not fields.duration("ttl") and not fields.duration("explicit_max_ttl")
        explicit = fields.duration("explicit_max_ttl")
        if role is not None:
            bounds = [seconds for seconds in (explicit, role.token_explicit_max_ttl) if seconds]
            explicit, period = min(bounds, default=0), role.token_period or period
        system = self.mount.system
        asked = fields.duration("ttl", fields.duration("lease"))
        if asked < 0 or explicit < 0 or period < 0 or fields.integer("num_uses") < 0:
            raise BadRequestError("ttl must be positive")
        if ROOT in policies and parent.ttl and not asked:
            raise BadRequestError("expiring root tokens cannot create non-expiring root tokens")
        ttl, capped = Lifetime(asked, system.default_lease_ttl(), system.max_lease_ttl(), 0, explicit, period).granted()
        uses = fields.integer("num_uses")
        if role is not None and role.token_num_uses and not 0 < uses <= role.token_num_uses:
            uses = role.token_num_uses
        suffix = f"/{role.name}" + (f"/{role.path_suffix}" if role.path_suffix else "") if role is not None else ""
        shown = fields.text("display_name")
        token = Token(
            hash="",
            accessor=new_accessor(),
            policies=policies,
            path=f"auth/token/create{suffix}",
            created=self.mount.clock.time(),
            mount=self.mount.uuid,
            display_name=f"token-{_plain(shown)}" if shown else "token",
            meta=fields.pairs("meta") or fields.pairs("metadata"),
            uses=uses,
            explicit_max_ttl=explicit,
            period=period,
            role=role.name if role else "",
            entity="" if is_orphan else parent.entity,
            parent="" if is_orphan else parent.hash,
            is_orphan=is_orphan,
            bound_cidrs=role.token_bound_cidrs if role else [],
            is_renewable=fields.boolean("renewable", default=True) and (role is None or role.renewable),
        )
        ttl = 0 if never_ends else ttl
        made = await self._active.tokens.create(token, ttl, text)
        warnings += [] if ROOT in policies and not asked else capped
        return Response(warnings=warnings, envelope={"auth": described(self._active, token, made, ttl)})

    async def _is_sudo(self, request: Request, parent: Token) -> bool:
        acl = await self._active.policies.acl_for(parent.policies)
        decision = acl.decide(Operation.UPDATE, self.mount.path + request.path, request.data)
        return decision.is_root or decision.is_sudo

    async def _policies(
        self, fields: Fields, role: TokenRole | None, parent: Token, *, is_sudo: bool
    ) -> tuple[list[str], list[str]]:
        asked = sorted({name.lower() for name in fields.strings("policies")})
        if role is not None and role.has_lists:
            asked = role.policies(asked, parent.policies)
        elif not asked:
            asked = [name for name in parent.policies if name != "response-wrapping"]
        elif not is_sudo and not set(asked) - {"default"} <= set(parent.policies):
            raise BadRequestError("child policies must be subset of parent")
        if ROOT in asked and ROOT not in parent.policies:
            raise BadRequestError("root tokens may not be created without parent token being root")
        if "response-wrapping" in asked:
            raise BadRequestError("cannot create a token with the response-wrapping policy")
        without = fields.boolean("no_default_policy")
        if role is not None:
            without = without or role.token_no_default_policy or "default" in role.disallowed_policies
        names = [ROOT] if ROOT in asked else sorted(set(asked) | (set() if without else {"default"}))
        warnings = [
            f'Policy "{name}" does not exist' for name in names if name != ROOT and await self._active.policies.get(name) is None
        ]
        return names, warnings

    def _shown(self, token: Token, text: str) -> Response:
        lease = self._active.leases.own_lease(token.hash)
        own, inherited = self._active.identity.policies_of(token.entity) if token.entity else ((), ())
        data: dict[str, Any] = {
            "accessor": token.accessor,
            "creation_time": int(token.created),
            "creation_ttl": token.ttl,
            "display_name": token.display_name,
            "entity_id": token.entity,
            "expire_time": rfc3339(lease.expires) if lease else None,
            "explicit_max_ttl": token.explicit_max_ttl,
            "id": text,
            "meta": token.meta or None,
            "num_uses": max(token.uses, 0),
            "orphan": token.is_orphan,
            "path": token.path,
            "policies": token.policies,
            "ttl": self._active.leases.remaining(lease) if lease else 0,
            "type": token.kind,
        }
        if token.path != "auth/token/root":  # such a token never had a lease
            data |= {"issue_time": rfc3339(token.created), "renewable": token.is_renewable and lease is not None}
        if token.period:
            data["period"] = token.period
        if token.role:
            data["role"] = token.role
        if token.bound_cidrs:
            data["bound_cidrs"] = token.bound_cidrs
        if own or inherited:
            data["identity_policies"] = sorted({*own, *inherited})
        if lease and lease.last_renewal:
            data["last_renewal"] = rfc3339(lease.last_renewal)
            data["last_renewal_time"] = int(lease.last_renewal)
        return Response(data)

    @route("lookup-self", _READ, _UPDATE)
    async def lookup_self(self, request: Request) -> Response:
        """The caller's own token."""
        return self._shown(await self._own(request), request.token)

    @route("lookup", _UPDATE, _READ)
    async def lookup(self, request: Request) -> Response:
        """A token, by its text; without one the caller's."""
        text = request.fields.text("token")
        return self._shown(await self._given(request), text) if text else await self.lookup_self(request)

    @route("lookup-accessor", _UPDATE)
    async def lookup_accessor(self, request: Request) -> Response:
        """A token, by its accessor; its text is not shown."""
        return self._shown(await self._by_accessor(request), "")

    @route("accessors", _LIST, sudo=True)
    async def accessors(self, request: Request) -> Response:
        """The accessors of all tokens."""
        return Response({"keys": await self._active.tokens.accessors()})

    async def _renewed(self, request: Request, token: Token, text: str) -> Response:
        ttl, warnings = await renew_token(self._active, token, asked_increment(request))
        auth = described(self._active, token, text, ttl)
        return Response(warnings=warnings, envelope={"auth": auth})

    @route("renew-self", _UPDATE)
    async def renew_self(self, request: Request) -> Response:
        """Let the caller's token live longer."""
        return await self._renewed(request, await self._own(request), request.token)

    @route("renew", _UPDATE)
    async def renew_given(self, request: Request) -> Response:
        """Let a token live longer."""
        text = request.fields.required("token", "missing token ID")
        token = await self._active.tokens.find(text)
        if token is None:
            raise BadRequestError("token not found")
        return await self._renewed(request, token, text)

    @route("renew-accessor", _UPDATE)
    async def renew_accessor(self, request: Request) -> Response:
        """Let a token live longer, by its accessor."""
        return await self._renewed(request, await self._by_accessor(request), "")

    @route("revoke-self", _UPDATE)
    async def revoke_self(self, request: Request) -> None:
        """End the caller's token and its children."""
        await self._active.tokens.revoke(await self._own(request))

    @route("revoke", _UPDATE)
    async def revoke_given(self, request: Request) -> None:
        """End a token and its children; one that is not there is no error."""
        token = await self._active.tokens.find(request.fields.required("token", "missing token ID"))
        if token is not None:
            await self._active.tokens.revoke(token)

    @route("revoke-orphan", _UPDATE, sudo=True)
    async def revoke_orphan(self, request: Request) -> None:
        """End a token; its children become orphans."""
        token = await self._active.tokens.find(request.fields.required("token", "missing token ID"))
        if token is None:
            raise BadRequestError("token to revoke not found")
        await self._active.tokens.revoke(token, orphan_children=True)

    @route("revoke-accessor", _UPDATE)
    async def revoke_accessor(self, request: Request) -> Response | None:
        """End a token and its children, by its accessor; one that is not there is no error."""
        accessor = request.fields.required("accessor", "1 error occurred:\n\t* missing accessor\n\n")
        token = await self._active.tokens.by_accessor(accessor)
        if token is None:
            return Response(warnings=["No token found with this accessor"])
        await self._active.tokens.revoke(token)
        return None

    @route("tidy", _UPDATE, sudo=True)
    async def tidy(self, request: Request) -> Response:
        """Remove what a crash may have left of revoked tokens, in the background."""
        self.mount.system.spawn(self._active.tokens.tidy(), "token tidy")
        return Response(status=202, warnings=[TIDY_STARTED])

    async def _role(self, name: str) -> TokenRole | None:
        stored = await self.mount.view.read(f"roles/{name}")
        return None if stored is None else TokenRole(**stored)

    @route("roles", _LIST)
    async def list_roles(self, request: Request) -> Response | None:
        """The names of the roles."""
        names = await self.mount.view.list("roles/")
        return Response({"keys": names}) if names else None

    @route("roles/{name}", _UPDATE)
    async def write_role(self, request: Request) -> None:
        """Make a role, or change what is said of it."""
        name = request.args["name"]
        async with self.mount.view.lock(f"roles/{name}"):
            role = await self._role(name) or TokenRole(name)
            role.update(request.fields)
            await self.mount.view.write(f"roles/{name}", role.stored())

    @route("roles/{name}", _READ)
    async def read_role(self, request: Request) -> Response | None:
        """A role."""
        role = await self._role(request.args["name"])
        if role is None:
            return None
        old = {"explicit_max_ttl": role.token_explicit_max_ttl, "period": role.token_period}
        return Response(role.stored() | old)

    @route("roles/{name}", _DELETE)
    async def delete_role(self, request: Request) -> None:
        """Remove a role; its tokens stay."""
        await self.mount.view.delete(f"roles/{request.args['name']}")


_PRIVILEGED = {
    "id": "specify token id",
    "period": "create periodic token",
    "no_parent": "create orphan token",
}


def _plain(name: str) -> str:
    """A display name without what is no letter, digit or dash."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name).strip("-")

"""Programs with a role id and a secret id. Source: Vault's API page "AppRole auth method".

role/NAME              the role                    role-id/HASH      the role's name
secret-id/NAME/HASH    a secret id of the role     accessor/HASH     where its secret id is
"""

import hashlib
import hmac
import json
import os
import uuid
from typing import Any

from svault.auth.approle.role import Role, SecretId
from svault.auth.lockout import Lockout
from svault.auth.token_parameters import TokenParameters
from svault.barrier.view import encoded
from svault.errors import BadRequestError, NotFoundError
from svault.logical.answers import TIDY_STARTED
from svault.logical.clock import rfc3339
from svault.logical.engine import Engine, LeaseRecord, Mount
from svault.logical.networks import are_within, is_bound, networks
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route

_READ, _UPDATE, _LIST, _DELETE = Operation.READ, Operation.UPDATE, Operation.LIST, Operation.DELETE
ROLE = "role/{role}"
_INVALID = "invalid role or secret ID"
_PART = (
    "{field:policies|secret-id-num-uses|secret-id-ttl|token-num-uses|token-ttl|token-max-ttl|bind-secret-id|bound-cidr-list"
    "|secret-id-bound-cidrs|token-bound-cidrs|period|token-period|local-secret-ids}"
)
MAX_ID_CHARACTERS = 4096


class AppRoleEngine(Engine):
    """Roles and secret ids in the mount's own entries."""

    kind = "approle"

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self._salt = b""
        self.lockout = Lockout(mount)

    async def start(self) -> None:
        """Load the salt of the hashes, and who is locked out."""
        await self.lockout.start()
        self._salt = await self.mount.view.get("salt") or os.urandom(32)
        await self.mount.view.put("salt", self._salt)

    def _hashed(self, text: str) -> str:
        return hmac.digest(self._salt, text.encode(), hashlib.sha256).hex()

    async def exists(self, request: Request) -> bool | None:
        """Whether the role is there."""
        parts = request.path.strip("/").split("/")
        return await self._role(parts[1]) is not None if len(parts) == 2 and parts[0] == "role" else None

    async def _role(self, name: str) -> Role | None:
        stored = await self.mount.view.read(f"role/{name.lower()}")
        return None if stored is None else Role(**stored)

    async def _known(self, request: Request) -> Role:
        role = await self._role(request.args["role"])
        if role is None:
            raise NotFoundError
        return role

    @route("role", _LIST)
    async def list_roles(self, request: Request) -> Response | None:
        """The names of the roles."""
        names = await self.mount.view.list("role/")
        return Response({"keys": names}) if names else None

    @route(ROLE, _READ)
    async def read_role(self, request: Request) -> Response | None:
        """A role, without its role id."""
        role = await self._role(request.args["role"])
        return None if role is None else Response(role.described())

    @route(ROLE, Operation.CREATE, _UPDATE)
    async def write_role(self, request: Request) -> Response | None:
        """Make or change a role."""
        name = request.args["role"].lower()
        async with self.mount.view.lock(f"role/{name}"):
            role = await self._role(name) or Role(name)
            await self._save(role, request)
        return None

    async def _save(self, role: Role, request: Request) -> None:
        before = role.role_id
        role.update(request.fields)
        owner = await self.mount.view.get(f"role-id/{self._hashed(role.role_id)}")
        if len(role.role_id) > MAX_ID_CHARACTERS or (owner is not None and owner.decode() != role.name):
            raise BadRequestError("role_id already in use by another role" if owner else "the role_id is too long")
        changes: dict[str, bytes | None] = {f"role/{role.name}": encoded(role.stored())}
        if before != role.role_id:
            changes[f"role-id/{self._hashed(before)}"] = None
        changes[f"role-id/{self._hashed(role.role_id)}"] = role.name.encode()
        await self.mount.view.commit(changes)

    @route(ROLE, _DELETE)
    async def delete_role(self, request: Request) -> None:
        """Remove a role and its secret ids."""
        name = request.args["role"].lower()
        async with self.mount.view.lock(f"role/{name}"):
            role = await self._role(name)
            if role is None:
                return
            # First the secret ids: a role of the same name that is made after a crash must not find them.
            for hashed in await self.mount.view.list(f"secret-id/{name}/"):
                await self._destroy(role, hashed)
            await self.mount.view.commit({f"role/{name}": None, f"role-id/{self._hashed(role.role_id)}": None})
            await self.lockout.unlock(role.role_id)

    @route(ROLE + "/role-id", _READ)
    async def read_role_id(self, request: Request) -> Response:
        """The role id."""
        return Response({"role_id": (await self._known(request)).role_id})

    @route(ROLE + "/role-id", _UPDATE)
    async def write_role_id(self, request: Request) -> None:
        """Choose the role id."""
        request.fields.required("role_id", "missing role_id")
        async with self.mount.view.lock(f"role/{request.args['role'].lower()}"):
            await self._save(await self._known(request), request)

    @route(f"{ROLE}/{_PART}", _READ, _UPDATE, _DELETE)
    async def part(self, request: Request) -> Response | None:
        """One field of a role, under a path of its own."""
        role, name = await self._known(request), request.args["field"].replace("-", "_")
        name = {"policies": "token_policies", "period": "token_period", "bound_cidr_list": "secret_id_bound_cidrs"}.get(
            name, name
        )
        if request.operation == _READ:
            value = role.described()[name]
            return Response({name: value})
        async with self.mount.view.lock(f"role/{role.name}"):
            role = await self._known(request)
            if request.operation == _DELETE:
                fresh = Role(role.name).stored() | TokenParameters().stored()
                request.data = {name: fresh[name]}
            elif not {name, request.args["field"].replace("-", "_")} & set(request.data):
                raise BadRequestError(f"missing {name}")
            await self._save(role, request)
        return None

    @route(ROLE + "/secret-id", _UPDATE)
    async def generate_secret_id(self, request: Request) -> Response:
        """A new secret id."""
        return await self._new_secret_id(await self._known(request), str(uuid.uuid4()), request)

    @route(ROLE + "/custom-secret-id", _UPDATE)
    async def custom_secret_id(self, request: Request) -> Response:
        """A secret id that the caller chose."""
        text = request.fields.required("secret_id", "missing secret_id")
        if len(text) > MAX_ID_CHARACTERS:
            raise BadRequestError("the secret_id is too long")
        return await self._new_secret_id(await self._known(request), text, request)

    async def _new_secret_id(self, role: Role, text: str, request: Request) -> Response:
        fields, now = request.fields, self.mount.clock.time()
        if not role.bind_secret_id:
            raise BadRequestError("bind_secret_id is not set on the role")
        key = f"secret-id/{role.name}/{self._hashed(text)}"
        if await self.mount.view.get(key) is not None:
            raise BadRequestError("failed to register the new secret ID: it exists already")
        ttl = _bounded("ttl", fields.duration("ttl"), role.secret_id_ttl)
        uses = _bounded("num_uses", fields.integer("num_uses"), role.secret_id_num_uses)
        cidrs, token_cidrs = networks(fields.strings("cidr_list")), networks(fields.strings("token_bound_cidrs"))
        for asked, bounds in ((cidrs, role.secret_id_bound_cidrs), (token_cidrs, role.tokens.token_bound_cidrs)):
            if bounds and not are_within(asked, bounds):
                raise BadRequestError("CIDR blocks of the secret ID should be a subset of the CIDR blocks of the role")
        made = SecretId(
            str(uuid.uuid4()),
            now,
            ttl,
            now + ttl if ttl else 0.0,
            uses,
            _metadata(request),
            cidrs,
            token_cidrs,
            now,
        )
        where = encoded({"role": role.name, "hash": self._hashed(text)})
        async with self.mount.view.lock(f"role/{role.name}"):
            if await self._role(role.name) is None:
                raise NotFoundError
            await self.mount.view.commit({key: encoded(made.stored()), f"accessor/{self._hashed(made.accessor)}": where})
        return Response(
            {"secret_id": text, "secret_id_accessor": made.accessor, "secret_id_num_uses": uses, "secret_id_ttl": ttl}
        )

    @route(ROLE + "/secret-id", _LIST)
    async def list_secret_ids(self, request: Request) -> Response | None:
        """The accessors of a role's secret ids."""
        role = await self._known(request)
        found = [await self._secret_id(role, name) for name in await self.mount.view.list(f"secret-id/{role.name}/")]
        accessors = [one.accessor for one in found if one is not None]
        return Response({"keys": accessors}) if accessors else None

    async def _secret_id(self, role: Role, hashed: str) -> SecretId | None:
        stored = await self.mount.view.read(f"secret-id/{role.name}/{hashed}")
        if stored is None:
            return None
        found = SecretId(**stored)
        return None if found.expires and self.mount.clock.time() >= found.expires else found

    async def _destroy(self, role: Role, hashed: str) -> None:
        stored = await self.mount.view.read(f"secret-id/{role.name}/{hashed}")
        changes: dict[str, bytes | None] = {f"secret-id/{role.name}/{hashed}": None}
        if stored is not None:
            changes[f"accessor/{self._hashed(stored['accessor'])}"] = None
        await self.mount.view.commit(changes)

    @route(ROLE + "/secret-id/lookup", _UPDATE)
    async def lookup_secret_id(self, request: Request) -> Response | None:
        """A secret id by its text."""
        role = await self._known(request)
        text = request.fields.required("secret_id", "missing secret_id")
        found = await self._secret_id(role, self._hashed(text))
        return Response(_described(found)) if found else Response(status=204)

    @route(ROLE + "/secret-id/destroy", _UPDATE, _DELETE)
    async def destroy_secret_id(self, request: Request) -> None:
        """End a secret id by its text."""
        role = await self._known(request)
        await self._destroy(role, self._hashed(request.fields.required("secret_id", "missing secret_id")))

    async def _by_accessor(self, request: Request) -> tuple[Role, str, SecretId]:
        role = await self._known(request)
        accessor = request.fields.required("secret_id_accessor", "missing secret_id_accessor")
        where = await self.mount.view.read(f"accessor/{self._hashed(accessor)}")
        found = await self._secret_id(role, where["hash"]) if where and where["role"] == role.name else None
        if where is None or found is None:
            raise NotFoundError(f'failed to find accessor entry for secret_id_accessor: "{accessor[:64]}"')
        return role, where["hash"], found

    @route(ROLE + "/secret-id-accessor/lookup", _UPDATE)
    async def lookup_accessor(self, request: Request) -> Response:
        """A secret id by its accessor."""
        _, _, found = await self._by_accessor(request)
        return Response(_described(found))

    @route(ROLE + "/secret-id-accessor/destroy", _UPDATE, _DELETE)
    async def destroy_accessor(self, request: Request) -> None:
        """End a secret id by its accessor."""
        role, hashed, _ = await self._by_accessor(request)
        await self._destroy(role, hashed)

    @route("login", _UPDATE, public=True)
    async def login(self, request: Request) -> Response:
        """A token for a role id and a secret id."""
        role_id = request.fields.required("role_id", "missing role_id")
        name = await self.mount.view.get(f"role-id/{self._hashed(role_id)}")
        role = await self._role(name.decode()) if name else None
        if role is None:
            raise BadRequestError(_INVALID)
        self.lockout.check(role.role_id)
        metadata, token_cidrs = {"role_name": role.name}, role.tokens.token_bound_cidrs
        _check_address(role.secret_id_bound_cidrs, request)
        if role.bind_secret_id:
            secret = await self._spend(role, request)
            metadata = secret.metadata | metadata
            token_cidrs = secret.token_bound_cidrs or token_cidrs
        auth = role.tokens.auth("", role.role_id, metadata, {"role": role.name})
        auth.bound_cidrs = token_cidrs
        return Response(auth=auth)

    async def _spend(self, role: Role, request: Request) -> SecretId:
        hashed = self._hashed(request.fields.required("secret_id", "missing secret_id"))
        async with self.mount.view.lock(f"secret-id/{role.name}/{hashed}"):
            found = await self._secret_id(role, hashed)
            if found is None:
                await self.lockout.failed(role.role_id)
                raise BadRequestError(_INVALID)
            _check_address(found.cidr_list, request)
            await self.lockout.succeeded(role.role_id)
            if found.uses == 1:
                await self._destroy(role, hashed)
            elif found.uses:
                found.uses, found.updated = found.uses - 1, self.mount.clock.time()
                await self.mount.view.write(f"secret-id/{role.name}/{hashed}", found.stored())
        return found

    async def renew(self, lease: LeaseRecord, increment: int) -> tuple[int, int]:
        """A role that is gone cannot renew."""
        role = await self._role(str(lease.internal.get("role", "")))
        if role is None:
            raise BadRequestError("role no longer exists")
        return increment or role.tokens.token_ttl, role.tokens.token_max_ttl

    @route("tidy/secret-id", _UPDATE)
    async def tidy(self, request: Request) -> Response:
        """Remove the secret ids that have ended, in the background."""
        self.mount.system.spawn(self._tidy(), "approle tidy")
        return Response(status=202, warnings=[TIDY_STARTED])

    async def _tidy(self) -> None:
        for name in await self.mount.view.list("role/"):
            role = await self._role(name)
            for hashed in await self.mount.view.list(f"secret-id/{name}/") if role else ():
                if role is not None and await self._secret_id(role, hashed) is None:
                    await self._destroy(role, hashed)


def _check_address(cidrs: list[str], request: Request) -> None:
    if cidrs and not is_bound(cidrs, request.remote_address):
        raise BadRequestError("source address unauthorized by CIDR restrictions on the secret ID")


def _bounded(name: str, asked: int, limit: int) -> int:
    if asked < 0:
        raise BadRequestError(f"{name} cannot be negative")
    if limit and asked > limit:
        raise BadRequestError(f"{name} cannot be higher than the role's secret ID {name}")
    return asked or limit


def _metadata(request: Request) -> dict[str, str]:

    text = request.data.get("metadata")
    if not isinstance(text, str) or not text:
        return request.fields.pairs("metadata")
    try:
        found = json.loads(text)
    except ValueError:
        raise BadRequestError("failed to parse metadata: a JSON object of texts is expected") from None
    if not isinstance(found, dict):
        raise BadRequestError("failed to parse metadata: a JSON object of texts is expected")
    return {str(key): str(value) for key, value in found.items()}


def _described(found: SecretId) -> dict[str, Any]:
    return {
        "cidr_list": found.cidr_list,
        "creation_time": rfc3339(found.created),
        "expiration_time": rfc3339(found.expires),
        "last_updated_time": rfc3339(found.updated),
        "metadata": found.metadata,
        "secret_id_accessor": found.accessor,
        "secret_id_num_uses": found.uses,
        "secret_id_ttl": found.ttl,
        "token_bound_cidrs": found.token_bound_cidrs,
    }

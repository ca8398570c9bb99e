"""People with a name and a password. Source: Vault's API page "Username & password auth method".

Passwords are kept as scrypt hashes (N = 2^15, r = 8, p = 1: the parameters that RFC 7914 and OWASP give for logins).
"""

import asyncio
import base64
import hashlib
import hmac
import os
from typing import Any

from svault.auth.lockout import Lockout
from svault.auth.token_parameters import TokenParameters
from svault.errors import BadRequestError
from svault.logical.engine import Engine, LeaseRecord, Mount
from svault.logical.fields import Fields
from svault.logical.networks import is_bound
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route

_READ, _UPDATE, _LIST, _DELETE = Operation.READ, Operation.UPDATE, Operation.LIST, Operation.DELETE
NAME = r"{username:[\w.@+-]{1,256}}"
MAX_PASSWORD_BYTES = 1024
_OLD_NAMES = {"policies": "token_policies", "ttl": "token_ttl", "max_ttl": "token_max_ttl"}
"""Shown beside the new names to whoever still writes them."""
MAX_HASHING = 2
"""Hashes computed at once: each takes 32 MiB and a core for a while."""
_WRONG = "invalid username or password"
_N, _R, _P = 1 << 15, 8, 1


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=64 << 20, dklen=32)


class UserpassEngine(Engine):
    """Users in the mount's own entries, by their lower-case names."""

    kind = "userpass"

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self._hashing = asyncio.Semaphore(MAX_HASHING)
        self.lockout = Lockout(mount)

    async def start(self) -> None:
        """Load who is locked out."""
        await self.lockout.start()

    async def exists(self, request: Request) -> bool | None:
        """Whether the user is there."""
        parts = request.path.strip("/").split("/")
        return await self._user(parts[1]) is not None if len(parts) == 2 and parts[0] == "users" else None

    async def _user(self, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = await self.mount.view.read(f"user/{name.lower()}")
        return found

    @route("users", _LIST)
    async def list_users(self, request: Request) -> Response | None:
        """The names."""
        names = await self.mount.view.list("user/")
        return Response({"keys": names}) if names else None

    @route(f"users/{NAME}", _READ)
    async def read_user(self, request: Request) -> Response | None:
        """One user, without the password."""
        user = await self._user(request.args["username"])
        if user is None:
            return None
        data = TokenParameters(**user["parameters"]).stored()
        return Response(data | {old: data[_OLD_NAMES[old]] for old in user.get("old_names", ()) if data[_OLD_NAMES[old]]})

    @route(f"users/{NAME}", Operation.CREATE, _UPDATE)
    async def write_user(self, request: Request) -> None:
        """Make or change a user; a new one needs a password."""
        name, password = request.args["username"].lower(), request.fields.text("password")
        async with self.mount.view.lock(f"user/{name}"):
            user = await self._user(name)
            if user is None and not password:
                raise BadRequestError("must provide a password")
            is_new = user is None
            user = user or {"parameters": {}}
            _update(user, request.fields)
            if password:
                user |= await _hashed(password)
            await self.mount.view.write(f"user/{name}", user)
            if is_new:
                await self.lockout.unlock(name)  # somebody may have tried the name while nobody had it

    @route(f"users/{NAME}/password", _UPDATE)
    async def write_password(self, request: Request) -> None:
        """Change a password."""
        name, password = request.args["username"].lower(), request.fields.required("password", "missing password")
        async with self.mount.view.lock(f"user/{name}"):
            user = await self._user(name)
            if user is None:
                raise BadRequestError("1 error occurred:\n\t* username does not exist\n\n")
            await self.mount.view.write(f"user/{name}", user | await _hashed(password))

    @route(f"users/{NAME}/policies", _UPDATE)
    async def write_policies(self, request: Request) -> None:
        """Change a user's policies."""
        name = request.args["username"].lower()
        async with self.mount.view.lock(f"user/{name}"):
            user = await self._user(name)
            if user is None:
                raise BadRequestError("1 error occurred:\n\t* username does not exist\n\n")
            _update(user, request.fields)
            await self.mount.view.write(f"user/{name}", user)

    @route(f"users/{NAME}", _DELETE)
    async def delete_user(self, request: Request) -> None:
        """Remove a user; the tokens of past logins end when they are renewed or their time is over."""
        name = request.args["username"].lower()
        await self.mount.view.delete(f"user/{name}")
        await self.lockout.unlock(name)

    @route(f"login/{NAME}", _UPDATE, public=True)
    async def login(self, request: Request) -> Response:
        """A token for a name and its password."""
        name, password = request.args["username"].lower(), request.fields.text("password")
        if not password:
            raise BadRequestError("missing password")
        self.lockout.check(name)
        user = await self._user(name)
        # An unknown name costs as much as a known one, so that the time does not tell which it was.
        salt, expected = (base64.b64decode(user[part]) for part in ("salt", "hash")) if user else (b"\0" * 16, b"\0" * 32)
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            raise BadRequestError(_WRONG)
        async with self._hashing:
            self.lockout.check(name)  # who waited here for long may be locked out by now
            found = await asyncio.to_thread(_hash, password, salt)
        if not hmac.compare_digest(found, expected) or user is None:
            await self.lockout.failed(name, is_known=user is not None)
            raise BadRequestError(_WRONG)
        await self.lockout.succeeded(name)
        parameters = TokenParameters(**user["parameters"])
        if parameters.token_bound_cidrs and not is_bound(parameters.token_bound_cidrs, request.remote_address):
            raise BadRequestError(_WRONG)
        return Response(
            auth=parameters.auth(name, name, {"username": name}, {"username": name, "policies": parameters.token_policies})
        )

    async def renew(self, lease: LeaseRecord, increment: int) -> tuple[int, int]:
        """A user that is gone, or has other policies now, cannot renew."""
        user = await self._user(str(lease.internal.get("username", "")))
        if user is None:
            raise BadRequestError("user no longer exists")
        parameters = TokenParameters(**user["parameters"])
        if sorted(parameters.token_policies) != sorted(lease.internal.get("policies", ())):
            raise BadRequestError("policies have changed, not renewing")
        return increment or parameters.token_ttl, parameters.token_max_ttl


def _update(user: dict[str, Any], fields: Fields) -> None:
    user["parameters"] = TokenParameters(**user["parameters"]).updated(fields).stored()
    before = user.get("old_names", ())
    user["old_names"] = [old for old, name in _OLD_NAMES.items() if name not in fields and (old in fields or old in before)]


async def _hashed(password: str) -> dict[str, str]:
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise BadRequestError(f"a password has at most {MAX_PASSWORD_BYTES} bytes")
    salt = os.urandom(16)
    digest = await asyncio.to_thread(_hash, password, salt)
    return {"salt": base64.b64encode(salt).decode(), "hash": base64.b64encode(digest).decode()}

"""People with a name and a password. Source: Vault's API page "Username & password auth method".

Passwords are kept as scrypt hashes (N = 2^15, r = 8, p = 1: the parameters that RFC 7914 and OWASP give for logins).
"""

import asyncio
import base64
import hashlib
import hmac
import os
from typing import Any

from svault.auth.token_parameters import TokenParameters
from svault.core.authorize import is_bound
from svault.errors import BadRequestError
from svault.logical.engine import Engine, LeaseRecord
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route

_READ, _UPDATE, _LIST, _DELETE = Operation.READ, Operation.UPDATE, Operation.LIST, Operation.DELETE
NAME = r"{username:[\w.@+-]{1,256}}"
MAX_PASSWORD_BYTES = 1024
_WRONG = "invalid username or password"
_N, _R, _P = 1 << 15, 8, 1


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=64 << 20, dklen=32)


class UserpassEngine(Engine):
    """Users in the mount's own entries, by their lower-case names."""

    kind = "userpass"

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
        return None if user is None else Response(TokenParameters(**user["parameters"]).stored())

    @route(f"users/{NAME}", Operation.CREATE, _UPDATE)
    async def write_user(self, request: Request) -> None:
        """Make or change a user; a new one needs a password."""
        name, password = request.args["username"].lower(), request.fields.text("password")
        async with self.mount.view.lock(f"user/{name}"):
            user = await self._user(name)
            if user is None and not password:
                raise BadRequestError("must provide a password")
            user = user or {"parameters": {}}
            user["parameters"] = TokenParameters(**user["parameters"]).updated(request.fields).stored()
            if password:
                user |= await _hashed(password)
            await self.mount.view.write(f"user/{name}", user)

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
            user["parameters"] = TokenParameters(**user["parameters"]).updated(request.fields).stored()
            await self.mount.view.write(f"user/{name}", user)

    @route(f"users/{NAME}", _DELETE)
    async def delete_user(self, request: Request) -> None:
        """Remove a user; the tokens of past logins end when they are renewed or their time is over."""
        await self.mount.view.delete(f"user/{request.args['username'].lower()}")

    @route(f"login/{NAME}", _UPDATE, public=True)
    async def login(self, request: Request) -> Response:
        """A token for a name and its password."""
        name, password = request.args["username"].lower(), request.fields.text("password")
        if not password:
            raise BadRequestError("missing password")
        user = await self._user(name)
        # An unknown name costs as much as a known one, so that the time does not tell which it was.
        salt, expected = (base64.b64decode(user[part]) for part in ("salt", "hash")) if user else (b"\0" * 16, b"\0" * 32)
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            raise BadRequestError(_WRONG)
        found = await asyncio.to_thread(_hash, password, salt)
        if not hmac.compare_digest(found, expected) or user is None:
            raise BadRequestError(_WRONG)
        parameters = TokenParameters(**user["parameters"])
        if parameters.token_bound_cidrs and not is_bound(parameters.token_bound_cidrs, request.remote_address):
            raise BadRequestError(_WRONG)
        return Response(auth=parameters.auth(name, name, {"username": name}, {"username": name}))

    async def renew(self, lease: LeaseRecord, increment: int) -> tuple[int, int]:
        """A user that is gone, or has other policies now, cannot renew."""
        user = await self._user(str(lease.internal.get("username", "")))
        if user is None:
            raise BadRequestError("user no longer exists")
        parameters = TokenParameters(**user["parameters"])
        return increment or parameters.token_ttl, parameters.token_max_ttl


async def _hashed(password: str) -> dict[str, str]:
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise BadRequestError(f"a password has at most {MAX_PASSWORD_BYTES} bytes")
    salt = os.urandom(16)
    digest = await asyncio.to_thread(_hash, password, salt)
    return {"salt": base64.b64encode(salt).decode(), "hash": base64.b64encode(digest).decode()}

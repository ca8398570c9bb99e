"""Tokens: made, looked up, and revoked with everything that hangs on them.

token/id/HASH              the token, by the keyed hash of its text
token/accessor/HASH        the token's hash, by the keyed hash of its accessor
token/parent/PARENT/CHILD  nothing: that CHILD ends with PARENT
"""

import hashlib
import hmac
import json
import os
import secrets
import string
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from svault.auth.token.entry import Token
from svault.barrier.view import View, encoded
from svault.errors import BadRequestError, PermissionDeniedError
from svault.leases.lease import TOKEN, StoredLease
from svault.leases.registry import LeaseRegistry, new_id
from svault.logical.clock import Clock

PREFIX = "hvs."
_LETTERS = string.ascii_letters + string.digits
_CACHED = 10_000
_SALT = "token/salt"
MAX_TOKEN_CHARACTERS = 1024


def new_token() -> str:
    """`hvs.` and 24 random characters (142 bits)."""
    return PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(24))


def new_accessor() -> str:
    """24 random characters."""
    return "".join(secrets.choice(_LETTERS) for _ in range(24))


class TokenStore:
    """Belongs to an unsealed vault. `view` is the system's, shared with the leases, so that both change in one commit."""

    def __init__(self, view: View, clock: Clock, leases: LeaseRegistry, dropped: Callable[[Token], Awaitable[None]]) -> None:
        self._view = view
        self._clock = clock
        self._leases = leases
        self._dropped = dropped
        self._salt = b""
        self._cache: OrderedDict[str, Token] = OrderedDict()

    async def start(self) -> None:
        """Load the salt of the hashes."""
        salt = await self._view.get(_SALT)
        if salt is None:
            salt = os.urandom(32)
            await self._view.put(_SALT, salt)
        self._salt = salt

    def hashed(self, text: str) -> str:
        """The name under which a token or accessor is kept."""
        return hmac.digest(self._salt, text.encode(), hashlib.sha256).hex()

    async def find(self, text: str) -> Token | None:
        """The token of this text, alive and with uses left; None for anything else."""
        if not text or len(text) > MAX_TOKEN_CHARACTERS:
            return None
        token = await self.by_hash(self.hashed(text))
        return None if token is None or token.uses < 0 else token

    async def by_hash(self, token_hash: str) -> Token | None:
        """The token with this hash, alive; also one that is being used for the last time."""
        token = self._cache.get(token_hash)
        if token is None:
            stored = await self._view.get(f"token/id/{token_hash}")
            if stored is None:
                return None
            token = Token.decoded(json.loads(stored))
            self._keep(token)
        else:
            self._cache.move_to_end(token_hash)
        lease = self._leases.own_lease(token_hash)
        if lease is None:
            # Only a token that never ends has no lease: any other was being revoked when a crash came between.
            return token if not token.ttl else None
        return None if self._leases.has_ended(lease) else token

    async def by_accessor(self, accessor: str) -> Token | None:
        """The token of an accessor, alive."""
        found = await self._view.get(f"token/accessor/{self.hashed(accessor)}") if accessor else None
        return await self.by_hash(found.decode()) if found else None

    def _keep(self, token: Token) -> None:
        self._cache[token.hash] = token
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)

    async def create(self, token: Token, ttl: int, text: str = "") -> str:
        """Store a token, with a lease of `ttl` seconds unless that is 0, in one commit; returns its text.

        `text` is an id that a root asks for. Raises BadRequestError when that id exists.
        """
        if text and await self.find(text) is not None:
            raise BadRequestError("cannot create a token with a duplicate ID")
        if text and (len(text) > MAX_TOKEN_CHARACTERS or text.startswith(PREFIX) or "." in text or not text.isascii()):
            raise BadRequestError("custom token ID cannot have the 'hvs.' prefix, a dot, or be longer than 1024 characters")
        text = text or new_token()
        token.hash, token.ttl = self.hashed(text), ttl
        changes: dict[str, bytes | None] = {
            f"token/id/{token.hash}": token.encoded(),
            f"token/accessor/{self.hashed(token.accessor)}": token.hash.encode(),
        }
        if token.parent:
            changes[f"token/parent/{token.parent}/{token.hash}"] = b"1"
        if ttl:
            lease = StoredLease(new_id(token.path), TOKEN, token.mount, token.hash, is_renewable=token.is_renewable)
            await self._leases.activate(lease, ttl, changes)
        else:
            await self._view.commit(changes)
        self._keep(token)
        return text

    async def use(self, token: Token) -> None:
        """Count a use of a token whose uses are limited; the last one ends it after the request. Raises PermissionDeniedError."""
        async with self._view.lock(f"token/id/{token.hash}"):
            current = await self.by_hash(token.hash)
            if current is None or current.uses < 0:
                raise PermissionDeniedError
            uses = current.uses - 1 or -1
            stored = encoded({**json.loads(current.encoded()), "uses": uses})
            await self._view.put(f"token/id/{token.hash}", stored)
            current.uses = uses

    async def children(self, token_hash: str) -> list[str]:
        """The hashes of the tokens made by a token."""
        return await self._view.list(f"token/parent/{token_hash}/")

    async def revoke(self, token: Token, *, orphan_children: bool = False) -> None:
        """End a token, its descendants (or make its children orphans) and, in the background, their leases."""
        if orphan_children:
            for child in await self.children(token.hash):
                await self._adopt(child)
            await self._end(token.hash)
            return
        # Parents first: a token that is being revoked cannot make further children.
        waiting = [token.hash]
        while waiting:
            token_hash = waiting.pop()
            children = await self.children(token_hash)
            await self._end(token_hash)
            waiting += children

    async def _adopt(self, token_hash: str) -> None:
        stored = await self._view.read(f"token/id/{token_hash}")
        if stored is not None:
            token = Token.decoded(stored)
            changes: dict[str, bytes | None] = {f"token/parent/{token.parent}/{token_hash}": None}
            token.parent, token.is_orphan = "", True
            self._cache.pop(token_hash, None)
            await self._view.commit({**changes, f"token/id/{token_hash}": token.encoded()})

    async def _end(self, token_hash: str) -> None:
        stored = await self._view.read(f"token/id/{token_hash}")
        self._cache.pop(token_hash, None)
        if stored is None:
            return
        token = Token.decoded(stored)
        own, held = self._leases.own_lease(token_hash), self._leases.of_token(token_hash)
        changes: dict[str, bytes | None] = {f"token/id/{token_hash}": None, f"token/accessor/{self.hashed(token.accessor)}": None}
        if token.parent:
            changes[f"token/parent/{token.parent}/{token_hash}"] = None
        if own is not None:
            changes[own.key] = None
        changes |= self._leases.ended_now(held)
        await self._view.commit(changes)
        if own is not None:
            self._leases.drop(own)
        self._leases.wake(held)
        self._cache.pop(token_hash, None)
        await self._dropped(token)

    async def accessors(self) -> list[str]:
        """The accessors of all tokens that live."""
        hashes = await self._view.list("token/id/")
        found = [await self.by_hash(token_hash) for token_hash in hashes]
        return sorted(token.accessor for token in found if token is not None)

    async def tidy(self) -> None:
        """Remove what a crash may have left: tokens without their lease, accessors and parents without their token."""
        for token_hash in await self._view.list("token/id/"):
            if await self.by_hash(token_hash) is None:
                await self._end(token_hash)
        for name in await self._view.list("token/accessor/"):
            found = await self._view.get(f"token/accessor/{name}")
            if found is None or await self._view.get(f"token/id/{found.decode()}") is None:
                await self._view.delete(f"token/accessor/{name}")
        async for key in self._view.walk("token/parent/"):
            if await self._view.get(f"token/id/{key.rpartition('/')[2]}") is None:
                await self._view.delete(key)

"""Tokens: made, looked up, and revoked with everything that hangs on them.

token/id/HASH              the token, by the keyed hash of its text
token/accessor/HASH        the token's hash, by the keyed hash of its accessor
token/parent/PARENT/CHILD  nothing: that CHILD ends with PARENT
wrapping/HASH              the answer that a wrapping token stands for
"""

import asyncio
import json
import os
import secrets
import string
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from svault.auth.token.entry import WRAPPING, Token
from svault.barrier.view import View, encoded
from svault.crypto.keyed import KeyedHash
from svault.errors import BadRequestError, PermissionDeniedError
from svault.leases.lease import TOKEN, StoredLease
from svault.leases.registry import LeaseRegistry, new_id
from svault.logical.clock import Clock

PREFIX = "hvs."
_LETTERS = string.ascii_letters + string.digits
_CACHED = 10_000
_SALT = "token/salt"
MAX_TOKEN_CHARACTERS = 1024
_TOKENS_PER_COMMIT, _LEASES_PER_COMMIT = 50, 200


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
        self._keyed = KeyedHash(b"")
        self._cache: OrderedDict[str, Token] = OrderedDict()
        self._ends = 0
        self._ending: set[str] = set()
        self._hanging: dict[str, set[asyncio.Future[None]]] = {}

    async def start(self) -> None:
        """Load the salt of the hashes."""
        salt = await self._view.get(_SALT)
        if salt is None:
            salt = os.urandom(32)
            await self._view.put(_SALT, salt)
        self._keyed = KeyedHash(salt)

    def hashed(self, text: str) -> str:
        """The name under which a token or accessor is kept."""
        return self._keyed.hexdigest(text.encode())

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
            ends = self._ends
            stored = await self._view.get(f"token/id/{token_hash}")
            if stored is None:
                return None
            token = Token.decoded(json.loads(stored))
            if ends == self._ends:  # else it may have ended while it was read
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

    async def is_known(self, accessor: str) -> bool:
        """Whether a token with this accessor is stored, alive or about to be revoked."""
        return await self._view.get(f"token/accessor/{self.hashed(accessor)}") is not None

    def _keep(self, token: Token) -> None:
        self._cache[token.hash] = token
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)

    async def create(self, token: Token, ttl: int, text: str = "", *, wrapped: bytes | None = None) -> str:
        """Store a token, with a lease of `ttl` seconds unless that is 0, in one commit; returns its text.

        `text` is an id that a root asks for, `wrapped` the answer that a wrapping token stands for. Raises BadRequestError when
        that id exists, PermissionDeniedError when the parent has ended meanwhile.
        """
        if text and (len(text) > MAX_TOKEN_CHARACTERS or text.startswith(PREFIX) or "." in text or not text.isascii()):
            raise BadRequestError("custom token ID cannot have the 'hvs.' prefix, a dot, or be longer than 1024 characters")
        if not text:
            return await self._create(token, ttl, new_token(), wrapped)
        async with self._view.lock(f"token/id/{self.hashed(text)}"):
            if await self._view.get(f"token/id/{self.hashed(text)}") is not None:
                raise BadRequestError("cannot create a token with a duplicate ID")
            return await self._create(token, ttl, text, wrapped)

    async def _create(self, token: Token, ttl: int, text: str, wrapped: bytes | None) -> str:
        token.hash, token.ttl = self.hashed(text), ttl
        changes: dict[str, bytes | None] = {
            f"token/id/{token.hash}": token.encoded(),
            f"token/accessor/{self.hashed(token.accessor)}": token.hash.encode(),
        }
        if token.parent:
            changes[f"token/parent/{token.parent}/{token.hash}"] = b"1"
        if wrapped is not None:
            changes[f"wrapping/{token.hash}"] = wrapped
        if token.parent:
            async with self.hanging_on(token.parent):
                await self._store(token, ttl, changes)
        else:
            await self._store(token, ttl, changes)
        return text

    async def _store(self, token: Token, ttl: int, changes: dict[str, bytes | None]) -> None:
        if ttl:
            lease = StoredLease(new_id(token.path), TOKEN, token.mount, token.hash, is_renewable=token.is_renewable)
            await self._leases.activate(lease, ttl, changes)
        else:
            await self._view.commit(changes)
        self._keep(token)

    @asynccontextmanager
    async def hanging_on(self, token_hash: str) -> AsyncIterator[None]:
        """Store something that ends with a token: its revocation waits. Raises PermissionDeniedError when it has ended."""
        if await self.by_hash(token_hash) is None or token_hash in self._ending:
            raise PermissionDeniedError
        stored = asyncio.get_running_loop().create_future()
        others = self._hanging.setdefault(token_hash, set())
        others.add(stored)
        try:
            yield
        finally:
            stored.set_result(None)
            others.discard(stored)
            if not others:
                self._hanging.pop(token_hash, None)

    async def use(self, token: Token) -> None:
        """Count a use of a token whose uses are limited; the last one ends it after the request. Raises PermissionDeniedError."""
        async with self._view.lock(f"token/id/{token.hash}"):
            current = await self.by_hash(token.hash)
            if current is None or current.uses < 0:
                raise PermissionDeniedError
            uses = current.uses - 1 or -1
            stored = encoded({**json.loads(current.encoded()), "uses": uses})
            await self._view.put(f"token/id/{token.hash}", stored)
            current.uses = token.uses = uses

    async def children(self, token_hash: str) -> list[str]:
        """The hashes of the tokens made by a token."""
        return await self._view.list(f"token/parent/{token_hash}/")

    async def revoke(self, token: Token, *, orphan_children: bool = False) -> None:
        """End a token, its descendants (or make its children orphans) and, in the background, their leases."""
        if orphan_children:
            for child in await self.children(token.hash):
                await self._adopt(child)
            await self._end({token.hash: token.parent})
            return
        await self.revoke_tree(token.hash)

    async def revoke_tree(self, token_hash: str) -> None:
        """End a token and its descendants, also when a crash or a failure came after some of them had ended.

        A tree that fits into one commit ends as a whole; of a larger one the root ends last, so that it can be revoked again.
        """
        parents = {token_hash: ""}
        waiting = [token_hash]
        try:
            while waiting:
                parent = waiting.pop()
                self._ending.add(parent)  # from here on it gets no further children and leases
                if hanging := self._hanging.get(parent):
                    await asyncio.wait(set(hanging))
                children = [child for child in await self.children(parent) if child not in parents]
                parents |= dict.fromkeys(children, parent)
                waiting += children
            leaves_first = list(reversed(parents))
            for start in range(0, len(leaves_first), _TOKENS_PER_COMMIT):
                await self._end({one: parents[one] for one in leaves_first[start : start + _TOKENS_PER_COMMIT]})
        finally:
            self._ending -= parents.keys()

    async def _adopt(self, token_hash: str) -> None:
        stored = await self._view.read(f"token/id/{token_hash}")
        if stored is not None:
            token = Token.decoded(stored)
            changes: dict[str, bytes | None] = {f"token/parent/{token.parent}/{token_hash}": None}
            token.parent, token.is_orphan = "", True
            self._cache.pop(token_hash, None)
            await self._view.commit({**changes, f"token/id/{token_hash}": token.encoded()})

    async def _end(self, parents: Mapping[str, str]) -> None:
        """End tokens, given with their parents, in one commit. Their leases end with them, and are revoked in the background."""
        tokens: list[Token] = []
        changes: dict[str, bytes | None] = {}
        for token_hash, parent in parents.items():
            self._cache.pop(token_hash, None)
            stored = await self._view.read(f"token/id/{token_hash}")
            if parent:
                changes[f"token/parent/{parent}/{token_hash}"] = None
            if stored is not None:
                tokens.append(Token.decoded(stored))
        for token in tokens:
            changes |= {f"token/id/{token.hash}": None, f"token/accessor/{self.hashed(token.accessor)}": None}
            if token.parent:
                changes[f"token/parent/{token.parent}/{token.hash}"] = None
            if WRAPPING in token.policies:
                changes[f"wrapping/{token.hash}"] = None
        held = [lease for token in tokens for lease in self._leases.of_token(token.hash)]
        while len(held) > _LEASES_PER_COMMIT:
            await self._leases.end_now(held[:_LEASES_PER_COMMIT])
            held = held[_LEASES_PER_COMMIT:]
        own = [lease for token in tokens if (lease := self._leases.own_lease(token.hash)) is not None]
        await self._leases.end_now(held, changes | dict.fromkeys((lease.key for lease in own), None))
        self._ends += 1
        for lease in own:
            self._leases.drop(lease)
        for token in tokens:
            self._cache.pop(token.hash, None)
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
                await self.revoke_tree(token_hash)
        for name in await self._view.list("token/accessor/"):
            found = await self._view.get(f"token/accessor/{name}")
            if found is None or await self._view.get(f"token/id/{found.decode()}") is None:
                await self._view.delete(f"token/accessor/{name}")
        async for key in self._view.walk("token/parent/"):
            if await self._view.get(f"token/id/{key.rpartition('/')[2]}") is None:
                await self._view.delete(key)

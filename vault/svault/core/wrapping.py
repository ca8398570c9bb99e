"""Response wrapping: an answer is kept for whoever shows a token that works once. It is stored and ends with its token."""

from typing import Any

from svault.auth.token.entry import WRAPPING, Token
from svault.auth.token.store import TokenStore, new_accessor
from svault.barrier.view import View, encoded
from svault.errors import BadRequestError
from svault.logical.clock import Clock, rfc3339

_INVALID = "wrapping token is not valid or does not exist"


class Wrapping:
    """Belongs to an unsealed vault."""

    def __init__(self, view: View, clock: Clock, tokens: TokenStore) -> None:
        self._view = view
        self._clock = clock
        self._tokens = tokens

    async def wrap(self, body: dict[str, Any], ttl: int, path: str, wrapped_accessor: str = "") -> dict[str, Any]:
        """Keep a body and return the `wrap_info` that is sent instead of it."""
        token = Token("", new_accessor(), [WRAPPING], path, self._clock.time(), uses=1, is_orphan=True, explicit_max_ttl=ttl)
        token.is_renewable = False
        kept = encoded({"body": body, "ttl": ttl, "path": path, "created": token.created})
        text = await self._tokens.create(token, ttl, wrapped=kept)
        info: dict[str, Any] = {
            "token": text,
            "accessor": token.accessor,
            "ttl": ttl,
            "creation_time": rfc3339(token.created),
            "creation_path": path,
        }
        if wrapped_accessor:
            info["wrapped_accessor"] = wrapped_accessor
        return info

    async def _kept(self, text: str) -> tuple[Token, dict[str, Any]]:
        token = await self._tokens.by_hash(self._tokens.hashed(text)) if text else None
        kept = await self._view.read(f"wrapping/{token.hash}") if token and token.policies == [WRAPPING] else None
        if token is None or kept is None:
            raise BadRequestError(_INVALID)
        return token, kept

    async def unwrap(self, text: str) -> dict[str, Any]:
        """The kept body; the token is used up. Raises BadRequestError the second time."""
        async with self._view.lock(f"wrapping/{self._tokens.hashed(text)}"):
            token, kept = await self._kept(text)
            await self._tokens.revoke(token)
        body: dict[str, Any] = kept["body"]
        return body

    async def lookup(self, text: str) -> dict[str, Any]:
        """When and for which path something was wrapped; the token is not used up. Raises BadRequestError."""
        _, kept = await self._kept(text)
        return {"creation_path": kept["path"], "creation_time": rfc3339(kept["created"]), "creation_ttl": kept["ttl"]}

    async def rewrap(self, text: str) -> dict[str, Any]:
        """Keep the same body under a new token; the old one is used up. Returns the new `wrap_info`."""
        async with self._view.lock(f"wrapping/{self._tokens.hashed(text)}"):
            token, kept = await self._kept(text)
            info = await self.wrap(kept["body"], kept["ttl"], kept["path"])
            await self._tokens.revoke(token)
        return info

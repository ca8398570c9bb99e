"""How the rest of the product asks a vault: in this process, over a socket of the workspace, or at an address."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from svault.core.call import Answer, Call
from svault.core.core import Core
from svault.errors import (
    BadRequestError,
    InternalError,
    NotFoundError,
    PermissionDeniedError,
    SealedError,
    UnsupportedOperationError,
    VaultError,
)

if TYPE_CHECKING:
    import httpx2

_BY_STATUS: Mapping[int, type[VaultError]] = {
    400: BadRequestError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: UnsupportedOperationError,
    503: SealedError,
}

_WITHOUT_BODY = frozenset({"GET", "HEAD", "LIST", "DELETE"})


class VaultClient(Protocol):
    """Asks one vault with one token."""

    async def request(
        self, method: str, path: str, data: Mapping[str, Any] | None = None, *, wrap_ttl: int = 0
    ) -> dict[str, Any]:
        """The answer's body (`{}` for none). `path` is what stands after `/v1/`, `method` an HTTP method or LIST.

        Raises the VaultError of the answer's status.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


def checked(answer: Answer) -> dict[str, Any]:
    """An answer's body. Raises the VaultError of its status."""
    body = dict(answer.body or {})
    if answer.raw and "json" in answer.content_type:
        body = json.loads(answer.raw)
    if answer.status >= 400:
        errors = [str(one) for one in body.get("errors") or ()]
        error = _BY_STATUS.get(answer.status, InternalError)(*errors)
        error.data = body.get("data")
        raise error
    return body


class LocalClient:
    """A vault in this process."""

    def __init__(self, core: Core, token: str) -> None:
        self._core = core
        self._token = token

    async def request(
        self, method: str, path: str, data: Mapping[str, Any] | None = None, *, wrap_ttl: int = 0
    ) -> dict[str, Any]:
        """See VaultClient."""
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        call = Call(method, path, dict(data or {}), self._token, wrap_ttl=wrap_ttl, content_type=content_type)
        call.remote_address = "127.0.0.1"
        return checked(await self._core.handle(call))

    async def aclose(self) -> None:
        """Nothing: the core belongs to whoever opened it."""


class HttpClient:
    """A vault at an address, or behind a socket of the workspace."""

    def __init__(self, client: "httpx2.AsyncClient", token: str) -> None:
        self._client = client
        self._token = token

    async def request(
        self, method: str, path: str, data: Mapping[str, Any] | None = None, *, wrap_ttl: int = 0
    ) -> dict[str, Any]:
        """See VaultClient. Raises SealedError also when nobody answers."""
        import httpx2  # noqa: PLC0415 - whoever has the vault in its own process needs no client

        headers = {"X-Vault-Token": self._token}
        if wrap_ttl:
            headers["X-Vault-Wrap-TTL"] = str(wrap_ttl)
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        in_query = method in _WITHOUT_BODY
        try:
            found = await self._client.request(
                method,
                f"/v1/{quote(path)}",
                params=dict(data) if data and in_query else None,
                json=dict(data) if data and not in_query else None,
                headers=headers,
            )
        except httpx2.HTTPError:
            raise SealedError("the vault does not answer", hint="see whether it runs: prov vault status") from None
        try:
            body = found.json() if found.content else {}
        except ValueError:
            body = {}
        return checked(Answer(found.status_code, body))

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.aclose()

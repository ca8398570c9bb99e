"""Requests to a vault that another process has: passed on to its socket as they came."""

from typing import TYPE_CHECKING

from svault.core.call import Answer
from svault.errors import BadRequestError, SealedError, TooLargeError, VaultError
from svault.http.app import MAX_BODY_BYTES, PREFIX, Receive, Scope, Send, send_answer

if TYPE_CHECKING:
    import httpx2

_OF_ONE_CONNECTION = frozenset(
    {b"host", b"connection", b"content-length", b"transfer-encoding", b"keep-alive", b"te", b"upgrade"}
)


class PassingApp:
    """The ASGI application in front of another process's vault."""

    def __init__(self, client: "httpx2.AsyncClient") -> None:
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the other process does; 503 when it does not."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._passed(scope, receive)
        except VaultError as error:
            answer = Answer.of(error)
        await send_answer(answer, scope, send)

    async def _passed(self, scope: Scope, receive: Receive) -> Answer:
        import httpx2  # noqa: PLC0415 - only who has no vault of its own

        if not scope["path"].startswith(PREFIX):
            raise BadRequestError(f"the API begins at {PREFIX}")
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        headers = [(name, value) for name, value in scope["headers"] if name not in _OF_ONE_CONNECTION]
        try:
            found = await self._client.request(
                scope["method"], httpx2.URL("http://vault", raw_path=target), headers=headers, content=await _body(receive)
            )
        except httpx2.HTTPError:
            raise SealedError("the process that has the vault does not answer", hint="try again") from None
        return Answer(found.status_code, raw=found.content, content_type=found.headers.get("content-type", "application/json"))


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise TooLargeError("error reading request body: http: request body too large")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)

"""Vault's HTTP API as an ASGI application: everything under `/v1/` becomes a `Call`, everything else is 404.

Plain ASGI, since there is one route and each microsecond of it counts for every secret.
"""

import json
import math
import ssl
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from pydantic_core import PydanticSerializationError, to_json

from svault.core.call import Answer, Call
from svault.core.core import Core
from svault.engines.values import MAX_DEPTH, check_depth
from svault.errors import BadRequestError, NotFoundError, TooLargeError, VaultError
from svault.http.forwarding import Forwarder
from svault.http.origin import with_origin
from svault.logical.durations import parse_duration

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MAX_BODY_BYTES = 32 << 20
PREFIX = "/v1/"
_NO_BODY = {204, 304}
_JSON = b"content-type", b"application/json"
_NOT_KEPT = b"cache-control", b"no-store"


class VaultApp:
    """The ASGI application of one vault."""

    def __init__(self, core: Core, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._core = core
        self._max_body_bytes = max_body_bytes
        self._forwarder = Forwarder(core)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a lifespan is for whoever runs the server."""
        if scope["type"] != "http":
            return
        try:
            call, body = await read_call(scope, receive, self._max_body_bytes)
            call = with_origin(self._core, call)
            answer = await self._forwarder.answer(call, scope, body) if self._core.is_standby else None
            answer = answer or await self._core.handle(call)
        except VaultError as error:
            answer = Answer.of(error)
        await send_answer(answer, scope, send)

    async def aclose(self) -> None:
        """Close what forwarding opened."""
        await self._forwarder.aclose()


async def read_call(scope: Scope, receive: Receive, max_body_bytes: int = MAX_BODY_BYTES) -> tuple[Call, bytes]:
    """The call that a request is, and its body. Raises NotFoundError, BadRequestError, TooLargeError."""
    path: str = scope["path"]
    if not path.startswith(PREFIX):
        raise NotFoundError(f"the API begins at {PREFIX}")
    path = path[len(PREFIX) :]
    if "\x00" in path or ".." in path.split("/") or not path.isprintable():
        raise BadRequestError("path must not contain '..' or characters that cannot be printed")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if len(headers) < len(scope["headers"]) and sum(name == b"x-vault-token" for name, _ in scope["headers"]) > 1:
        raise BadRequestError("the header X-Vault-Token was sent more than once")
    method: str = scope["method"]
    body = await _body(headers, receive, max_body_bytes)
    if method in {"GET", "HEAD", "DELETE", "LIST", "SCAN"} and not body:
        query: bytes = scope["query_string"]
        data: dict[str, Any] = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
        if method == "GET" and query and data.get("list", "").lower() in {"true", "1"}:
            method = "LIST"
    else:
        data = _json(body)
    client = scope.get("client") or ("", 0)
    call = Call(
        method,
        path,
        data,
        headers.get("x-vault-token", "").strip() or _bearer(headers.get("authorization", "")),
        headers,
        client[0],
        client[1],
        _wrap_ttl(headers.get("x-vault-wrap-ttl", "")),
        headers.get("content-type", ""),
        _certificate(scope),
    )
    return call, body


async def _body(headers: dict[str, str], receive: Receive, max_body_bytes: int) -> bytes:
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_body_bytes:
        raise TooLargeError("error reading request body: http: request body too large")
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequestError("error reading request body: unexpected EOF")  # what came so far may mean something else
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > max_body_bytes:
            raise TooLargeError("error reading request body: http: request body too large")
        more = message.get("more_body", False)
    return b"".join(parts)


def _json(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        data = _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        where = f" at byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadRequestError(f"failed to decode JSON input: invalid JSON{where}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise BadRequestError("failed to decode JSON input: an object is expected")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        check_depth(data)
    if b"\\ud" in body.lower() and not _is_text(data):
        raise BadRequestError("failed to decode JSON input: half of a surrogate pair is no text")
    return data


def _refused(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which Python reads, are no JSON


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("out of range")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refused, parse_float=_finite)


def _is_text(data: Any) -> bool:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _wrap_ttl(header: str) -> int:
    if not header:
        return 0
    ttl = parse_duration(header, "X-Vault-Wrap-TTL")
    if ttl < 0:
        raise BadRequestError("requested wrap ttl cannot be negative")
    return ttl


def _certificate(scope: Scope) -> bytes | None:
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain") or ()
    return ssl.PEM_cert_to_DER_cert(chain[0]) if chain else None


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return to_json(body)
    except PydanticSerializationError:  # deep nesting, or text that is not Unicode: slower, and escaped
        return json.dumps(body, separators=(",", ":")).encode()


async def send_answer(answer: Answer, scope: Scope, send: Send) -> None:
    """Send an answer over HTTP."""
    if answer.raw is not None:
        body = answer.raw
    elif answer.body is not None and answer.status not in _NO_BODY:
        body = _encoded(answer.body) + b"\n"
    else:
        body = b""
    headers = [_JSON if answer.content_type == "application/json" else (b"content-type", answer.content_type.encode()), _NOT_KEPT]
    if answer.headers:
        headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    if answer.status not in _NO_BODY:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

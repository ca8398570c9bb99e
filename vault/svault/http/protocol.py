"""HTTP/1.1 on one connection: uvicorn's, with what a vault needs besides.

- Vault's method LIST, which the parser does not know, also SCAN;
- the client's certificate, for the application: `scope["extensions"]["tls"]` (asgi.readthedocs.io, TLS extension);
- limits on the size of a request's head and on how long a request may take to arrive;
- the small requests that are most of a vault's are answered with less work (`exchange`).
"""

import asyncio
import ssl
from typing import Any, NamedTuple, cast
from urllib.parse import unquote

from httptools import parse_url
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from svault.http.exchange import Exchange

MAX_HEAD_BYTES = 1 << 20
"""As Go's server, on which Vault is built."""


class Patience(NamedTuple):
    """How long is waited for a client, in seconds."""

    first: float = 10.0
    """From the connection (after TLS) to the end of the first request."""
    request: float = 30.0
    """From the first byte of a request to its last: Vault's `http_read_timeout`."""


_SPELLED = {b"LIST ": b"LINK ", b"SCAN ": b"BIND "}
_MEANT = {spelled.strip().decode(): method.strip().decode() for method, spelled in _SPELLED.items()}
"""Methods of WebDAV that the parser knows and that no vault answers stand for Vault's own."""
_LONGEST = 5
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 32\r\nconnection: close\r\n\r\nThe head of the request is large"
)


PATIENCE = Patience()
SMALL_BYTES = 1 << 16
"""A body up to here is waited for before the application is called; uvicorn streams larger ones."""
_FRAMING = {b"content-length", b"transfer-encoding", b"expect", b"upgrade"}


class VaultProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, patience: Patience = PATIENCE, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = patience
        self._tls: dict[object, object] | None = None
        self._head_bytes = 0
        self._is_in_head = self._is_in_body = False
        self._held = b""
        self._deadline: asyncio.TimerHandle | None = None
        self._framing: dict[bytes, bytes] = {}
        self._exchange: Exchange | None = None
        self._idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """A client has connected."""
        super().connection_made(transport)
        self._tls = _tls(transport)
        self._deadline = self.loop.call_later(self._patience.first, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._in_time()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more requests."""
        if not (self._is_in_head or self._is_in_body):
            data, self._held = self._held + data, b""
            if len(data) < _LONGEST and any(method.startswith(data) for method in _SPELLED):
                self._held = data
                return
            spelled = _SPELLED.get(data[:_LONGEST])
            if spelled is not None:
                data = spelled + data[_LONGEST:]
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.write(_TOO_LARGE)
                self.transport.close()
                return
        if not (self._is_in_head or self._is_in_body):
            self._in_time()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self._patience.request, self._late)

    def on_message_begin(self) -> None:
        """The parser: a request begins."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        self._framing = {}
        if self._tls is not None:
            self.scope["extensions"] = {"tls": self._tls}

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser: a line of the head."""
        name = name.lower()
        if name in _FRAMING:
            self._framing[name] = value
            self.expect_100_continue |= name == b"expect" and value.lower() == b"100-continue"
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The parser: the head is complete."""
        self._is_in_head, self._is_in_body = False, True
        self._exchange = self._prepared() if self._is_small() else None
        if self._exchange is not None:
            self.cycle = cast("Any", self._exchange)  # uvicorn's methods see it in the place of their own
        else:
            super().on_headers_complete()
            self.scope["method"] = _MEANT.get(self.scope["method"], self.scope["method"])

    def _is_small(self) -> bool:
        """Whether the request is one for an Exchange: small, said to be so, and the only one on its way here."""
        framing, limit = self._framing, self.limit_concurrency
        if framing and (len(framing) > 1 or int(framing.get(b"content-length", SMALL_BYTES + 1)) > SMALL_BYTES):
            return False
        if self._is_busy():
            return False
        if limit is not None and (len(self.connections) >= limit or len(self.tasks) >= limit):
            return False
        parser: Any = self.parser  # uvicorn has none behind the connection's end
        return not parser.should_upgrade() and parser.get_http_version() == "1.1"

    def _is_busy(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _prepared(self) -> Exchange:
        url = parse_url(self.url)
        path: str = url.path.decode("ascii")
        parser: Any = self.parser
        method: str = parser.get_method().decode("ascii")
        scope = cast("dict[str, Any]", self.scope)
        scope["method"] = _MEANT.get(method, method)
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        return Exchange(self, scope, keep_alive=parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        """The parser: a part of the body."""
        if self._exchange is not None:
            self._exchange.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The parser: the body is complete."""
        self._is_in_body = False
        if self._exchange is not None:
            self._exchange.begin(self.app)
        else:
            super().on_message_complete()

    # One timer watches over an idle connection: setting one a request would cost more than much of the request.

    def on_response_complete(self) -> None:
        """An answer was sent."""
        self._idle_since = self.loop.time()
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if nothing has come on it for so long."""
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if self._idle_since and left <= 0:
            self._late()
        elif self._idle_since:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = 0.0

    def _late(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _tls(transport: asyncio.Transport) -> dict[object, object] | None:
    wire: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if wire is None:
        return None
    certificate = wire.getpeercert(binary_form=True)
    return {
        "server_cert": None,
        "client_cert_chain": (ssl.DER_cert_to_PEM_cert(certificate),) if certificate else (),
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}.get(wire.version() or ""),
        "cipher_suite": None,
    }

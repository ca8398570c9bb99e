"""An HTTP proxy on loopback before a server, which misbehaves as it is told:

    with FaultyProxy(endpoint) as proxy:
        proxy.add(answers("Action=CreateVpc", 503, "<busy/>"))          # instead of the server, once
        proxy.add(drops("Action=RunInstances"))                          # the server does it, nobody hears of it
        proxy.add(refuses("PUT /bucket"))                                # the connection ends before anything is done
        proxy.add(rewrites("Action=DescribeInstances", b"running", b"pending", times=3))
        proxy.add(Fault("GET /slow", delay=0.5))

A fault matches a request whose first line (`GET /path`), headers or body hold its text; the first that fits and has any `times`
left is used up. `proxy.requests` has every request that came.
"""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

FOREVER = 1 << 30
_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "content-length"})


@dataclass(frozen=True)
class Request:
    """A request as it came. `text` is all of it: first line, headers, body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        lines = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join(lines) + "\n\n" + self.body.decode(errors="replace")


@dataclass(frozen=True)
class Answer:
    """An answer as it goes out."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What happens to requests that hold `match`.

    `delay` seconds pass first. Then `respond` answers in the server's place; `is_refused` ends the connection before the server
    hears of it; `is_dropped` after the server has done it; `rewrite` changes what the server answers.
    """

    match: str
    times: int = 1
    delay: float = 0.0
    respond: Callable[[Request], Answer] | None = None
    rewrite: Callable[[Answer], Answer] | None = None
    is_refused: bool = False
    is_dropped: bool = False
    used: int = 0


def answers(match: str, status: int, body: str, *, content_type: str = "text/xml", times: int = 1) -> Fault:
    """Answer in the server's place."""
    told = Answer(status, body.encode(), {"Content-Type": content_type})
    return Fault(match, times, respond=lambda _: told)


def drops(match: str, *, times: int = 1) -> Fault:
    """The server does it; the answer is lost."""
    return Fault(match, times, is_dropped=True)


def refuses(match: str, *, times: int = 1) -> Fault:
    """The connection ends before the server hears of it."""
    return Fault(match, times, is_refused=True)


def rewrites(match: str, before: bytes, after: bytes, *, times: int = 1) -> Fault:
    """The server's answer with other bytes: it lies."""
    return Fault(match, times, rewrite=lambda told: Answer(told.status, told.body.replace(before, after), told.headers))


class FaultyProxy:
    """The proxy; `url` is where it listens."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # headers and body go out as two writes

            def _any(self) -> None:
                proxy._handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _any  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, *faults: Fault) -> None:
        """Misbehave like that from now on."""
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        """Behave from now on."""
        with self._lock:
            self._faults.clear()

    def asked(self, text: str) -> list[Request]:
        """The requests that hold a text."""
        return [one for one in self.requests if text in one.text]

    def __enter__(self) -> "FaultyProxy":  # noqa: PYI034 - nobody subclasses it
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _fault_for(self, request: Request) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.used < fault.times and fault.match in request.text:
                    fault.used += 1
                    return fault
        return None

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        headers = dict(handler.headers.items())
        if headers.get("Expect", "").lower() == "100-continue":
            handler.send_response_only(100)
            handler.end_headers()
        request = Request(handler.command, handler.path, headers, handler.rfile.read(length))
        self.requests.append(request)
        fault = self._fault_for(request)
        if fault is None:
            _reply(handler, self._forward(request))
            return
        if fault.delay:
            sleep(fault.delay)
        if fault.is_refused:
            handler.close_connection = True
            handler.connection.close()
            return
        answer = fault.respond(request) if fault.respond else self._forward(request)
        if fault.is_dropped:
            handler.close_connection = True
            handler.connection.close()
            return
        _reply(handler, fault.rewrite(answer) if fault.rewrite else answer)

    def _forward(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in {*_HOP, "expect"}}
            connection.request(request.method, request.path, request.body or None, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()


def _reply(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response_only(answer.status)
    for name, value in answer.headers.items():
        if name.lower() not in _HOP:
            handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(answer.body)

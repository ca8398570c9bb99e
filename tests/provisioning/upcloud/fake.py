"""A stateful UpCloud on loopback. Its answers are copies of recorded ones with the names, sizes and labels of the request.

What takes time at UpCloud takes looks here: `lag` GETs of an object until its state changes. `faults` are used up first to last.
"""

import base64
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.provisioning.upcloud import fake_balancers, fake_objects
from tests.provisioning.upcloud.fake_store import RefusedError, Request, Store

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
USERNAME, PASSWORD, TOKEN = "tester", "correct-horse", "ucat_0123456789"


@dataclass
class Fault:
    """What goes wrong with requests of a method whose path matches, so many times.

    `status` is answered at once, nothing is done; without one the request is done and no answer comes: the connection ends
    (`hang` False), or stays open until the fake stops.
    """

    method: str
    path: str
    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    hang: bool = False

    def takes(self, request: Request) -> bool:
        return self.times > 0 and self.method == request.method and re.fullmatch(self.path, request.path) is not None


class FakeUpCloud:
    """The server; `with FakeUpCloud() as fake: fake.endpoint`."""

    def __init__(self, lag: int = 1) -> None:
        self.store = Store(lag)
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._end = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # an answer in one packet: else each waits for an acknowledgement

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

            def answer(self) -> None:
                fake._handle(self)

        for verb in VERBS:
            setattr(Handler, f"do_{verb}", Handler.answer)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def objects(self, lineage: str) -> Counter[str]:
        """How many objects of each kind carry a lineage."""
        with self._lock:
            return self.store.count(lineage)

    def sent(self, method: str, path: str = ".*") -> list[Request]:
        """The requests of a method whose path matches."""
        return [one for one in self.requests if one.method == method and re.fullmatch(path, one.path)]

    def _handle(self, http: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(http.path)
        length = int(http.headers.get("Content-Length") or 0)
        raw = http.rfile.read(length) if length else b""
        request = Request(
            http.command, parts.path.removeprefix("/1.3"), parse_qsl(parts.query), json.loads(raw) if raw else None, http.path
        )
        with self._lock:
            self.requests.append(request)
            fault = next((one for one in self.faults if one.takes(request)), None)
            if fault:
                fault.times -= 1
            if fault and fault.status:
                status, body, headers = fault.status, fault.body, fault.headers
            else:
                status, body = self._answer(http.headers.get("Authorization", ""), request)
                headers = {}
        if fault and not fault.status:
            if fault.hang:
                self._end.wait()
            http.close_connection = True
            return
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        http.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(content))}.items():
            http.send_header(name, value)
        http.end_headers()
        http.wfile.write(content)

    def _answer(self, authorization: str, request: Request) -> tuple[int, Any]:
        basic = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if authorization not in {f"Basic {basic}", f"Bearer {TOKEN}"}:
            words = "Authentication failed using the given username and password."
            return 401, {"error": {"error_code": "AUTHENTICATION_FAILED", "error_message": words}}
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, request.path.rstrip("/"))
            if match and method == request.method:
                try:
                    return handler(self.store, request, *match.groups())
                except RefusedError as refused:
                    return refused.status, refused.body
        return 404, {"error": {"error_code": "NOT_FOUND", "error_message": f"No such resource {request.path}."}}


Handler = Callable[..., tuple[int, Any]]
ROUTES: tuple[tuple[str, str, Handler], ...] = (*fake_objects.ROUTES, *fake_balancers.ROUTES)

"""One-time pages on loopback: a person types a secret in, or reads one, and no model or shell history has it.

The address holds 256 random bits. A page lives five minutes and does its work once; then its server is gone. Other pages of the
browser cannot use it: they do not know the address, and Host, Origin and the content policy are checked.
"""

import asyncio
import hmac
import html
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import structlog

from prov_server.vault.words import WORDS, language
from stratumops.errors import StratumError

log = structlog.get_logger(__name__)

LIFE_SECONDS = 300.0
MAX_BODY_BYTES = 1 << 20
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}"
    "textarea,input,button{font:inherit;width:100%;box-sizing:border-box;margin:.5rem 0;padding:.5rem}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid;padding:.5rem}code{overflow-wrap:anywhere}"
)


@dataclass(frozen=True, slots=True)
class Asking:
    """A person types one value; `keep` stores it."""

    handle: str
    keep: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Showing:
    """A person reads values by their handles."""

    values: Mapping[str, str] = field(repr=False)


Work = Asking | Showing


class Page:
    """One page and its server. `done` is set when its work was done, or its time is over; `is_used` tells which."""

    def __init__(self, work: Work, *, seconds: float = LIFE_SECONDS) -> None:
        self._work = work
        self._seconds = seconds
        self._secret = secrets.token_urlsafe(32)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._socket.getsockname()[1]
        self._lock = asyncio.Lock()
        self._listener: Any = None
        self._task: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self.done = asyncio.Event()
        self.is_used = False

    @property
    def url(self) -> str:
        """Where it is. Whoever knows this address can use the page."""
        return f"http://127.0.0.1:{self._port}/{self._secret}"

    async def start(self) -> None:
        """Answer from now on."""
        from svault.http.listener import Listener  # noqa: PLC0415 - an HTTP server, for the few who need a page

        self._listener = Listener(self, self._socket)
        await self._listener.start()
        self._task = asyncio.create_task(self._live(), name="one-time page")

    async def closed(self) -> None:
        """Return when the page has ended."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def aclose(self) -> None:
        """End the page now."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            # A task that was cancelled before it began, or while it ended, has not ended everything.
            await self._stop()

    async def _live(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self.done.wait()
        except TimeoutError:
            pass
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Answer what is under way, and end."""
        self.done.set()
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._listener.stop())
        await asyncio.shield(self._stopping)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI application."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        words = WORDS[language(headers.get("accept-language", ""))]
        status, body = await self._answer(scope, headers, receive, words)
        nonce = secrets.token_urlsafe(16)
        await _send(send, status, _document(words, body, nonce), nonce)

    async def _answer(
        self, scope: Any, headers: Mapping[str, str], receive: Any, words: Mapping[str, str]
    ) -> tuple[int, tuple[str, str]]:
        gone = words["gone_title"], f"<p>{html.escape(words['gone'])}</p>"
        origin = f"http://127.0.0.1:{self._port}"
        is_ours = headers.get("host") == origin.removeprefix("http://") and headers.get("origin", origin) == origin
        path = scope["path"].removeprefix("/").encode("utf-8", "surrogatepass")
        if not is_ours or headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return 403, gone
        if not hmac.compare_digest(path, self._secret.encode()) or self.done.is_set():
            return 404, gone
        if scope["method"] in {"GET", "HEAD"}:
            return 200, self._form(words)
        if scope["method"] != "POST":
            return 405, gone
        return await self._work_done(await _body(receive), words, gone)

    async def _work_done(
        self, body: bytes | None, words: Mapping[str, str], gone: tuple[str, str]
    ) -> tuple[int, tuple[str, str]]:
        async with self._lock:
            if self.done.is_set():
                return 404, gone
            if isinstance(self._work, Showing):
                self.is_used = True
                self.done.set()
                rows = "".join(
                    f"<p><code>{html.escape(handle)}</code></p><pre>{html.escape(value)}</pre>"
                    for handle, value in self._work.values.items()
                )
                return 200, (words["show_title"], f"{rows}<p>{html.escape(words['shown'])}</p>")
            value = _typed(body)
            if not value:
                title, form = self._form(words)
                return 400, (title, f"<p><strong>{html.escape(words['empty'])}</strong></p>{form}")
            try:
                await self._work.keep(value)
            except StratumError as error:
                log.warning("page_failed", handle=self._work.handle, code=error.code)
                self.done.set()
                return 502, (words["ask_title"], f"<p>{html.escape(words['failed'])}</p>")
            self.is_used = True
            self.done.set()
            return 200, (words["ask_title"], f"<p>{html.escape(words['kept'])}</p>")

    def _form(self, words: Mapping[str, str]) -> tuple[str, str]:
        if isinstance(self._work, Showing):
            names = "".join(f"<p><code>{html.escape(handle)}</code></p>" for handle in self._work.values)
            return words["show_title"], (
                f"{names}<p>{html.escape(words['show'])}</p>"
                f'<form method="post"><button autofocus>{html.escape(words["show_button"])}</button></form>'
            )
        return words["ask_title"], (
            f"<p><code>{html.escape(self._work.handle)}</code></p><p>{html.escape(words['ask'])}</p>"
            '<form method="post" autocomplete="off">'
            f'<input type="password" name="value" autofocus autocomplete="off" aria-label="{html.escape(words["ask_title"])}">'
            f'<details><summary>{html.escape(words["lines"])}</summary><textarea name="lines" rows="8"></textarea></details>'
            f"<button>{html.escape(words['ask_button'])}</button></form>"
        )


class Pages:
    """The pages of one process."""

    def __init__(self) -> None:
        self._open: set[Page] = set()

    async def open(self, work: Work) -> Page:
        """A new page, answering already. Those that have ended are forgotten."""
        self._open = {page for page in self._open if not page.done.is_set()}
        page = Page(work)
        await page.start()
        self._open.add(page)
        return page

    async def aclose(self) -> None:
        """End all of them."""
        pages, self._open = self._open, set()
        await asyncio.gather(*(page.aclose() for page in pages))


def _typed(body: bytes | None) -> str:
    if body is None:
        return ""
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=2)
    except ValueError:
        return ""
    return (fields.get("value", [""])[0] or fields.get("lines", [""])[0]).replace("\r\n", "\n")


async def _body(receive: Any) -> bytes | None:
    """The whole body; None for one that is too large or was not sent to its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _document(words: Mapping[str, str], body: tuple[str, str], nonce: str) -> bytes:
    lang = next(name for name, one in WORDS.items() if one is words)
    title, content = body
    text = (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style nonce="{nonce}">{_STYLE}</style></head>'
        f"<body><h1>{html.escape(title)}</h1>{content}</body></html>"
    )
    return text.encode()


async def _send(send: Any, status: int, body: bytes, nonce: str) -> None:
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-length": str(len(body)),
        "content-security-policy": policy,
        "cache-control": "no-store",
        # With "no-referrer" a browser would call the origin of our own form "null".
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-resource-policy": "same-origin",
        "connection": "close",
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})

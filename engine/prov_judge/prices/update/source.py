"""One place that prices are fetched from: one host, https, bounded answers, patient with a busy server.

HTTP semantics: RFC 9110 (Retry-After, If-Range, ranges, redirects).
"""

import contextlib
import email.utils
import ipaddress
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from stratumops.errors import ExternalError, InvalidInputError, UnavailableError

if TYPE_CHECKING:
    import httpx2

ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 120
MAX_REDIRECTS = 5
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""Of an index or a page; price files are streamed."""
_BUSY = frozenset({429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_AGAIN = "what was fetched is kept: run the same command again later"


class Source:
    """A host that publishes prices. Use it as a context manager; its methods raise ExternalError or UnavailableError.

    `pause` waits between two attempts (seconds); a document has `most_bytes` at most.
    """

    def __init__(
        self, base_url: str, *, pause: Callable[[float], None] = time.sleep, most_bytes: int = MAX_DOCUMENT_BYTES
    ) -> None:
        import httpx2  # noqa: PLC0415 - only an update speaks HTTP

        self.base = _checked(base_url)
        self._pause = pause
        self._most_bytes = most_bytes
        is_loopback = self.base.scheme == "http"
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(60, connect=10),
            headers={"Accept-Encoding": "identity", "User-Agent": "stratumops-prices"},
            follow_redirects=False,
            trust_env=not is_loopback,  # a proxy of the environment cannot reach our own loopback
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def address(self, link: str) -> str:
        """A path or link that the host published, as an address on that host. Raises ExternalError when it leads elsewhere."""
        import httpx2  # noqa: PLC0415 - as above

        try:
            url = self.base.join(link)
        except (httpx2.InvalidURL, ValueError):
            raise ExternalError(f"{self.base.host} names a link that is none: {link[:80]!r}", hint=_AGAIN) from None
        if _origin(url) != _origin(self.base):
            raise ExternalError(
                f"{self.base.host} leads to another host: {url.host or link[:80]}",
                hint="prices are taken from the one host that was named; name the other one with --base-url if you trust it",
                host=url.host,
            )
        return str(url)

    def document(self, link: str) -> Any:
        """A JSON document, asked for again when its end is missing; numbers with a point are exact Decimals."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                data = self._read(link)
                break
            except UnavailableError as error:
                if attempt == ATTEMPTS or not error.details.get("has_begun"):
                    raise
                self._pause(2.0 ** (attempt - 1))
        else:
            raise AssertionError("the last attempt returns or raises")
        try:
            return json.loads(data, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise ExternalError(
                f"{self.base.host} answered something else than JSON", hint="is that the right --base-url?", link=link
            ) from None

    def _read(self, link: str) -> bytearray:
        with self.opened(link) as answer:
            data = bytearray()
            for chunk in answer.iter_raw():
                data += chunk
                if len(data) > self._most_bytes:
                    raise ExternalError(
                        f"{answer.url.path} has more than {self._most_bytes:,} bytes", hint="is that the right --base-url?"
                    )
        return data

    @contextlib.contextmanager
    def opened(self, link: str, headers: dict[str, str] | None = None) -> "Iterator[httpx2.Response]":
        """A successful answer whose body has not been read; a busy host is asked again.

        A body whose end is missing is an UnavailableError with `has_begun` in its details.
        """
        import httpx2  # noqa: PLC0415 - as above

        answer = self._asked(self.address(link), headers or {})
        try:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise ExternalError(f"{self.base.host} packs its answer, unasked", hint="is a proxy in between?")
            yield answer
        except httpx2.TransportError as error:
            raise UnavailableError(
                f"the connection to {self.base.host} broke ({_why(error)})", hint=_AGAIN, has_begun=True
            ) from None
        finally:
            answer.close()

    def _asked(self, address: str, headers: dict[str, str]) -> "httpx2.Response":
        import httpx2  # noqa: PLC0415 - as above

        moves, said = 0, ""
        attempt = 1
        while True:
            wait: float | None = None
            try:
                answer = self._client.send(self._client.build_request("GET", address, headers=headers), stream=True)
            except httpx2.TransportError as error:
                said = f"{self.base.host} cannot be reached ({_why(error)})"
            else:
                if answer.is_success:
                    return answer
                answer.close()
                if answer.status_code in _MOVED and moves < MAX_REDIRECTS:
                    moves += 1
                    address = self.address(str(answer.url.join(answer.headers.get("location", ""))))
                    continue
                said = f"{self.base.host} answered {answer.status_code} to {answer.url.path}"
                if answer.status_code not in _BUSY:
                    raise ExternalError(said, hint="is that the right --base-url?", status=answer.status_code)
                wait = _retry_after(answer.headers.get("retry-after", ""))
            if attempt == ATTEMPTS or (wait or 0) > LONGEST_WAIT_SECONDS:
                asks = f" and asks for {wait:,.0f} seconds" if wait else ""
                raise UnavailableError(said + asks, hint=_AGAIN)
            self._pause(2.0 ** (attempt - 1) if wait is None else wait)
            attempt += 1


def _checked(base_url: str) -> "httpx2.URL":
    import httpx2  # noqa: PLC0415 - as above

    try:
        url = httpx2.URL(base_url.rstrip("/") + "/")
    except (httpx2.InvalidURL, ValueError):
        url = httpx2.URL("")
    if url.host and not url.userinfo and (url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host))):
        return url
    raise InvalidInputError(
        f"{base_url[:80]!r} is no address that prices are fetched from",
        hint="use https://HOST, without a user name; http only for 127.0.0.1, ::1 and localhost",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: "httpx2.URL") -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or {"https": 443, "http": 80}.get(url.scheme, 0)


def _retry_after(header: str) -> float | None:
    """Seconds to wait: a number, or until a date."""
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        return max((email.utils.parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _why(error: Exception) -> str:
    return str(error)[:120] or type(error).__name__

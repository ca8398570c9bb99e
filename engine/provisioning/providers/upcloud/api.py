"""UpCloud's HTTP API: one request, one answer, and what its errors mean to the engine.

https://developers.upcloud.com/1.3/: JSON both ways; HTTP basic authentication or a bearer token; errors are
`{"error": {"error_code", "error_message"}}`, those of managed services `application/problem+json`.
"""

import json
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provisioning.errors import ProviderAccountError, ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.base import Account

if TYPE_CHECKING:
    import httpx2

ENDPOINT = "https://api.upcloud.com"
VERSION = "1.3"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LATER = ("_STATE_ILLEGAL", "_RESOURCES_UNAVAILABLE", "_IN_USE")
"""Ends of the codes of a 409 that pass with time."""
_CREDENTIALS = "`prov provider add upcloud` takes a username and password of a sub-account with API access, or an API token"

Query = Sequence[tuple[str, str]]


class GoneError(ProviderError):
    """What was asked for is not there (404)."""


class ForbiddenError(ProviderAccountError):
    """The account may not do this (403); also what the parts of a deleted server answer."""


class Api:
    """One account's connection. Threads may share it."""

    def __init__(self, account: Account, timeout_seconds: float = 60.0) -> None:
        self._account = account
        self._timeout = timeout_seconds
        self._opened: httpx2.Client | None = None

    def get(self, path: str, query: Query = ()) -> Any:
        """Read. Raises GoneError and ProviderErrors."""
        return self._ask("GET", path, query=query)

    def post(self, path: str, body: Any) -> Any:
        """Make, or start something. Raises GoneError and ProviderErrors."""
        return self._ask("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        """Change. Raises GoneError and ProviderErrors."""
        return self._ask("PUT", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """Change, where the API wants it so. Raises GoneError and ProviderErrors."""
        return self._ask("PATCH", path, body)

    def delete(self, path: str, query: Query = ()) -> None:
        """Remove; what is gone already is fine. Raises ProviderErrors."""
        try:
            self._ask("DELETE", path, query=query)
        except GoneError:
            return

    def _ask(self, method: str, path: str, body: Any = None, query: Query = ()) -> Any:
        import httpx2  # noqa: PLC0415 - only who uses UpCloud pays for it

        content = None if body is None else json.dumps(body).encode()
        try:
            response = self._client().request(method, f"/{VERSION}{path}", content=content, params=list(query) or None)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            message = f"UpCloud cannot be reached: {type(error).__name__} ({method} {path})"
            raise ProviderBusyError(message, hint="check the network; it is tried again") from error
        except (httpx2.TimeoutException, httpx2.TransportError) as error:
            message = f"UpCloud did not answer: {type(error).__name__} ({method} {path})"
            raise ProviderSilentError(message, hint="what was asked for may have been done: it is looked up first") from error
        if response.is_success:
            return self._answer(response, method, path)
        raise self._error(response, method, path)

    def _client(self) -> "httpx2.Client":
        if self._opened is None:
            import httpx2  # noqa: PLC0415 - as above

            endpoint = self._endpoint()
            headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "stratumops"}
            secrets = self._account.secrets
            auth = None
            if secrets.get("token"):
                headers["Authorization"] = f"Bearer {self._token()}"
            elif secrets.get("username") and secrets.get("password"):
                auth = httpx2.BasicAuth(secrets["username"], secrets["password"])
            else:
                raise ProviderAccountError(f"account '{self._account.name}' has no credentials for UpCloud", hint=_CREDENTIALS)
            timeout = httpx2.Timeout(self._timeout, connect=min(10.0, self._timeout))
            self._opened = httpx2.Client(base_url=endpoint, headers=headers, auth=auth, timeout=timeout)
            weakref.finalize(self, self._opened.close)  # a provider has no end that anybody tells it
        return self._opened

    def _endpoint(self) -> str:
        endpoint = (self._account.endpoint or ENDPOINT).rstrip("/")
        try:
            parts = urlsplit(endpoint)
            is_safe = (parts.scheme == "https" and bool(parts.hostname)) or (
                parts.scheme == "http" and parts.hostname in _LOOPBACK
            )
        except ValueError:
            is_safe = False
        if is_safe:
            return endpoint
        raise ProviderAccountError(
            f"the endpoint of account '{self._account.name}' is no https address: credentials would travel in the clear",
            hint=f"leave the endpoint out ({ENDPOINT}) or give one that begins with https://",
        )

    def _token(self) -> str:
        token = self._account.secrets["token"].strip()
        if token.isascii() and token.isprintable():
            return token
        raise ProviderAccountError(
            f"the token of account '{self._account.name}' has characters that no token has", hint=_CREDENTIALS
        )

    def close(self) -> None:
        """End the connections; the next request opens new ones."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _answer(self, response: "httpx2.Response", method: str, path: str) -> Any:
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise ProviderSilentError(f"UpCloud's answer is no JSON ({method} {path})") from error

    def _error(self, response: "httpx2.Response", method: str, path: str) -> ProviderError:
        status = response.status_code
        code, words = _told(response)
        message = self._clean(f"UpCloud: {words} ({code or status}; {method} {path})")
        details: dict[str, Any] = {"status": status, "error_code": code}
        if status == 401:
            return ProviderAccountError(message, hint=_CREDENTIALS, **details)
        if status == 402:
            return ProviderAccountError(message, hint="add credits to the account at hub.upcloud.com", **details)
        if status == 403:
            return ForbiddenError(message, hint="give the sub-account the permission at hub.upcloud.com, under People", **details)
        if status == 404 and not code.endswith("NOT_FOUND"):
            # Something else than UpCloud's API answers: nothing may be taken for gone.
            return ProviderError(message, hint="check the account's endpoint", **details)
        if status == 404:
            return GoneError(message, hint="`prov state refresh` shows what is there", **details)
        if status == 504:
            return ProviderSilentError(message, hint="what was asked for may have been done: it is looked up first", **details)
        if status in {408, 429} or status >= 500:
            wait = response.headers.get("Retry-After", "")
            if wait.isdigit():
                details["retry_after"] = int(wait)
            return ProviderBusyError(message, hint="it is tried again later", **details)
        if status == 409 and (method == "DELETE" or code.endswith(_LATER)):
            return ProviderBusyError(message, hint="it is tried again when the object is ready", **details)
        return ProviderError(message, hint="change the configuration as UpCloud says and plan again", **details)

    def _clean(self, message: str) -> str:
        for secret in self._account.secrets.values():
            if len(secret) > 3:
                message = message.replace(secret, "***")
        return message


def _told(response: "httpx2.Response") -> tuple[str, str]:
    """The code and the words of an error."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, Mapping):
        return "", f"HTTP status {response.status_code}"
    if isinstance(body.get("error"), Mapping):
        error = body["error"]
        return str(error.get("error_code", "")), str(error.get("error_message", "")).rstrip(".")
    code = str(body.get("type", "")).rpartition("#")[2]
    reasons = [f"{one.get('name')}: {one.get('reason')}" for one in body.get("invalid_params") or [] if isinstance(one, Mapping)]
    return code, ", ".join([str(body.get("title", "")).rstrip("."), *reasons])

"""Requests to a vault over HTTP, with the settings that Vault's own command line knows."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from svault.cli.failure import ApiError, CommandError
from svault.cli.tokens import kept_token

DEFAULT_ADDRESS = "https://127.0.0.1:8200"
TIMEOUT_SECONDS = 60.0
_HINTS: Mapping[int, str] = {
    403: "give a token that may do this: svault login, or VAULT_TOKEN",
    405: "see the path's methods: svault --help",
    429: "this server stands by; ask the active one: svault status",
    501: "make its keys first: svault init",
}


def setting(name: str) -> str:
    """A setting of the environment: `SVAULT_NAME`, else `VAULT_NAME`."""
    return os.environ.get(f"SVAULT_{name}") or os.environ.get(f"VAULT_{name}") or ""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the vault is, how to reach it, and who asks."""

    address: str = ""
    ca_cert: str = ""
    client_cert: str = ""
    client_key: str = ""
    skips_verification: bool = False
    wrap_ttl: str = ""
    token: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The vault's address: as given, of the environment, or this machine's."""
        return (self.address or setting("ADDR") or DEFAULT_ADDRESS).rstrip("/")


@dataclass(slots=True)
class Answer:
    """A status and what came with it."""

    status: int
    body: dict[str, Any] = field(repr=False)
    raw: bytes = field(default=b"", repr=False)


class Vault:
    """One vault, asked with one token."""

    def __init__(self, connection: Connection) -> None:
        import httpx2  # noqa: PLC0415 - help and completion ask nobody

        self._httpx2 = httpx2
        self.connection = connection
        self.token = connection.token if connection.token is not None else setting("TOKEN") or kept_token()
        if not connection.url.startswith(("http://", "https://")):
            raise CommandError("the address of the vault is a URL", hint="for example VAULT_ADDR=https://vault.example.com:8200")
        if setting("NAMESPACE"):
            raise CommandError("there are no namespaces here", hint="unset VAULT_NAMESPACE")
        self._client = httpx2.Client(
            base_url=connection.url, timeout=TIMEOUT_SECONDS, trust_env=False, verify=self._verification(), follow_redirects=False
        )

    def _verification(self) -> Any:
        import ssl  # noqa: PLC0415 - plain HTTP needs none

        connection = self.connection
        if not connection.url.startswith("https://"):
            return False
        if connection.skips_verification or setting("SKIP_VERIFY").lower() in {"1", "t", "true"}:
            click.echo("warning: the vault's certificate is not checked: whoever is on the way can read the token", err=True)
            context = ssl._create_unverified_context()  # noqa: S323, SLF001 - what was asked for, with a warning
        else:
            context = self._context(connection.ca_cert or setting("CACERT"))
        certificate = connection.client_cert or setting("CLIENT_CERT")
        if certificate:
            key = connection.client_key or setting("CLIENT_KEY")
            try:
                context.load_cert_chain(certificate, key or None)
            except (OSError, ssl.SSLError):
                raise CommandError(f"the client certificate {certificate} with its key cannot be used") from None
        return context

    @staticmethod
    def _context(ca: str) -> Any:
        import ssl  # noqa: PLC0415 - as above

        try:
            if ca and Path(ca).is_dir():
                return ssl.create_default_context(capath=ca)
            return ssl.create_default_context(cafile=ca or None)
        except (OSError, ssl.SSLError):
            raise CommandError(f"the CA file {ca} cannot be used", hint="see VAULT_CACERT or -ca-cert") from None

    def request(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        wrap_ttl: str | None = None,
    ) -> Answer:
        """The answer, whatever its status; `wrap_ttl` instead of the command's. Raises ApiError when nobody answers."""
        headers = {"X-Vault-Request": "true", **({"X-Vault-Token": self.token} if self.token else {})}
        ttl = self.connection.wrap_ttl if wrap_ttl is None else wrap_ttl
        if ttl:
            headers["X-Vault-Wrap-TTL"] = ttl
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        try:
            found = self._client.request(
                method,
                f"/v1/{quote(path.strip('/'))}",
                headers=headers,
                params=query,
                json=dict(data) if data is not None else None,
            )
        except self._httpx2.HTTPError as error:
            raise ApiError(f"{self.connection.url} does not answer: {_why(error)}", hint=_where(self.connection.url)) from None
        except ValueError:
            raise CommandError("the token or the path holds characters that cannot be sent") from None
        try:
            body = found.json() if found.content else {}
        except ValueError:
            body = {}
        return Answer(found.status_code, body if isinstance(body, dict) else {}, found.content)

    def ask(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        wrap_ttl: str | None = None,
    ) -> dict[str, Any]:
        """The body of a successful answer. Raises ApiError with what the vault said."""
        answer = self.request(method, path, data, query=query, wrap_ttl=wrap_ttl)
        if answer.status >= 400:
            raise refusal(method, path, answer)
        return answer.body


def refusal(method: str, path: str, answer: Answer) -> ApiError:
    """The error that a refused request becomes."""
    errors = [str(one).strip() for one in answer.body.get("errors") or () if str(one).strip()]
    said = "; ".join(errors) or ("nothing is there" if answer.status == 404 else "no reason was given")
    sealed = answer.status == 503 and "sealed" in said
    hint = "unseal it: svault unseal" if sealed else _HINTS.get(answer.status, "")
    return ApiError(f"{method} {path}: {answer.status}: {said}", hint=hint, status=answer.status)


def _why(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause)
        if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
            return "its certificate is not trusted"
        if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text:
            return "it does not speak TLS"
        if "certificate required" in text.lower() or "CERTIFICATE_REQUIRED" in text:
            return "it wants a client certificate"
        cause = cause.__cause__ or cause.__context__
    return re.sub(r"\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _where(url: str) -> str:
    if url == DEFAULT_ADDRESS:
        return "say where the vault is: VAULT_ADDR=http://127.0.0.1:8200, or -address"
    return "see that the server runs; for TLS see VAULT_CACERT, VAULT_CLIENT_CERT and VAULT_CLIENT_KEY"

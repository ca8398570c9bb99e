"""A standby hands requests on to the active server, so that clients may talk to any."""

import logging
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from svault.core.call import Answer, Call
from svault.core.core import Core
from svault.core.settings import CoreSettings
from svault.errors import StandbyError
from svault.http.origin import HEADER, signed

if TYPE_CHECKING:
    import httpx2

_OWN = ("sys/health", "sys/seal-status", "sys/unseal", "sys/init", "sys/leader")
_HOP = {"host", "connection", "keep-alive", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "accept-encoding"}
"""Headers of one connection, not of the request (RFC 9110, 7.6.1)."""
TIMEOUT_SECONDS = 30.0


def peer_context(settings: CoreSettings) -> ssl.SSLContext:
    """How the other servers are checked, and the certificate that is shown to them. Raises StandbyError."""
    try:
        context = ssl.create_default_context(cafile=settings.peer_ca or None)
        if settings.peer_cert:
            context.load_cert_chain(settings.peer_cert, settings.peer_key)
    except (OSError, ssl.SSLError):
        raise StandbyError("the certificates for the other servers cannot be used", hint="see peer_ca and tls_cert") from None
    return context


class Forwarder:
    """Opens a connection only when this server stands by."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._client: httpx2.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def answer(self, call: Call, scope: Any, body: bytes) -> Answer | None:
        """The active server's answer, or None for a path that each server answers itself. Raises StandbyError."""
        if call.path.rstrip("/") in _OWN:
            return None
        leader = await self._core.leader_address()
        if not leader or leader == self._core.settings.advertise or HEADER in call.headers:
            raise StandbyError("Vault is in standby mode and there is no active server yet", hint="try again in some seconds")
        import httpx2  # noqa: PLC0415 - only a standby needs a client

        if self._client is None:
            logging.getLogger("httpx2").setLevel(logging.WARNING)  # it would write the address, and so the name, of each secret
            self._client = httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, verify=peer_context(self._core.settings))
        headers = {name: value for name, value in call.headers.items() if name not in _HOP} | {HEADER: signed(self._core, call)}
        query = scope["query_string"].decode("latin-1")
        url = f"{leader.rstrip('/')}/v1/{quote(call.path)}" + (f"?{query}" if query else "")
        try:
            found = await self._client.request(call.method, url, headers=headers, content=body or None)
        except httpx2.HTTPError:
            raise StandbyError("the active server could not be reached", hint="try again in some seconds") from None
        return Answer(found.status_code, raw=found.content, content_type=found.headers.get("content-type", "application/json"))

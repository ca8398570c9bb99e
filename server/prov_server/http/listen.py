"""Where the server listens, and the rules about it: loopback as it is; any other address only with TLS and a token."""

import errno
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prov_server.http.hosts import public_name
from prov_server.http.tls import server_context
from stratumops.errors import InvalidInputError, PermissionDeniedError, StratumError, UnavailableError
from stratumops.settings_groups import ServerSettings

BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound, listening socket; clients already queue on it."""

    socket: socket.socket
    host: str
    tls: ssl.SSLContext | None

    @property
    def url(self) -> str:
        """Where clients reach it, with the real port: `http://127.0.0.1:8002`."""
        name = public_name(self.host)
        shown = f"[{name}]" if ":" in name else name
        return f"{'https' if self.tls else 'http'}://{shown}:{self.socket.getsockname()[1]}"


def open_listener(server: ServerSettings, *, root: Path, no_auth: bool) -> Listener:
    """Check the rules, read the TLS files (relative ones from `root`, the workspace) and bind.

    Raises InvalidInputError (a rule, an address that is none of this machine's), PermissionDeniedError (a port that this user may
    not take, a key that everybody can read), UnavailableError (the port is taken).
    """
    family, address = require_safe_address(server, no_auth=no_auth)
    tls = None
    if server.tls_certificate:
        tls = server_context(root / Path(server.tls_certificate).expanduser(), root / Path(server.tls_key).expanduser())
    return Listener(_bind(family, address, server), server.host, tls)


def require_safe_address(server: ServerSettings, *, no_auth: bool = False) -> tuple[socket.AddressFamily, Any]:
    """The address to bind. Raises InvalidInputError unless it is loopback, or has TLS and asks who is calling."""
    family, address = _resolve(server.host, server.port)
    is_loopback = ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
    if bool(server.tls_certificate) != bool(server.tls_key):
        missing = "server.tls_key" if server.tls_certificate else "server.tls_certificate"
        raise InvalidInputError(f"TLS needs a certificate and its key; {missing} is not set", hint=f"set {missing}")
    if no_auth and not is_loopback:
        raise InvalidInputError(
            f"without authentication the server listens on loopback only, not on {server.host}",
            hint="leave --no-auth out, or listen on 127.0.0.1",
        )
    if not is_loopback and not server.tls_certificate:
        raise InvalidInputError(
            f"{server.host} is not loopback: tokens and configurations would travel unencrypted",
            hint="set server.tls_certificate and server.tls_key, or listen on 127.0.0.1 behind a proxy that speaks TLS",
        )
    return family, address


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    try:
        # Without the flag AI_PASSIVE an empty host is an error and not every address.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise InvalidInputError(
            f"{host!r} is no address of this machine", hint="server.host is an address such as 127.0.0.1 or ::1"
        ) from None
    # A name such as localhost has an address of each family; most clients try IPv4.
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, address


def _bind(family: socket.AddressFamily, address: tuple[Any, ...], server: ServerSettings) -> socket.socket:
    try:
        # asyncio turns Nagle's algorithm off only for a socket that names TCP; with it every answer is 40 ms late.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise _cannot_listen(error, server) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)  # noqa: FBT003 - the standard library's signature
    except OSError as error:
        listening.close()
        raise _cannot_listen(error, server) from None
    return listening


def _cannot_listen(error: OSError, server: ServerSettings) -> StratumError:
    where = f"{server.host} port {server.port}"
    if error.errno == errno.EADDRINUSE:
        hint = "is another `prov serve` running? end it, or choose another port with --port"
        return UnavailableError(f"{where} is taken", hint=hint, port=server.port)
    if error.errno == errno.EACCES:
        return PermissionDeniedError(f"this user may not listen on {where}", hint="choose a port above 1023 with --port")
    return InvalidInputError(f"cannot listen on {where}: {error.strerror}", hint="correct server.host")

"""Which Host and Origin headers are ours: what stops DNS rebinding, where a web page's own name comes to mean our address."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from stratumops.errors import InvalidInputError

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[^/?#]+)")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HostName:
    """A host with or without a port, in one spelling: lower case, addresses in their shortest form, no final dot."""

    name: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "HostName | None":
        """`name`, `name:port`, `1.2.3.4:port`, `[::1]:port`; None for anything else."""
        found = _HOST.fullmatch(text)
        if not found:
            return None
        port = int(found["port"]) if found["port"] else None
        return cls(_canonical(found["name"].strip("[]")), port)


def public_name(listening: str) -> str:
    """What clients call a listening address: a wildcard by this machine's name, anything else by itself."""
    try:
        is_wildcard = ipaddress.ip_address(listening).is_unspecified
    except ValueError:
        is_wildcard = False
    return socket.gethostname() if is_wildcard else listening


def _canonical(name: str) -> str:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.lower().removesuffix(".")
    # How a socket for both families names an IPv4 address.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).compressed


class KnownHosts:
    """The hosts that this server answers to.

    Always: `localhost` and loopback addresses (no web page has such a name), and the address at which a connection arrived
    (an address cannot be rebound). Besides: the listening name and `server.allowed_hosts`; an entry with a port wants that
    port, one without takes any.

    An Origin is one of them at the very port on which we listen, or in `server.allowed_hosts`: other programs of this machine
    serve pages from `localhost` too, and those are not ours.
    """

    def __init__(self, listening: str, allowed: Iterable[str]) -> None:
        self._listening = _canonical(public_name(listening))
        self._entries: set[HostName] = set()
        for text in allowed:
            entry = HostName.parse(text.removesuffix(":*"))
            if entry is None:
                raise InvalidInputError(
                    f"server.allowed_hosts: {text[:80]!r} is no host", hint="such as prov.example.org or prov.example.org:8002"
                )
            self._entries.add(entry)

    def knows_host(self, header: str, *, scheme: str, arrived_at: str) -> bool:
        """Whether a Host header is ours; `arrived_at` is the local address of the connection."""
        host = HostName.parse(header)
        return host is not None and (self._is_ours(host, arrived_at) or self._is_allowed(host, scheme))

    def knows_origin(self, header: str, *, arrived_at: str, port: int | None) -> bool:
        """Whether an Origin header (RFC 6454) names a page of ours; `null` never does. `port` is that of the connection."""
        found = _ORIGIN.fullmatch(header)
        host = HostName.parse(found["host"]) if found else None
        if found is None or host is None:
            return False
        if self._is_allowed(host, found["scheme"]):
            return True
        return port is not None and _port(host, found["scheme"]) == port and self._is_ours(host, arrived_at)

    def _is_ours(self, host: HostName, arrived_at: str) -> bool:
        return host.name in {"localhost", self._listening} or _is_loopback(host.name) or host.name == _canonical(arrived_at)

    def _is_allowed(self, host: HostName, scheme: str) -> bool:
        return HostName(host.name, None) in self._entries or HostName(host.name, _port(host, scheme)) in self._entries


def _port(host: HostName, scheme: str) -> int | None:
    return host.port if host.port is not None else _DEFAULT_PORTS.get(scheme)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

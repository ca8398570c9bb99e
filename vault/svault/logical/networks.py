"""Networks that a token or a secret id is bound to."""

import ipaddress
from collections.abc import Iterable

from svault.errors import BadRequestError


def networks(texts: list[str]) -> list[str]:
    """Addresses and networks, checked. Raises BadRequestError naming the one that is none."""
    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise BadRequestError(
                f"error parsing bound address {text[:50]!r}: it is an address or a network like 10.0.0.0/8"
            ) from None
    return texts


def is_bound(cidrs: Iterable[str], address: str) -> bool:
    """Whether an address is in one of the networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)


def are_within(cidrs: Iterable[str], bounds: Iterable[str]) -> bool:
    """Whether each network lies in one of the bounds."""
    outer = [ipaddress.ip_network(bound, strict=False) for bound in bounds]
    inner = [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]
    return all(any(_holds(bound, one) for bound in outer) for one in inner)


def _holds(bound: ipaddress.IPv4Network | ipaddress.IPv6Network, one: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    if isinstance(bound, ipaddress.IPv4Network):
        return isinstance(one, ipaddress.IPv4Network) and one.subnet_of(bound)
    return isinstance(one, ipaddress.IPv6Network) and one.subnet_of(bound)

"""Configurations that the tests make, each with addresses of its own."""

import os
from typing import Any

Values = dict[str, Any]


def range_of(word: str) -> str:
    """Addresses that nobody else has: a part of the range for benchmarks, which no network at home or at work uses."""
    # Workers of one session, up to eight, never meet.
    number = int(word, 16) % 64 * 8 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    return f"198.{18 + number // 256}.{number % 256}"


def network(word: str, **own: Any) -> Values:
    """A network with two subnets."""
    start = range_of(word)
    subnets = [{"name": "front", "cidr": f"{start}.0/26", "tier": "public"}, {"name": "back", "cidr": f"{start}.64/26"}]
    shared = {"name": "main", "vpc_cidr": f"{start}.0/24", "subnets": subnets} | own
    return {"name": "shop", "provider": "local", "tags": {"Team": "shop"}, "networking": shared}


def changed_subnet(word: str) -> Values:
    """Its first subnet is private."""
    values = network(word)
    values["networking"]["subnets"][0]["tier"] = "private"
    return values


def changed_vpc(word: str) -> Values:
    """The network is tagged otherwise."""
    return network(word) | {"tags": {"Owner": "ada"}}


def server(*, memory: float = 0.25, disk: int = 20, cpu: int = 1, tags: dict[str, str] | None = None, **own: Any) -> Values:
    """A server that starts in a moment."""
    spec = {"cpu": cpu, "memory_gb": memory, "disk_gb": disk, "os": {"family": "alpine", "version": "3.22"}}
    return {"name": "web", "tags": tags or {"Team": "web"}, "spec": spec} | own


def alone(_word: str, **own: Any) -> Values:
    """A server in no network of its configuration."""
    return {"name": "shop", "provider": "local", "servers": [server(**own)]}


def changed_alone(word: str) -> Values:
    """It is larger, and tagged otherwise."""
    return alone(word, memory=0.5, cpu=2, tags={"Owner": "ada"})


def in_subnet(word: str, subnet: str = "front", **own: Any) -> Values:
    """A server in a subnet, beside another one."""
    other = server() | {"name": "other", "networking": {"subnet": "back"}}
    return network(word) | {"servers": [server(networking={"subnet": subnet}, **own), other]}


def volume(_word: str, size: int = 5, kept: str = "yes") -> Values:
    """A volume that is attached to nothing."""
    return {"name": "shop", "provider": "local", "volumes": [{"name": "data", "size_gb": size, "tags": {"Kept": kept}}]}


def changed_volume(word: str) -> Values:
    """It is tagged otherwise."""
    return volume(word, kept="no")


def attached(word: str, size: int = 5, to: str | None = "web") -> Values:
    """Two servers, and a volume attached to one of them."""
    one = {"name": "data", "size_gb": size} | ({"attached_to": to} if to else {})
    return alone(word) | {"servers": [server(), server() | {"name": "other"}], "volumes": [one]}

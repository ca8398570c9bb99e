"""Networks as bridges, and subnets as ranges of addresses on them.

A bridge has the network's whole range; LXD's DHCP gives every server a fixed address out of its subnet's. The subnets of a bridge
stand in its config, one key each: LXD has no object for them. Servers reach each other across subnets and, unless the account's
option `nat` is `false`, the outside through the host. A subnet's tier is noted and not enforced.
"""

import hashlib
import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from provisioning.errors import ProviderError
from provisioning.providers.base import Calls
from provisioning.providers.local.daemon import Daemon, Json
from provisioning.providers.local.identity import ADDRESS, LINEAGE, NAME, bridge_name, is_of, mark, own_tags, short, tags
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded, Wanted

SUBNET: Final = "user.prov.subnet."
_NOTED = ("name", "cidr", "tier", "zone", "map_public_ip")
_NAMES_TRIED = 10

Network = ipaddress.IPv4Network


class Networks:
    """The bridges of one daemon, and the subnets on them."""

    def __init__(self, daemon: Daemon, nat: bool = True) -> None:
        self._daemon = daemon
        self._nat = nat

    def all(self) -> list[Json]:
        """Every bridge that LXD manages, as it shows them."""
        return [one for one in self._daemon.get("networks", recursion=1) if one["managed"] and one["type"] == "bridge"]

    def found(self, bridges: Iterable[Json]) -> list[Found]:
        """The networks and subnets of bridges."""
        return [found for bridge in bridges for found in (vpc(bridge), *(subnet(bridge, key) for key in _subnet_keys(bridge)))]

    def read(self, one: Recorded) -> Found | None:
        """A network or subnet by its id."""
        name, _, key = one.id.partition("/")
        bridge = self._daemon.find(f"networks/{name}")
        if bridge is None or not bridge["managed"]:
            return None
        if not key:
            return vpc(bridge)
        return subnet(bridge, key) if f"{SUBNET}{key}" in bridge["config"] else None

    def create_vpc(self, wanted: Wanted, calls: Calls) -> Found:
        """Make a bridge. Raises ProviderError where its addresses are in use on this machine."""
        cidr = _cidr(wanted)
        bridges = self.all()
        bridge = next((one for one in bridges if is_of(one["config"], wanted)), None)
        if bridge is None:
            self._check_free(cidr)
            taken = {one["name"] for one in bridges}
            name = next(name for name in (bridge_name(wanted, n) for n in range(_NAMES_TRIED)) if name not in taken)
            config = {
                "ipv4.address": f"{next(cidr.hosts())}/{cidr.prefixlen}",
                "ipv4.nat": "true" if self._nat else "false",
                "ipv6.address": "none",
            }
            mark(config, wanted)
            body = {"name": name, "type": "bridge", "description": f"{wanted.address} (stratumops)", "config": config}
            calls.run("CreateNetwork", lambda: self._daemon.post("networks", body))
            bridge = self._daemon.get(f"networks/{name}")
        return vpc(bridge)

    def update_vpc(self, one: Recorded, wanted: Wanted, calls: Calls) -> Found:
        """Write name and tags. Raises ProviderError for other addresses: they are chosen when a bridge is made."""
        bridge = self._daemon.get(f"networks/{one.id}")
        if vpc(bridge).values.get("cidr") != str(_cidr(wanted)):
            raise ProviderError(f"{one.address}: the addresses of a network are chosen when it is made", hint="replace it")
        path = f"networks/{one.id}"
        calls.run("UpdateNetwork", lambda: self._daemon.edit(path, lambda record: mark(record["config"], wanted)))
        return vpc(self._daemon.get(path))

    def delete_vpc(self, one: Recorded, calls: Calls) -> None:
        """Remove a bridge. Raises ProviderError while something that is not ours is on it."""
        if self._daemon.find(f"networks/{one.id}") is not None:
            calls.run("DeleteNetwork", lambda: self._daemon.delete(f"networks/{one.id}"))

    def create_subnet(self, wanted: Wanted, calls: Calls) -> Found:
        """Note a subnet at its network's bridge. Raises ProviderError where it lies outside, or overlaps another one."""
        (network,) = wanted.named("vpc") or (None,)
        if network is None:
            raise ProviderError(f"{wanted.address} names no network of this configuration", hint="a subnet lies in a network")
        path = f"networks/{network.id}"
        bridge = self._daemon.get(path)
        key = next((key for key in _subnet_keys(bridge) if is_of(_marks_of(_noted(bridge, key)), wanted)), None)
        if key is None:
            _check_inside(_cidr(wanted), bridge, wanted.address)
            key = short(wanted.tags.get(TAG_LINEAGE, ""), wanted.address)
            if wanted.values.get("tier") == "isolated":
                calls.report("LXD does not keep an isolated subnet apart: this is noted only")
            self._note(path, key, wanted, "CreateSubnet", calls)
        return subnet(self._daemon.get(path), key)

    def update_subnet(self, one: Recorded, wanted: Wanted, calls: Calls) -> Found:
        """Note other words for a subnet. Raises ProviderError for other addresses."""
        name, _, key = one.id.partition("/")
        path = f"networks/{name}"
        if _noted(self._daemon.get(path), key).get("cidr") != str(_cidr(wanted)):
            raise ProviderError(f"{one.address}: the addresses of a subnet are chosen when it is made", hint="replace it")
        self._note(path, key, wanted, "UpdateSubnet", calls)
        return subnet(self._daemon.get(path), key)

    def delete_subnet(self, one: Recorded, calls: Calls) -> None:
        """Take a subnet's note away."""
        name, _, key = one.id.partition("/")
        bridge = self._daemon.find(f"networks/{name}")
        if bridge is not None and f"{SUBNET}{key}" in bridge["config"]:

            def forget(record: Json) -> None:
                record["config"].pop(f"{SUBNET}{key}", None)

            calls.run("DeleteSubnet", lambda: self._daemon.edit(f"networks/{name}", forget))

    def _note(self, path: str, key: str, wanted: Wanted, call: str, calls: Calls) -> None:
        note = {name: wanted.values[name] for name in _NOTED if wanted.values.get(name) is not None}
        note["tags"] = dict(wanted.tags)
        text = json.dumps(note, sort_keys=True)
        calls.run(call, lambda: self._daemon.edit(path, lambda record: record["config"].update({f"{SUBNET}{key}": text})))

    def _check_free(self, cidr: Network) -> None:
        # A second interface with the same addresses would take the host's own way out.
        for one in self._daemon.get("networks", recursion=1):
            state = self._daemon.find(f"networks/{one['name']}/state") or {}
            for address in state.get("addresses") or []:
                if address["family"] != "inet" or address["scope"] != "global":
                    continue
                other = ipaddress.ip_interface(f"{address['address']}/{address['netmask']}").network
                if other.overlaps(cidr):
                    raise ProviderError(
                        f"{cidr} overlaps {other} of {one['name']} on this machine",
                        hint="give the network other addresses, such as 10.77.0.0/16",
                    )


def vpc(bridge: Json) -> Found:
    """A bridge as a network."""
    config: Mapping[str, str] = bridge["config"]
    values: dict[str, Any] = {"name": config.get(NAME, bridge["name"])}
    address = config.get("ipv4.address", "none")
    outputs: dict[str, Any] = {"bridge": bridge["name"], "nat": config.get("ipv4.nat") == "true"}
    if "/" in address:
        interface = ipaddress.ip_interface(address)
        values["cidr"] = str(interface.network)
        outputs["gateway"] = str(interface.ip)
    values |= {f"tags.{key}": value for key, value in own_tags(config).items()}
    status = {"Created": "available", "Pending": "pending", "Errored": "failed"}.get(bridge.get("status", ""), "unknown")
    return Found("vpc", bridge["name"], status, config.get(ADDRESS, ""), values, outputs, tags=tags(config))  # type: ignore[arg-type] # words of the table


def subnet(bridge: Json, key: str) -> Found:
    """A note at a bridge as a subnet."""
    note = _noted(bridge, key)
    values = {name: note[name] for name in _NOTED if name in note}
    marked = dict(note.get("tags", {}))
    outputs = {"bridge": bridge["name"], "cidr": note.get("cidr", "")}
    return Found("subnet", f"{bridge['name']}/{key}", "available", marked.get(TAG_ADDRESS, ""), values, outputs, tags=marked)


def _subnet_keys(bridge: Json) -> list[str]:
    return sorted(key.removeprefix(SUBNET) for key in bridge["config"] if key.startswith(SUBNET))


def _noted(bridge: Json, key: str) -> Json:
    try:
        note = json.loads(bridge["config"].get(f"{SUBNET}{key}", "{}"))
    except ValueError:
        # A person wrote there: nothing of it is ours any more.
        return {}
    return note if isinstance(note, dict) else {}


def _marks_of(note: Json) -> dict[str, str]:
    marked = note.get("tags", {})
    return {ADDRESS: marked.get(TAG_ADDRESS, ""), LINEAGE: marked.get(TAG_LINEAGE, "")}


def _cidr(wanted: Wanted) -> Network:
    try:
        cidr = ipaddress.ip_network(wanted.values["cidr"])
    except ValueError as error:
        raise ProviderError(f"{wanted.address}: {error}", hint="write it like 10.0.0.0/16") from error
    if not isinstance(cidr, ipaddress.IPv4Network) or cidr.prefixlen > 29:
        raise ProviderError(f"{wanted.address}: a local network has at least eight IPv4 addresses, not {cidr}", hint="use a /16")
    return cidr


def _check_inside(cidr: Network, bridge: Json, address: str) -> None:
    whole = vpc(bridge).values.get("cidr")
    if whole is None or not cidr.subnet_of(ipaddress.IPv4Network(whole)):
        raise ProviderError(f"{address}: {cidr} is not inside its network, {whole}", hint="choose a part of the network")
    for key in _subnet_keys(bridge):
        other = _noted(bridge, key).get("cidr")
        if other and ipaddress.IPv4Network(other).overlaps(cidr):
            raise ProviderError(f"{address}: {cidr} overlaps {other}, another subnet", hint="choose addresses that nobody has")


def free_address(bridge: Json, subnet_id: str, taken: frozenset[str], seed: str) -> str | None:
    """An address that no server has: out of the subnet, or of what no subnet has. None where the bridge has no addresses.

    Where the search begins depends on `seed`, so that servers made at the same time rarely choose the same one.
    Raises ProviderError when all are taken.
    """
    whole = vpc(bridge).values.get("cidr")
    if whole is None:
        return None
    subnets = {key: ipaddress.IPv4Network(_noted(bridge, key)["cidr"]) for key in _subnet_keys(bridge) if _noted(bridge, key)}
    own = subnets.get(subnet_id.partition("/")[2])
    space = own or ipaddress.IPv4Network(whole)
    others = [] if own else list(subnets.values())
    gateway = vpc(bridge).outputs["gateway"]
    # The first four and the last one are left free, as clouds do.
    size = space.num_addresses - 5
    start = int(hashlib.sha256(seed.encode()).hexdigest(), 16)
    for step in range(size):
        address = space[4 + (start + step) % size]
        if str(address) != gateway and str(address) not in taken and not any(address in other for other in others):
            return str(address)
    raise ProviderError(f"all addresses of {space} are taken", hint="make the subnet larger, or use another one")


def subnet_of(bridge: Json, address: str) -> str | None:
    """The name of the subnet that an address is in."""
    for key in _subnet_keys(bridge):
        note = _noted(bridge, key)
        if note.get("cidr") and ipaddress.ip_address(address) in ipaddress.ip_network(note["cidr"]):
            return str(note.get("name", ""))
    return None

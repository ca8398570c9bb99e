"""Private networks: a `vpc` is a router, a `subnet` a network on it.

The addresses of a network on a router must not overlap those of another, so the network that a vpc itself has (its part
`network`, for servers that name no subnet) stays off the router. An `isolated` subnet does so too.
"""

from collections.abc import Mapping
from typing import Any

from provisioning.providers.base import Calls
from provisioning.providers.upcloud.cloud import Maker, Row, is_part, zone_of
from provisioning.providers.upcloud.labels import labels, labels_of
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART, Found, Recorded, Wanted

PART = "network"
NETWORKS = ("networks", "network")


def network_body(wanted: Wanted, zone: str, tags: Mapping[str, str], router: str = "") -> dict[str, Any]:
    """What makes a network: its addresses are given out by DHCP, and it is no way to the internet."""
    family = "IPv6" if ":" in wanted.values["cidr"] else "IPv4"
    addresses = {"address": wanted.values["cidr"], "dhcp": "yes", "dhcp_default_route": "no", "family": family}
    body = {"name": wanted.values["name"], "zone": zone, "ip_networks": {"ip_network": [addresses]}, "labels": labels(tags)}
    return {"network": body | ({"router": router} if router else {})}


def cidr_of(row: Row) -> str | None:
    """The addresses of a network."""
    first = next(iter(row["ip_networks"]["ip_network"]), None)
    return str(first["address"]) if first else None


class Vpcs(Maker):
    """Routers, each with a network of its own."""

    kind = "vpc"

    def rows(self, tags: Mapping[str, str]) -> list[Row]:
        routers = self.cloud.listed("/router", ("routers", "router"), tags)
        return [row for row in routers if row.get("type", "normal") == "normal"]

    def get(self, uuid: str) -> Row | None:
        return self.cloud.got(f"/router/{uuid}", "router")

    def found(self, row: Row, known: Mapping[str, Any]) -> Found:
        network = self._network(row)
        values = {"name": row["name"], "cidr": cidr_of(network) if network else None}
        if network:
            values["region"] = network["zone"]
        parts = {PART: network["uuid"]} if network else {}
        return self.make_found(row, known, "available", values, parts=parts)

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        row = self.own(wanted)
        if row is None:
            body = {"router": {"name": wanted.values["name"], "labels": labels(wanted.tags)}}
            row = calls.run("CreateRouter", lambda: self.api.post("/router", body))["router"]
        return self._complete(row, wanted, calls)

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        row = self.there(one)
        if any(path == "name" or path.startswith("tags.") for path in paths):
            body = {"router": {"name": wanted.values["name"], "labels": labels(wanted.tags)}}
            row = calls.run("ModifyRouter", lambda: self.api.patch(f"/router/{one.id}", body))["router"]
            network = self._network(row)
            if network:
                body = {"network": {"name": wanted.values["name"], "labels": labels({**wanted.tags, TAG_PART: PART})}}
                calls.run("ModifyNetwork", lambda: self.api.put(f"/network/{network['uuid']}", body), part=PART)
        return self._complete(row, wanted, calls)

    def delete(self, one: Recorded, calls: Calls) -> None:
        row = self.get(one.id)
        network = self._network(row) if row else None
        uuid = network["uuid"] if network else one.parts.get(PART)
        if uuid and self.cloud.got(f"/network/{uuid}", "network") is not None:
            calls.run("DeleteNetwork", lambda: self.api.delete(f"/network/{uuid}"), part=PART)
        if row is not None:
            calls.run("DeleteRouter", lambda: self.api.delete(f"/router/{one.id}"))

    def _complete(self, row: Row, wanted: Wanted, calls: Calls) -> Found:
        if self._network(row) is None:
            body = network_body(wanted, zone_of(wanted, self.cloud.account), {**wanted.tags, TAG_PART: PART})
            calls.run("CreateNetwork", lambda: self.api.post("/network/", body), part=PART)
        return self.found(row, wanted.values)

    def _network(self, row: Row) -> Row | None:
        found = labels_of(row)
        if "prov-id" not in found:
            return None
        tags = {TAG_ADDRESS: found["prov-id"], TAG_LINEAGE: found.get("prov-lineage", ""), TAG_PART: PART}
        return next(iter(self.cloud.listed("/network", NETWORKS, tags)), None)


class Subnets(Maker):
    """Networks on a router."""

    kind = "subnet"

    def rows(self, tags: Mapping[str, str]) -> list[Row]:
        networks = self.cloud.listed("/network", NETWORKS, tags)
        return [row for row in networks if row.get("type") == "private" and not is_part(row)]

    def get(self, uuid: str) -> Row | None:
        return self.cloud.got(f"/network/{uuid}", "network")

    def found(self, row: Row, known: Mapping[str, Any]) -> Found:
        on_router = bool(row.get("router"))
        tier = known.get("tier", "private")
        if on_router is (tier == "isolated"):
            tier = "private" if on_router else "isolated"
        values: dict[str, Any] = {"name": row["name"], "cidr": cidr_of(row), "tier": tier}
        values["zone" if known.get("zone") else "region"] = row["zone"]
        return self.make_found(row, known, "available", values, outputs={"zone": row["zone"]})

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        row = self.own(wanted)
        if row is None:
            body = network_body(wanted, zone_of(wanted, self.cloud.account), wanted.tags, self._router(wanted) or "")
            row = calls.run("CreateNetwork", lambda: self.api.post("/network/", body))["network"]
        return self.found(row, wanted.values)

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        row = self.there(one)
        body: dict[str, Any] = {"name": wanted.values["name"], "labels": labels(wanted.tags)}
        if "tier" in paths and (row.get("router") or None) != self._router(wanted):
            body["router"] = self._router(wanted)
        row = calls.run("ModifyNetwork", lambda: self.api.put(f"/network/{one.id}", {"network": body}))["network"]
        return self.found(row, wanted.values)

    def delete(self, one: Recorded, calls: Calls) -> None:
        row = self.get(one.id)
        if row is None:
            return
        if row.get("router"):
            body = {"network": {"router": None}}
            calls.run("ModifyNetwork", lambda: self.api.put(f"/network/{one.id}", body))
        calls.run("DeleteNetwork", lambda: self.api.delete(f"/network/{one.id}"))

    @staticmethod
    def _router(wanted: Wanted) -> str | None:
        refs = () if wanted.values.get("tier") == "isolated" else wanted.named("vpc")
        return refs[0].id if refs else None

"""Changing a server in place. What the server must be off for is done in one stop.

Everything is compared with what is there, so that a change which was cut off is taken up where it ended.
"""

from collections.abc import Callable
from typing import Any

from provisioning.providers.base import Calls
from provisioning.providers.upcloud import disks, firewall, machines
from provisioning.providers.upcloud.cloud import Cloud, Row
from provisioning.providers.upcloud.server_body import DISK, groups_of, network_of, root_disk, server_labels, size_body
from provisioning.resource import Wanted

RESTARTS = frozenset({
    "plan", "spec.cpu", "spec.memory_gb", "spec.disk_gb", "networking.public_ip", "networking.subnet", "networking.vpc",
})  # fmt: skip
"""Leaves that change while the server is off."""


class ServerChange:
    """One update of one server."""

    def __init__(self, cloud: Cloud, uuid: str, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        self._cloud = cloud
        self._uuid = uuid
        self._wanted = wanted
        self._paths = paths
        self._calls = calls

    def make(self) -> Row:
        """Do it; answers the server in full. Raises ProviderErrors."""
        groups = groups_of(self._wanted)
        row = machines.settled(self._cloud, self._uuid, self._calls)
        row = self._describe(row, bool(groups))
        if "networking.security_groups" in self._paths:
            firewall.write(self._cloud, self._uuid, firewall.whole(groups) if groups else [], self._calls)
        disk = root_disk(row)
        if disk and any(path.startswith("backup") for path in self._paths):
            disks.set_backup_rule(self._cloud, disk["storage"], self._wanted.values.get("backup"), self._calls, part=DISK)
        if self._paths & RESTARTS:
            self._resize(row, disk)
            row = machines.started(self._cloud, self._uuid, self._calls)
        return machines.settled(self._cloud, self._uuid, self._calls)

    def _describe(self, row: Row, has_groups: bool) -> Row:
        name = self._wanted.values["name"]
        body: dict[str, Any] = {}
        if "name" in self._paths:
            body |= {"title": name, "hostname": name}
        if "networking.security_groups" in self._paths:
            body["firewall"] = "on" if has_groups else "off"
        if "firewall" in body or any(path.startswith("tags.") for path in self._paths):
            body["labels"] = server_labels(self._wanted)
        if not body:
            return row
        self._put(body)
        return machines.settled(self._cloud, self._uuid, self._calls)

    def _resize(self, row: Row, disk: Row | None) -> None:
        steps = [*self._sizes(row), *self._disks(disk), *self._interfaces(row, network_of(self._wanted))]
        if steps:
            machines.stopped(self._cloud, self._uuid, self._calls)
        for step in steps:
            step()

    def _sizes(self, row: Row) -> list[Callable[[], None]]:
        body = size_body(self._wanted)
        return [] if all(str(row[name]) == value for name, value in body.items()) else [lambda: self._put(body)]

    def _disks(self, disk: Row | None) -> list[Callable[[], None]]:
        size = int(self._wanted.values["spec"]["disk_gb"])
        if disk is None or int(disk["storage_size"]) == size or "spec.disk_gb" not in self._paths:
            return []
        return [lambda: disks.grow(self._cloud, disk["storage"], size, self._calls, part=DISK)]

    def _interfaces(self, row: Row, network: str) -> list[Callable[[], None]]:
        steps: list[Callable[[], None]] = []
        every = row["networking"]["interfaces"]["interface"]
        if "networking.public_ip" in self._paths:
            is_wanted = bool(self._wanted.values["networking"].get("public_ip"))
            public = [one for one in every if one["type"] == "public"]
            if is_wanted and not public:
                steps.append(lambda: self._plug({"type": "public"}))
            if not is_wanted:
                steps += [self._unplugger(one["index"]) for one in public]
        if self._paths & {"networking.subnet", "networking.vpc"}:
            private = [one for one in every if one["type"] == "private"]
            steps += [self._unplugger(one["index"]) for one in private if one["network"] != network]
            if network and not any(one["network"] == network for one in private):
                steps.append(lambda: self._plug({"type": "private", "network": network}))
        return steps

    def _put(self, body: dict[str, Any]) -> None:
        self._calls.run("ModifyServer", lambda: self._cloud.api.put(f"/server/{self._uuid}", {"server": body}))

    def _plug(self, interface: dict[str, Any]) -> None:
        body = {"interface": {**interface, "ip_addresses": {"ip_address": [{"family": "IPv4"}]}}}
        path = f"/server/{self._uuid}/networking/interface"
        self._calls.run("CreateNetworkInterface", lambda: self._cloud.api.post(path, body), part=interface["type"])

    def _unplugger(self, index: int) -> Callable[[], None]:
        path = f"/server/{self._uuid}/networking/interface/{index}"
        return lambda: self._calls.run("DeleteNetworkInterface", lambda: self._cloud.api.delete(path))

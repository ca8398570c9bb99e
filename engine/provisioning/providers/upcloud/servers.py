"""Servers: made with their root disk in one call, so that nothing of them is ever without labels."""

from collections.abc import Mapping
from typing import Any

from provisioning.providers.base import Calls
from provisioning.providers.upcloud import disks, firewall, machines
from provisioning.providers.upcloud.cloud import Maker, Row
from provisioning.providers.upcloud.labels import GROUPS, labels_of
from provisioning.providers.upcloud.networks import PART as NETWORK
from provisioning.providers.upcloud.server_body import DISK, groups_of, root_disk, server_body
from provisioning.providers.upcloud.server_changes import ServerChange
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART, Found, Recorded, Wanted


class Servers(Maker):
    """Servers with their root disks."""

    kind = "server"

    def rows(self, tags: Mapping[str, str]) -> list[Row]:
        return self.cloud.listed("/server/", ("servers", "server"), tags)

    def get(self, uuid: str) -> Row | None:
        return machines.server(self.cloud, uuid)

    def found(self, row: Row, known: Mapping[str, Any]) -> Found:
        return self._found(row, known, {})

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        row = self.own(wanted)
        secret_outputs: dict[str, str] = {}
        if row is None:
            body = server_body(self.cloud, wanted)
            row = calls.run("CreateServer", lambda: self.api.post("/server", body))["server"]
            assert row is not None
            if row.get("password"):
                secret_outputs = {"password": row["password"]}
        row = machines.started(self.cloud, row["uuid"], calls)
        if wanted.values["networking"].get("public_ip") and not groups_of(wanted):
            calls.report(f"{wanted.address} has a public address and no security group: every port of it is open")
        if groups_of(wanted):
            firewall.write(self.cloud, row["uuid"], firewall.whole(groups_of(wanted)), calls)
        disk = root_disk(row)
        if disk and wanted.values.get("backup"):
            disks.set_backup_rule(self.cloud, disk["storage"], wanted.values["backup"], calls, part=DISK)
        return self._found(row, wanted.values, secret_outputs)

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        self.there(one)
        change = ServerChange(self.cloud, one.id, wanted, paths, calls)
        return self.found(change.make(), wanted.values)

    def delete(self, one: Recorded, calls: Calls) -> None:
        row = self.get(one.id)
        if row is not None:
            disk = root_disk(row)
            row = machines.stopped(self.cloud, one.id, calls)
            for device in row["storage_devices"]["storage_device"]:
                # Only what came with the server goes with it.
                if disk is None or device["storage"] != disk["storage"]:
                    machines.detach(self.cloud, one.id, device["storage"], calls)
            calls.run("DeleteServer", lambda: self.api.delete(f"/server/{one.id}/", [("storages", "1")]))
        tags = {tag: one.tags[tag] for tag in (TAG_ADDRESS, TAG_LINEAGE) if tag in one.tags}
        if len(tags) == 2:
            for left in self.cloud.listed("/storage", ("storages", "storage"), {**tags, TAG_PART: DISK}):
                calls.run("DeleteStorage", self._remover(left["uuid"]), part=DISK)

    def disks(self, one: Recorded) -> list[str]:
        """The ids of a server's own disks."""
        disk = root_disk(self.there(one))
        return [disk["storage"]] if disk else []

    def _remover(self, storage: str) -> Any:
        return lambda: self.api.delete(f"/storage/{storage}")

    def _found(self, row: Row, known: Mapping[str, Any], secret_outputs: Mapping[str, str]) -> Found:
        disk = root_disk(row)
        public, private = address(row, "public"), address(row, "private")
        values: dict[str, Any] = {
            "name": row["title"], "plan": row["plan"], "spec.cpu": int(row["core_number"]),
            "spec.memory_gb": int(row["memory_amount"]) / 1024, "networking.public_ip": interface(row, "public") is not None,
            "networking.security_groups": self._groups(row, known), "region" if not known.get("zone") else "zone": row["zone"],
        }  # fmt: skip
        if disk:
            values |= self._disk_values(disk, known)
        parts = {DISK: disk["storage"]} if disk else {}
        parts |= {name: found for name, found in (("public_ip", public), (NETWORK, network_in(row))) if found}
        outputs = {"public_ip": public, "private_ip": private, "hostname": row["hostname"], "zone": row["zone"]}
        status = machines.STATUS.get(row["state"], "unknown")
        return self.make_found(row, known, status, values, outputs=outputs, parts=parts, secret_outputs=secret_outputs)

    def _disk_values(self, disk: Row, known: Mapping[str, Any]) -> dict[str, Any]:
        spec = known.get("spec") or {}
        values = {
            "spec.disk_gb": int(disk["storage_size"]),
            "spec.disk_type": disks.kind_of(disk["storage_tier"], spec.get("disk_type")),
        }
        if "storage_encrypted" in disk:
            values["spec.encrypted_disk"] = disk["storage_encrypted"] == "yes"
        about = labels_of(disk)
        if "_os_type" in about:
            values["spec.os.family"] = about["_os_type"]
        version = (spec.get("os") or {}).get("version")
        if "_os_brand_version" in about:
            found = about["_os_brand_version"]
            # 9 is what 9.4 was made of, and 12.5 what 12 became.
            is_same = version and (f"{version}.".startswith(f"{found}.") or f"{found}.".startswith(f"{version}."))
            values["spec.os.version"] = version if is_same else found
        storage = self.cloud.got(f"/storage/{disk['storage']}", "storage")
        if storage:
            values |= disks.backup_values(storage.get("backup_rule") or {}, known.get("backup"))
        return values

    @staticmethod
    def _groups(row: Row, known: Mapping[str, Any]) -> list[str] | None:
        keys = {key for key in labels_of(row).get(GROUPS, "").split(",") if key}
        if row.get("firewall") == "off":
            keys = set()
        names = (known.get("networking") or {}).get("security_groups") or []
        by_key = {firewall.group_key(f"security_group.{name}"): name for name in names}
        return sorted(by_key.get(key, key) for key in keys) or None


def interface(row: Row, kind: str) -> Row | None:
    """The first interface of a kind: public, private, utility."""
    every = row["networking"]["interfaces"]["interface"]
    return next((one for one in every if one["type"] == kind), None)


def address(row: Row, kind: str) -> str:
    """The first address on interfaces of a kind, IPv4 before IPv6; "" when there is none."""
    every = [one for one in row["networking"]["interfaces"]["interface"] if one["type"] == kind]
    found = [one for each in every for one in each["ip_addresses"]["ip_address"]]
    return str(min(found, key=lambda one: one["family"])["address"]) if found else ""


def network_in(row: Row) -> str:
    """The id of a server's private network."""
    found = interface(row, "private")
    return str(found["network"]) if found else ""

"""Volumes: storages of their own, given to at most one server."""

from collections.abc import Mapping
from typing import Any

from provisioning.providers.base import Calls
from provisioning.providers.upcloud import disks, machines
from provisioning.providers.upcloud.cloud import Maker, Row, is_part, zone_of
from provisioning.providers.upcloud.labels import labels, labels_of
from provisioning.resource import Found, Recorded, Wanted


class Volumes(Maker):
    """Storages that did not come with a server."""

    kind = "volume"

    def rows(self, tags: Mapping[str, str]) -> list[Row]:
        path = "/storage" if tags else "/storage/private"
        storages = self.cloud.listed(path, ("storages", "storage"), tags)
        return [row for row in storages if row.get("type") == "normal" and not is_part(row)]

    def get(self, uuid: str) -> Row | None:
        return self.cloud.got(f"/storage/{uuid}", "storage")

    def found(self, row: Row, known: Mapping[str, Any]) -> Found:
        servers = row["servers"]["server"]
        values: dict[str, Any] = {
            "name": row["title"], "size_gb": int(row["size"]), "type": disks.kind_of(row["tier"], known.get("type")),
            "attached_to": self._name(servers[0]) if servers else None, "zone" if known.get("zone") else "region": row["zone"],
        }  # fmt: skip
        if "encrypted" in row:
            values["encrypted"] = row["encrypted"] == "yes"
        values |= disks.backup_values(row.get("backup_rule") or {}, known.get("backup"))
        return self.make_found(
            row,
            known,
            disks.STATUS.get(row["state"], "failed"),
            values,
            outputs={"zone": row["zone"], "server": ",".join(servers)},
        )

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        row = self.own(wanted)
        if row is None:
            values = wanted.values
            storage: dict[str, Any] = {
                "size": str(values["size_gb"]), "tier": disks.tier(values.get("type")), "title": values["name"],
                "zone": zone_of(wanted, self.cloud.account), "encrypted": disks.yes(values.get("encrypted", True)),
                "labels": labels(wanted.tags),
            }  # fmt: skip
            rule = disks.backup_rule(values.get("backup"))
            if rule:
                storage["backup_rule"] = rule
            row = calls.run("CreateStorage", lambda: self.api.post("/storage", {"storage": storage}))["storage"]
            assert row is not None
        row = disks.wait_online(self.cloud, row["uuid"], calls)
        return self._placed(row, wanted, calls)

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        row = self.there(one)
        values, path = wanted.values, f"/storage/{one.id}"
        if any(name == "name" or name.startswith("tags.") for name in paths):
            body = {"storage": {"title": values["name"], "labels": labels(wanted.tags)}}
            calls.run("ModifyStorage", lambda: self.api.put(path, body))
        if any(name.startswith("backup") for name in paths):
            disks.set_backup_rule(self.cloud, one.id, values.get("backup"), calls)
        if "size_gb" in paths and int(row["size"]) != values["size_gb"]:
            # A storage in use cannot grow.
            self._freed(row, calls)
            disks.grow(self.cloud, one.id, values["size_gb"], calls)
        return self._placed(disks.wait_online(self.cloud, one.id, calls), wanted, calls)

    def delete(self, one: Recorded, calls: Calls) -> None:
        row = self.get(one.id)
        if row is None:
            return
        self._freed(row, calls)
        calls.run("DeleteStorage", lambda: self.api.delete(f"/storage/{one.id}"))

    def _placed(self, row: Row, wanted: Wanted, calls: Calls) -> Found:
        refs = wanted.named("attached_to")
        server = refs[0].id if refs else ""
        if row["servers"]["server"] != ([server] if server else []):
            self._freed(row, calls)
            if server:
                machines.attach(self.cloud, server, row["uuid"], calls)
            row = disks.wait_online(self.cloud, row["uuid"], calls)
        return self.found(row, wanted.values)

    def _freed(self, row: Row, calls: Calls) -> None:
        for server in row["servers"]["server"]:
            machines.detach(self.cloud, server, row["uuid"], calls)

    def _name(self, server: str) -> str:
        row = machines.server(self.cloud, server)
        address = labels_of(row).get("prov-id", "") if row else ""
        return address.partition(".")[2] or (str(row["title"]) if row else server)

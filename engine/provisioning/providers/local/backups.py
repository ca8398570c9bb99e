"""Backups of servers and volumes as copies of their own: LXD's snapshots are deleted together with what they are of.

A copy is made of a snapshot, so that it shows one moment. It is stopped, marked as a backup, holds on to no network or volume,
and stays until a person removes it (`lxc delete NAME`, `lxc storage volume delete POOL NAME`).
"""

import json
from typing import Final

from provisioning.errors import ProviderError
from provisioning.providers.base import Calls
from provisioning.providers.local.daemon import Daemon, Json
from provisioning.providers.local.identity import ADDRESS, BACKUP_OF, LINEAGE, short
from provisioning.providers.local.volumes import Volumes, path_of
from provisioning.resource import Recorded

RECORD: Final = "user.prov.backup.record"
LABEL: Final = "user.prov.backup.label"
HOLDERS: Final = "user.prov.backup.holders"
COPY_LIMIT: Final = 3600  # seconds


class Backups:
    """Copies that outlive what they are of."""

    def __init__(self, daemon: Daemon, volumes: Volumes) -> None:
        self._daemon = daemon
        self._volumes = volumes

    def make(self, one: Recorded, label: str, calls: Calls) -> str:
        """Copy a server's or volume's data; answers the copy's id. The same label twice is one backup.

        Raises ProviderError for what holds no data, or is gone.
        """
        if one.kind == "server":
            return self._copy_server(one, label, calls)
        if one.kind == "volume":
            return self._copy_volume(one, label, calls)
        raise ProviderError(f"{one.address}: a {one.kind} holds no data at LXD", hint="nothing is lost with it")

    def restore(self, one: Recorded, backup: str, calls: Calls) -> None:
        """Put a backup in the place of a server or volume, under the same id; what is there now is deleted.

        A server is left stopped. Raises ProviderError when there is no such backup.
        """
        path = f"instances/{backup}" if one.kind == "server" else path_of(backup)
        kept = self._daemon.find(path)
        if kept is None or kept["config"].get(BACKUP_OF) != one.address:
            raise ProviderError(
                f"there is no backup {backup} of {one.address}", hint="see `lxc list` and `lxc storage volume list`"
            )
        record = json.loads(kept["config"][RECORD])
        if one.kind == "server":
            self._restore_server(one, backup, record, calls)
        else:
            self._restore_volume(one, backup, record, calls)

    def _copy_server(self, one: Recorded, label: str, calls: Calls) -> str:
        path, snapshot, name = f"instances/{one.id}", _snapshot(label), _backup_name(one.id, label)
        copy = self._daemon.find(f"instances/{name}")
        if copy is None:
            now = self._daemon.get(path)
            record = json.dumps({"config": _kept(now["config"]), "devices": now["devices"]}, sort_keys=True)
            self._take(f"{path}/snapshots", snapshot, calls)
            calls.report(f"copying {one.id} to {name}")
            config = {BACKUP_OF: one.address, LABEL: label, RECORD: record}
            source = {"type": "copy", "source": f"{one.id}/{snapshot}"}
            body = {
                "name": name,
                "type": "container",
                "source": source,
                "config": config,
                "devices": now["devices"],
                "profiles": [],
            }
            calls.run("CopyInstance", lambda: self._daemon.post("instances", body, limit=COPY_LIMIT))
            copy = self._daemon.get(f"instances/{name}")
        if set(copy["devices"]) - {"root"} or ADDRESS in copy["config"]:
            calls.run("UpdateInstance", lambda: self._daemon.edit(f"instances/{name}", _bare))
        self._drop(f"{path}/snapshots/{snapshot}", calls)
        return name

    def _restore_server(self, one: Recorded, backup: str, record: Json, calls: Calls) -> None:
        if (now := self._daemon.find(f"instances/{one.id}")) is not None:
            if now["status"] != "Stopped":
                stop = {"action": "stop", "force": True, "timeout": 30}
                calls.run("StopInstance", lambda: self._daemon.put(f"instances/{one.id}/state", stop))
            calls.run("DeleteInstance", lambda: self._daemon.delete(f"instances/{one.id}"))
        body = {
            "name": one.id, "type": "container", "source": {"type": "copy", "source": backup, "instance_only": True},
            "config": record["config"], "devices": record["devices"],
        }  # fmt: skip
        calls.run("CopyInstance", lambda: self._daemon.post("instances", body, limit=COPY_LIMIT))
        calls.run("UpdateInstance", lambda: self._daemon.edit(f"instances/{one.id}", _unmark))

    def _copy_volume(self, one: Recorded, label: str, calls: Calls) -> str:
        pool, _, volume = one.id.partition("/")
        path, snapshot, name = path_of(one.id), _snapshot(label), _backup_name(volume, label)
        if self._daemon.find(path_of(f"{pool}/{name}")) is None:
            now = self._daemon.get(path)
            self._take(f"{path}/snapshots", snapshot, calls)
            calls.report(f"copying {one.id} to {pool}/{name}")
            config = {BACKUP_OF: one.address, LABEL: label, RECORD: json.dumps({"config": now["config"]}, sort_keys=True)}
            self._copy(pool, f"{volume}/{snapshot}", name, {**_sized(now["config"]), **config}, calls)
        self._drop(f"{path}/snapshots/{snapshot}", calls)
        return f"{pool}/{name}"

    def _restore_volume(self, one: Recorded, backup: str, record: Json, calls: Calls) -> None:
        pool, _, volume = one.id.partition("/")
        holders = self._holders(one, backup, calls)
        self._volumes.delete(one, calls)
        self._copy(pool, backup.partition("/")[2], volume, record["config"], calls)
        for name, key, device in holders:
            self._hold(name, key, device, calls)
        if holders:
            self._note_holders(backup, [], calls)

    def _holders(self, one: Recorded, backup: str, calls: Calls) -> list[tuple[str, str, Json]]:
        """Which container has the volume, under which key and how: noted at the backup before it is taken from them."""
        if noted := self._daemon.get(path_of(backup))["config"].get(HOLDERS):
            return [(name, key, device) for name, key, device in json.loads(noted)]
        pool, _, volume = one.id.partition("/")
        holders = [
            (instance["name"], key, device)
            for instance in self._volumes.instances()
            for key, device in instance["devices"].items()
            if (device.get("pool"), device.get("source")) == (pool, volume)
        ]
        if holders:
            self._note_holders(backup, holders, calls)
        return holders

    def _note_holders(self, backup: str, holders: list[tuple[str, str, Json]], calls: Calls) -> None:
        def change(record: Json) -> None:
            record["config"].pop(HOLDERS, None)
            if holders:
                record["config"][HOLDERS] = json.dumps(holders)

        calls.run("UpdateStorageVolume", lambda: self._daemon.edit(path_of(backup), change))

    def _hold(self, name: str, key: str, device: Json, calls: Calls) -> None:
        def change(record: Json) -> None:
            record["devices"][key] = device

        calls.run("AttachVolume", lambda: self._daemon.edit(f"instances/{name}", change))

    def _copy(self, pool: str, source: str, name: str, config: Json, calls: Calls) -> None:
        body = {
            "name": name, "type": "custom", "config": config,
            "source": {"type": "copy", "pool": pool, "name": source, "volume_only": True},
        }  # fmt: skip
        path = f"storage-pools/{pool}/volumes/custom"
        calls.run("CopyStorageVolume", lambda: self._daemon.post(path, body, limit=COPY_LIMIT))

    def _take(self, path: str, snapshot: str, calls: Calls) -> None:
        if self._daemon.find(f"{path}/{snapshot}") is None:
            calls.run("CreateSnapshot", lambda: self._daemon.post(path, {"name": snapshot, "stateful": False}, limit=COPY_LIMIT))

    def _drop(self, path: str, calls: Calls) -> None:
        if self._daemon.find(path) is not None:
            calls.run("DeleteSnapshot", lambda: self._daemon.delete(path))


def _snapshot(label: str) -> str:
    return f"prov-{short(label)}"


def _backup_name(name: str, label: str) -> str:
    return f"{name}-bk{short(label)[:6]}"


def _kept(config: Json) -> Json:
    return {key: value for key, value in config.items() if not key.startswith(("volatile.", "image."))}


def _sized(config: Json) -> Json:
    return {"size": config["size"]} if "size" in config else {}


def _bare(record: Json) -> None:
    record["devices"] = {key: device for key, device in record["devices"].items() if key == "root"}
    for key in (ADDRESS, LINEAGE):
        record["config"].pop(key, None)


def _unmark(record: Json) -> None:
    for key in (BACKUP_OF, LABEL, RECORD):
        record["config"].pop(key, None)

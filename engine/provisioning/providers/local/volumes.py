"""Volumes as custom storage volumes, mounted at `/mnt/NAME` of the server that they are attached to."""

from collections.abc import Callable, Iterable
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.base import Calls
from provisioning.providers.local.daemon import Daemon, Json
from provisioning.providers.local.identity import ADDRESS, BACKUP_OF, NAME, instance_name, is_of, mark, own_tags, tags
from provisioning.providers.local.servers import gibibytes
from provisioning.resource import Found, Recorded, Wanted

_NAMES_TRIED = 10


class Volumes:
    """The custom volumes of one daemon."""

    def __init__(self, daemon: Daemon, pool: Callable[[], str]) -> None:
        self._daemon = daemon
        self._pool = pool

    def all(self) -> list[Json]:
        """Every custom volume, each with its pool as `pool`; backups are none."""
        return [
            {**volume, "pool": pool["name"]}
            for pool in self._daemon.get("storage-pools", recursion=1)
            for volume in self._daemon.get(f"storage-pools/{pool['name']}/volumes/custom", recursion=1)
            if "/" not in volume["name"] and not volume["config"].get(BACKUP_OF)
        ]

    def instances(self) -> list[Json]:
        """Every container, for what is attached to which."""
        found: list[Json] = self._daemon.get("instances", recursion=1)
        return found

    def read(self, one: Recorded) -> Found | None:
        """A volume by its id."""
        volume = self._daemon.find(path_of(one.id))
        return None if volume is None else found({**volume, "pool": one.id.partition("/")[0]}, self.instances())

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        """Make a volume and attach it."""
        every = self.all()
        volume = next((one for one in every if is_of(one["config"], wanted)), None)
        if volume is None:
            pool = self._pool()
            taken = {one["name"] for one in every if one["pool"] == pool}
            name = next(name for name in (instance_name(wanted, n) for n in range(_NAMES_TRIED)) if name not in taken)
            config = {"size": f"{wanted.values['size_gb']}GiB"}
            mark(config, wanted)
            body = {"name": name, "type": "custom", "content_type": "filesystem", "config": config}
            calls.run("CreateStorageVolume", lambda: self._daemon.post(f"storage-pools/{pool}/volumes/custom", body))
            identifier = f"{pool}/{name}"
        else:
            identifier = f"{volume['pool']}/{volume['name']}"
        self._attach(identifier, wanted, calls)
        return self._found(identifier)

    def update(self, one: Recorded, wanted: Wanted, calls: Calls) -> Found:
        """Write name, tags and a larger size, and attach it where it is wanted. Raises ProviderError for a smaller size."""
        now = self._found(one.id)
        size = wanted.values["size_gb"]
        if (now.values.get("size_gb") or 0) > size:
            raise ProviderError(f"{one.address}: a volume cannot shrink", hint="replace it, or leave its size")

        def change(record: Json) -> None:
            mark(record["config"], wanted)
            record["config"]["size"] = f"{size}GiB"

        calls.run("UpdateStorageVolume", lambda: self._daemon.edit(path_of(one.id), change))
        self._attach(one.id, wanted, calls)
        return self._found(one.id)

    def delete(self, one: Recorded, calls: Calls) -> None:
        """Detach and remove a volume. Its backups stay."""
        if self._daemon.find(path_of(one.id)) is None:
            return
        self.detach(one.id, "", calls)
        calls.run("DeleteStorageVolume", lambda: self._daemon.delete(path_of(one.id)))

    def detach(self, identifier: str, but: str, calls: Calls) -> None:
        """Take a volume from every container except one."""
        for instance in self.instances():
            if instance["name"] == but:
                continue
            if devices := _devices(instance, identifier):
                self._without(instance["name"], devices, calls)

    def _without(self, name: str, devices: list[str], calls: Calls) -> None:
        def change(record: Json) -> None:
            for device in devices:
                record["devices"].pop(device, None)

        calls.run("DetachVolume", lambda: self._daemon.edit(f"instances/{name}", change))

    def _attach(self, identifier: str, wanted: Wanted, calls: Calls) -> None:
        server = next((ref.id for ref in wanted.named("attached_to")), "")
        self.detach(identifier, server, calls)
        if not server:
            return
        instance = self._daemon.get(f"instances/{server}")
        if _devices(instance, identifier):
            return
        pool, _, name = identifier.partition("/")
        device = {"type": "disk", "pool": pool, "source": name, "path": _mounted_at(name)}
        calls.run(
            "AttachVolume",
            lambda: self._daemon.edit(f"instances/{server}", lambda record: record["devices"].update({name: device})),
        )

    def _found(self, identifier: str) -> Found:
        volume = self._daemon.get(path_of(identifier))
        return found({**volume, "pool": identifier.partition("/")[0]}, self.instances())


def path_of(identifier: str) -> str:
    """Where LXD has a volume, by `POOL/NAME`."""
    pool, _, name = identifier.partition("/")
    return f"storage-pools/{pool}/volumes/custom/{name}"


def found(volume: Json, instances: Iterable[Json]) -> Found:
    """A custom volume as LXD shows it, with `pool`."""
    config = volume["config"]
    identifier = f"{volume['pool']}/{volume['name']}"
    holder = next((one for one in instances if _devices(one, identifier)), None)
    values: dict[str, Any] = {
        "name": config.get(NAME, volume["name"]),
        "size_gb": gibibytes(config.get("size", "")),
        "attached_to": holder and holder["config"].get(NAME, holder["name"]),
    }
    values |= {f"tags.{key}": value for key, value in own_tags(config).items()}
    outputs = {"pool": volume["pool"], "name": volume["name"]}
    if holder is not None:
        outputs |= {"server": holder["name"], "path": holder["devices"][_devices(holder, identifier)[0]]["path"]}
    return Found("volume", identifier, "available", config.get(ADDRESS, ""), values, outputs, tags=tags(config))


def _devices(instance: Json, identifier: str) -> list[str]:
    pool, _, name = identifier.partition("/")
    return [key for key, one in instance["devices"].items() if (one.get("pool"), one.get("source")) == (pool, name)]


def _mounted_at(name: str) -> str:
    # The digits at the end tell two workspaces apart, and inside one server nobody needs them.
    return f"/mnt/{name.rpartition('-')[0]}"

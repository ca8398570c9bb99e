"""Servers as LXD containers."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from provisioning.errors import ProviderError
from provisioning.providers.base import Calls
from provisioning.providers.local import image, networks
from provisioning.providers.local.access import Access
from provisioning.providers.local.daemon import Daemon, Json
from provisioning.providers.local.identity import ADDRESS, BACKUP_OF, NAME, OS, instance_name, is_of, mark, own_tags, tags
from provisioning.providers.local.waiting import Waiting
from provisioning.resource import Found, Recorded, Status, Wanted

ADDRESS_LIMIT: Final = 120  # seconds until DHCP gave an address
STOP_LIMIT: Final = 30  # seconds until a container is stopped by force
_NAMES_TRIED = 10
_USER_DATA = "cloud-init.user-data"

_STATUS: Mapping[str, Status] = {
    "Running": "running", "Ready": "running", "Stopped": "stopped", "Frozen": "stopped", "Error": "failed",
    "Starting": "pending", "Stopping": "pending", "Aborting": "pending", "Freezing": "pending", "Thawed": "pending",
}  # fmt: skip


class Servers:
    """The containers of one daemon."""

    def __init__(self, daemon: Daemon, images: image.Images, pool: Callable[[], str]) -> None:
        self._daemon = daemon
        self._images = images
        self._pool = pool
        # Two containers that are made at once must not choose the same address.
        self._choosing = threading.Lock()
        self._chosen: set[str] = set()

    def all(self) -> list[Json]:
        """Every container, with its state."""
        every = self._daemon.get("instances", recursion=2)
        return [one for one in every if one["type"] == "container" and not one["config"].get(BACKUP_OF)]

    def read(self, one: Recorded) -> Found | None:
        """A server by its id."""
        instance = self._instance(one.id)
        return None if instance is None else found(instance, self._bridges(instance))

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        """Make a container of the image, start it, and wait until it has its address."""
        every = self._daemon.get("instances", recursion=1)
        instance = next((one for one in every if is_of(one["config"], wanted)), None)
        if instance is None:
            source = self._images.source(wanted.values["spec"]["os"], calls)
            taken = {one["name"] for one in every}
            name = next(name for name in (instance_name(wanted, n) for n in range(_NAMES_TRIED)) if name not in taken)
            config: dict[str, str] = {}
            _configure(config, wanted)
            with self._nic(wanted, name) as nic:
                devices = {"root": self._root(wanted, {}), **nic}
                body = {"name": name, "type": "container", "source": source, "config": config, "devices": devices}
                calls.report(f"making the container {name}")
                calls.run(
                    "CreateInstance", lambda: self._daemon.post("instances", body, limit=image.PULL_LIMIT, tell=calls.report)
                )
        else:
            name = instance["name"]
        self._start(name, calls)
        made = self._ready(name, calls)
        self._say_of_user_data(wanted, name, calls)
        return made

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        """Write limits, disk, name and tags; exchange the network interface where another network or subnet is wanted.

        Raises ProviderError for what is chosen when a container is made: a smaller disk, another system, other user data.
        """
        before = self._instance(one.id)
        if before is None:
            raise ProviderError(f"{one.address} is not at LXD any more", hint="refresh the state, then plan again")
        seen_before = found(before, self._bridges(before))
        seen = seen_before.values
        fixed = [path for path in paths if path == "user_data" or path.startswith("spec.os.")]
        fixed = [path for path in fixed if path == "user_data" or seen.get(path) != _leaf(wanted.values, path)]
        if fixed:
            raise ProviderError(f"{one.address}: {', '.join(sorted(fixed))} cannot change in place", hint="replace it")
        if (seen.get("spec.disk_gb") or 0) > (wanted.values["spec"].get("disk_gb") or 0):
            raise ProviderError(f"{one.address}: a root disk cannot shrink", hint="replace it, or leave its size")
        moves = any(
            path.startswith("networking.") and path in seen and seen[path] != _leaf(wanted.values, path) for path in paths
        )
        path = f"instances/{one.id}"
        with contextlib.ExitStack() as stack:
            nic = stack.enter_context(self._nic(wanted, one.id)) if moves else {}

            def change(record: Json) -> None:
                _configure(record["config"], wanted)
                record["devices"]["root"] = self._root(wanted, record["devices"].get("root", {}))
                if moves:
                    record["devices"].pop("eth0", None)
                record["devices"].update(nic)

            if moves and before["status"] == "Running":
                calls.run("StopInstance", lambda: self._set_state(one.id, "stop"))
            calls.run("UpdateInstance", lambda: self._daemon.edit(path, change))
        if moves or "running" in {seen_before.status, one.status}:
            # An earlier attempt may have been cut off after it stopped it.
            self._start(one.id, calls)
            return self._ready(one.id, calls)
        now = self._seen(one.id)
        return found(now, self._bridges(now))

    def start(self, one: Recorded, calls: Calls) -> Found:
        """Start a container that is there, and wait until it has its address."""
        self._start(one.id, calls)
        return self._ready(one.id, calls)

    def delete(self, one: Recorded, calls: Calls) -> None:
        """Stop and remove a container. Its volumes and backups stay."""
        instance = self._instance(one.id)
        if instance is None:
            return
        if instance["status"] != "Stopped":
            calls.run("StopInstance", lambda: self._set_state(one.id, "stop"))
        calls.run("DeleteInstance", lambda: self._daemon.delete(f"instances/{one.id}"))

    def _instance(self, name: str) -> Json | None:
        instance = self._daemon.find(f"instances/{name}")
        return instance and {**instance, "state": self._daemon.find(f"instances/{name}/state")}

    def _seen(self, name: str) -> Json:
        return {**self._daemon.get(f"instances/{name}"), "state": self._daemon.get(f"instances/{name}/state")}

    def _bridges(self, instance: Json) -> list[Json]:
        names = {device.get("network") for device in instance["expanded_devices"].values() if device["type"] == "nic"}
        return [bridge for name in names if name and (bridge := self._daemon.find(f"networks/{name}"))]

    def _root(self, wanted: Wanted, now: Mapping[str, str]) -> dict[str, str]:
        size = wanted.values["spec"].get("disk_gb")
        root = dict(now) or {"type": "disk", "path": "/", "pool": self._pool()}
        return root | ({"size": f"{size}GiB"} if size else {})

    @contextlib.contextmanager
    def _nic(self, wanted: Wanted, name: str) -> Iterator[dict[str, dict[str, str]]]:
        """The interface on the bridge of its network, its address kept free meanwhile; empty: the default profile's."""
        in_subnet, in_vpc = wanted.named("networking.subnet"), wanted.named("networking.vpc")
        if not in_subnet and not in_vpc:
            yield {}
            return
        network = in_subnet[0].id.partition("/")[0] if in_subnet else in_vpc[0].id
        bridge = self._daemon.get(f"networks/{network}")
        with self._choosing:
            others = [one for one in self._daemon.get("instances", recursion=1) if one["name"] != name]
            taken = {
                device["ipv4.address"]
                for one in others
                for device in one["devices"].values()
                if device.get("network") == network and device.get("ipv4.address")
            }
            subnet = in_subnet[0].id if in_subnet else ""
            address = networks.free_address(bridge, subnet, frozenset(taken | self._chosen), name)
            fixed = {"ipv4.address": address} if address else {}
            self._chosen.update(fixed.values())
        try:
            yield {"eth0": {"type": "nic", "name": "eth0", "network": network, **fixed}}
        finally:
            self._chosen.difference_update(fixed.values())

    def _start(self, name: str, calls: Calls) -> None:
        if self._daemon.get(f"instances/{name}/state")["status"] != "Running":
            calls.run("StartInstance", lambda: self._set_state(name, "start"))

    def _set_state(self, name: str, action: str) -> None:
        self._daemon.put(f"instances/{name}/state", {"action": action, "force": True, "timeout": STOP_LIMIT})

    def _ready(self, name: str, calls: Calls) -> Found:
        waiting = Waiting(f"{name} has an address", ADDRESS_LIMIT, calls)
        while True:
            instance = self._seen(name)
            seen = found(instance, self._bridges(instance))
            has_nic = any(device["type"] == "nic" for device in instance["expanded_devices"].values())
            if seen.status == "running" and (seen.outputs.get("private_ip") or not has_nic):
                return seen
            waiting.go_on()

    def _say_of_user_data(self, wanted: Wanted, name: str, calls: Calls) -> None:
        if not wanted.values.get("user_data"):
            return
        if Access(self._daemon, name).run(["sh", "-c", "command -v cloud-init"]).code != 0:
            calls.report(f"the image of {name} has no cloud-init: its user_data is kept in its config, and nothing runs it")


def found(instance: Json, bridges: Iterable[Json]) -> Found:
    """A container, as LXD shows it with its state, as a server."""
    config: Mapping[str, str] = instance["config"]
    devices: Mapping[str, Mapping[str, str]] = instance["expanded_devices"]
    family, _, version = config.get(OS, _stock_os(config)).partition("/")
    values: dict[str, Any] = {
        "name": config.get(NAME, instance["name"]),
        "spec.cpu": int(cpu) if (cpu := config.get("limits.cpu", "")).isdigit() else None,
        "spec.memory_gb": gibibytes(config.get("limits.memory", "")),
        "spec.disk_gb": gibibytes(devices.get("root", {}).get("size", "")),
        "spec.os.family": family,
        "spec.os.version": version,
    }
    values |= {f"tags.{key}": value for key, value in own_tags(config).items()}
    outputs: dict[str, Any] = {"name": instance["name"]}
    nics = [device for device in devices.values() if device["type"] == "nic"]
    nic = devices.get("eth0") or next(iter(nics), {})
    bridge = next((one for one in bridges if one["name"] == nic.get("network")), None)
    if bridge is not None and bridge["config"].get(ADDRESS):
        fixed = nic.get("ipv4.address")
        values["networking.vpc"] = bridge["config"].get(NAME)
        values["networking.subnet"] = networks.subnet_of(bridge, fixed) if fixed else None
        outputs["bridge"] = bridge["name"]
    outputs |= _addresses(instance)
    status = _STATUS.get(instance["status"], "unknown")
    return Found("server", instance["name"], status, config.get(ADDRESS, ""), values, outputs, tags=tags(config))


def _addresses(instance: Json) -> dict[str, str]:
    interfaces = ((instance.get("state") or {}).get("network") or {}).items()
    seen = {
        address["family"]: address["address"]
        for name, interface in interfaces
        if name != "lo"
        for address in reversed(interface["addresses"])
        if address["scope"] == "global"
    }
    words = {"inet": "private_ip", "inet6": "ipv6"}
    return {words[family]: address for family, address in sorted(seen.items())}


def _configure(config: dict[str, str], wanted: Wanted) -> None:
    mark(config, wanted)
    spec = wanted.values["spec"]
    config[OS] = f"{spec['os']['family']}/{spec['os']['version']}"
    limits = {
        "limits.cpu": str(spec["cpu"]) if spec.get("cpu") else "",
        "limits.memory": f"{round(spec['memory_gb'] * 1024)}MiB" if spec.get("memory_gb") else "",
    }
    text = str(wanted.values.get("user_data") or "")
    for handle, value in wanted.secrets.items():
        text = text.replace(handle, value)
    for key, value in {**limits, _USER_DATA: text}.items():
        if value:
            config[key] = value
        else:
            config.pop(key, None)


def _leaf(values: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    inner: Any = values
    for step in path.split("."):
        inner = inner.get(step) if isinstance(inner, Mapping) else None
    return inner


def _stock_os(config: Mapping[str, str]) -> str:
    return f"{config.get('image.os', '').lower()}/{config.get('image.release', '')}"


_POWERS: Final = {
    f"{letter}{end}": base**power for power, letter in enumerate("KMGT", 1) for end, base in (("iB", 1024), ("B", 1000))
}
_UNITS: Final = {"": 1, "B": 1, "kB": 1000, **_POWERS}


def gibibytes(text: str) -> float | int | None:
    """What LXD writes as `512MiB` or `20GB`, in GiB; None for no limit, and for one in per cent."""
    digits = text.rstrip("BbkKMGTiI ")
    unit = text[len(digits) :].strip()
    if not digits.isdigit() or unit not in _UNITS:
        return None
    size = int(digits) * _UNITS[unit] / (1 << 30)
    return int(size) if size.is_integer() else size

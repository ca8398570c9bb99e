"""What is done to a server whatever for: look at it, wait for it, stop it, start it."""

from collections.abc import Mapping

from provisioning.errors import ProviderError
from provisioning.providers.base import Calls
from provisioning.providers.upcloud.cloud import Cloud, Row
from provisioning.resource import Status

STATUS: Mapping[str, Status] = {"started": "running", "stopped": "stopped", "maintenance": "pending", "error": "failed"}
_STOP_SECONDS = "60"
"""A server that has not shut down after so long is switched off."""


def server(cloud: Cloud, uuid: str) -> Row | None:
    """A server in full, None when it is gone."""
    return cloud.got(f"/server/{uuid}", "server")


def reached(cloud: Cloud, uuid: str, states: frozenset[str], calls: Calls) -> Row:
    """A server in full once it is in one of these states. Raises ProviderErrors."""
    seen: list[Row] = []

    def look() -> str:
        row = server(cloud, uuid)
        if row is None:
            raise ProviderError(f"server {uuid} went away while it was waited for", hint="plan again: it is made anew")
        seen[:] = [row]
        return str(row["state"])

    cloud.wait(f"server {uuid}", look, states.__contains__, calls)
    return seen[0]


def settled(cloud: Cloud, uuid: str, calls: Calls) -> Row:
    """A server in full once UpCloud has finished with it."""
    return reached(cloud, uuid, frozenset({"started", "stopped"}), calls)


def stopped(cloud: Cloud, uuid: str, calls: Calls) -> Row:
    """Shut a server down; it is stopped when this returns."""
    row = settled(cloud, uuid, calls)
    if row["state"] == "stopped":
        return row
    body = {"stop_server": {"stop_type": "soft", "timeout": _STOP_SECONDS}}
    calls.run("StopServer", lambda: cloud.api.post(f"/server/{uuid}/stop", body))
    return reached(cloud, uuid, frozenset({"stopped"}), calls)


def started(cloud: Cloud, uuid: str, calls: Calls) -> Row:
    """Start a server; it runs when this returns."""
    row = settled(cloud, uuid, calls)
    if row["state"] == "started":
        return row
    calls.run("StartServer", lambda: cloud.api.post(f"/server/{uuid}/start", {"server": {}}))
    return reached(cloud, uuid, frozenset({"started"}), calls)


def attach(cloud: Cloud, uuid: str, storage: str, calls: Calls) -> None:
    """Give a storage to a server, running or not."""
    settled(cloud, uuid, calls)
    body = {"storage_device": {"type": "disk", "address": "virtio", "storage": storage}}
    calls.run("AttachStorage", lambda: cloud.api.post(f"/server/{uuid}/storage/attach", body))


def detach(cloud: Cloud, uuid: str, storage: str, calls: Calls) -> None:
    """Take a storage from a server; one that it does not have is fine."""
    row = server(cloud, uuid)
    if row is None:
        return
    if row["state"] == "maintenance":
        row = settled(cloud, uuid, calls)
    device = next((one for one in row["storage_devices"]["storage_device"] if one["storage"] == storage), None)
    if device:
        body = {"storage_device": {"address": device["address"]}}
        calls.run("DetachStorage", lambda: cloud.api.post(f"/server/{uuid}/storage/detach", body))

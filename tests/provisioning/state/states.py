"""States to test with, and what is put into them."""

import os
from pathlib import Path
from typing import Any

from provisioning.resource import Recorded
from provisioning.state.model import Operation, StoredPlan
from provisioning.state.records import sha256
from provisioning.state.store import StateStore, Write, open_store
from stratumops.errors import StratumError

WRITE = Write(None, operation="op", by="ana", reason="a test")
"""A write of a person, under no lease."""


def server(name: str = "web", **changed: Any) -> Recorded:
    """A recorded server; `changed` are fields of it."""
    values = {"name": name, "provider": "aws", "region": "eu-west-1", "plan": "t3.small", "spec": {"disk_gb": 20}}
    fields: dict[str, Any] = {
        "address": f"server.{name}",
        "kind": "server",
        "provider": "aws",
        "region": "eu-west-1",
        "id": f"i-{name}",
        "values": values,
        "record": {"name": name, "plan": "t3.small"},
        "model": "Server",
        "path": ("servers", 0),
        "names": (("networking.vpc", "vpc.main"),),
        "outputs": {"address": "10.0.0.4", "ports": [22, 443]},
        "parts": {"volume": f"vol-{name}"},
        "tags": {"prov:id": f"server.{name}", "Team": "größe\x00 \ud800"},
        "status": "running",
        "checked_at": 12.5,
        "observed": {"spec.disk_gb": 30},
    }
    return Recorded(**{**fields, **changed})


def sized(name: str, disk_gb: int) -> Recorded:
    """A server that differs from others only in its disk."""
    return server(name, values={"name": name, "spec": {"disk_gb": disk_gb}})


def operation(number: int = 1, **changed: Any) -> Operation:
    """An operation that is queued."""
    fields = {"kind": "apply", "status": "queued", "plan_id": "p", "plan_sha256": "s", "title": "Apply", "by": "ana"}
    return Operation(**{"id": f"op-{number}", "made_at": float(number), **fields, **changed})


def plan(number: int = 1, **changed: Any) -> StoredPlan:
    """A plan that can be used until the year 2100."""
    body = f'{{"plan":{number}}}'.encode()
    fields = {"id": f"plan-{number}", "sha256": sha256(body), "body": body, "made_at": float(number), "expires_at": 4e9}
    return StoredPlan(**{**fields, **changed})


class Told(list[str]):
    """What a store had to say."""

    def open(self, place: Path | str, **more: Any) -> StateStore:
        """Open a state that tells it here."""
        return open_store(place, notify=self.append, **more)


def files(folder: Path) -> set[str]:
    """The names in a folder."""
    return {path.name for path in folder.iterdir()}


def put_many(store: StateStore, size: int, most: int = 10_000) -> int:
    """Put resources of so many bytes until one is refused; the error's details say how many were `put`."""
    for number in range(most):
        try:
            store.put(server(f"n{number}", outputs={"text": os.urandom(size // 2).hex()}), WRITE)
        except StratumError as error:
            error.details["put"] = number
            raise
    return most

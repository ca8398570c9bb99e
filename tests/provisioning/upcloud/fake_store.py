"""What the fake UpCloud keeps, and the checks that all kinds of object share."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.provisioning.upcloud import recordings

Row = dict[str, Any]
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,31}")


@dataclass(frozen=True)
class Request:
    """A request: `target` is the path with its query as it came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    target: str


class RefusedError(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        recorded = recordings.answer("errorhandling", "POST", "/server/invalid/start")
        recorded["error"].update(error_code=code, error_message=words)
        self.body = recorded


class MissingServiceError(RefusedError):
    """A managed service is not there: it answers another shape."""

    def __init__(self) -> None:
        super().__init__(404, "", "")
        self.body = recordings.answer("loadbalancer", "GET", "/load-balancer/", -1)


@dataclass
class Store:
    """All objects by kind and id. `lag` is how many looks a change of state takes."""

    lag: int
    servers: dict[str, Row] = field(default_factory=dict)
    storages: dict[str, Row] = field(default_factory=dict)
    networks: dict[str, Row] = field(default_factory=dict)
    routers: dict[str, Row] = field(default_factory=dict)
    groups: dict[str, Row] = field(default_factory=dict)
    balancers: dict[str, Row] = field(default_factory=dict)
    firewalls: dict[str, list[Row]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    pending: dict[str, tuple[int, str]] = field(default_factory=dict)
    made: int = 0
    credits: float = 9972.23

    def uuid(self, prefix: str) -> str:
        """A new id of UpCloud's form: the first two digits tell the kind."""
        self.made += 1
        return f"{prefix}{self.made:06x}-0000-4000-8000-{self.made:012x}"

    def become(self, uuid: str, state: str) -> None:
        """Change a state, so many looks later."""
        self.pending[uuid] = (self.lag, state)

    def due(self, uuid: str) -> str:
        """Count a look; the new state when its time has come, else ""."""
        if uuid not in self.pending:
            return ""
        left, state = self.pending[uuid]
        if left > 0:
            self.pending[uuid] = (left - 1, state)
            return ""
        del self.pending[uuid]
        return state

    def get(self, kind: str, uuid: str) -> Row:
        """An object. Raises RefusedError (404)."""
        rows = getattr(self, f"{kind}s")
        if uuid not in rows:
            raise RefusedError(404, f"{kind.upper()}_NOT_FOUND", f"The {kind} {uuid} does not exist.")
        row: Row = rows[uuid]
        return row

    def count(self, lineage: str) -> Counter[str]:
        """How many objects of each kind carry a lineage."""
        kinds = ("servers", "storages", "networks", "routers", "groups", "balancers")
        return Counter(
            kind for kind in kinds for row in getattr(self, kind).values() if labels_of(row).get("prov-lineage") == lineage
        )


def labels_of(row: Row) -> dict[str, str]:
    """The labels of an object in either form."""
    found = row.get("labels") or []
    return {one["key"]: one["value"] for one in (found["label"] if isinstance(found, dict) else found)}


def checked_labels(found: Any) -> Any:
    """Labels as they came. Raises RefusedError (400) where UpCloud refuses them."""
    for one in found["label"] if isinstance(found, dict) else found:
        if not _KEY.fullmatch(one["key"]) or len(one["value"]) > 255:
            raise RefusedError(400, "LABEL_INVALID", f"The label {one['key']} is invalid.")
    return found


def filtered(rows: list[Row], request: Request) -> list[Row]:
    """The rows of a list that fit the query's labels."""
    asked = [value.partition("=") for name, value in request.query if name == "label"]
    return [
        row
        for row in rows
        if all(key in labels_of(row) and (not sign or labels_of(row)[key] == value) for key, sign, value in asked)
    ]

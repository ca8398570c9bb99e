"""Load balancers: a managed service that takes minutes to come and to go."""

from collections.abc import Callable, Mapping
from typing import Any

from provisioning.providers.base import Calls
from provisioning.providers.upcloud.balancer_body import SMALLEST, backends, balancer_body, frontends, observed
from provisioning.providers.upcloud.cloud import Maker, Row
from provisioning.providers.upcloud.labels import carries, labels, query
from provisioning.resource import Found, Recorded, Status, Wanted

_PAGE = 100
_STATUS: Mapping[str, Status] = {"running": "running", "stopped": "stopped", "error": "failed", "failed": "failed"}


class LoadBalancers(Maker):
    """Load balancers with their frontends and backends."""

    kind = "load_balancer"

    def rows(self, tags: Mapping[str, str]) -> list[Row]:
        found: list[Row] = []
        page: list[Row] = []
        while not found or len(page) == _PAGE:
            limits = [("limit", str(_PAGE)), ("offset", str(len(found)))]
            page = self.api.get("/load-balancer", [*limits, *query(tags)])
            found += page
            if not page:
                break
        return [row for row in found if carries(row, tags)]

    def get(self, uuid: str) -> Row | None:
        return self.cloud.got(f"/load-balancer/{uuid}", "")

    def found(self, row: Row, known: Mapping[str, Any]) -> Found:
        addresses = [
            address["address"]
            for node in row["nodes"]
            for network in node["networks"]
            if network["type"] == "public"
            for address in network["ip_addresses"]
            if address["listen"]
        ]
        outputs = {"dns_name": row.get("dns_name"), "public_ip": next(iter(addresses), ""), "zone": row["zone"]}
        status = _STATUS.get(row["operational_state"], "pending")
        return self.make_found(row, known, status, observed(row, known), outputs=outputs)

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        row = self.own(wanted)
        if row is None:
            body = balancer_body(self.cloud, wanted)
            row = calls.run("CreateLoadBalancer", lambda: self.api.post("/load-balancer", body))
            assert row is not None
        return self.found(self._running(row["uuid"], calls), wanted.values)

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        row = self.there(one)
        path, values = f"/load-balancer/{one.id}", wanted.values
        body: dict[str, Any] = {}
        if any(name == "name" or name.startswith("tags.") for name in paths):
            body |= {"name": values["name"], "labels": labels(wanted.tags)}
        if "plan" in paths:
            body["plan"] = values.get("plan") or SMALLEST
        if body:
            row = calls.run("ModifyLoadBalancer", lambda: self.api.patch(path, body))
        if any(name.startswith(("listeners", "targets", "health_check")) for name in paths):
            self._exchange(row, wanted, calls)
        return self.found(self._running(one.id, calls), values)

    def delete(self, one: Recorded, calls: Calls) -> None:
        row = self.get(one.id)
        if row is None:
            return
        if not str(row["operational_state"]).startswith("delete"):
            calls.run("DeleteLoadBalancer", lambda: self.api.delete(f"/load-balancer/{one.id}"))
        self.cloud.wait(one.address, lambda: self._state(one.id), lambda state: state == "gone", calls)

    def _exchange(self, row: Row, wanted: Wanted, calls: Calls) -> None:
        """Frontends go before the backends that they lead to, and come after them."""
        path = f"/load-balancer/{row['uuid']}"
        fronts = {one["name"]: one for one in frontends(self.cloud, wanted)}
        backs = {one["name"]: one for one in backends(wanted)}
        there = {one["name"]: one for one in row["frontends"]}
        for name, one in there.items():
            if not _says(one, fronts.get(name)):
                calls.run("DeleteFrontend", self._remover(f"{path}/frontends/{name}"), part=name)
        behind = {one["name"]: one for one in row["backends"]}
        for name, one in behind.items():
            if name not in backs:
                calls.run("DeleteBackend", self._remover(f"{path}/backends/{name}"), part=name)
            else:
                self._members(f"{path}/backends/{name}", one, backs[name], calls)
        for name, one in backs.items():
            if name not in behind:
                calls.run("CreateBackend", self._maker(f"{path}/backends", one), part=name)
        for name, one in fronts.items():
            if not _says(there.get(name), one):
                calls.run("CreateFrontend", self._maker(f"{path}/frontends", one), part=name)

    def _members(self, path: str, there: Row, wanted: Row, calls: Calls) -> None:
        if not _says({"properties": there["properties"]}, {"properties": wanted["properties"]}):
            body = {"properties": wanted["properties"]}
            calls.run("ModifyBackend", lambda: self.api.patch(path, body), part=wanted["name"])
        now = {one["name"]: one for one in there["members"]}
        then = {one["name"]: one for one in wanted["members"]}
        for name, one in now.items():
            if not _says(one, then.get(name)):
                calls.run("DeleteBackendMember", self._remover(f"{path}/members/{name}"), part=name)
        for name, one in then.items():
            if not _says(now.get(name), one):
                calls.run("CreateBackendMember", self._maker(f"{path}/members", one), part=name)

    def _maker(self, path: str, body: Row) -> Callable[[], Any]:
        return lambda: self.api.post(path, body)

    def _remover(self, path: str) -> Callable[[], None]:
        return lambda: self.api.delete(path)

    def _state(self, uuid: str) -> str:
        row = self.get(uuid)
        return "gone" if row is None else str(row["operational_state"])

    def _running(self, uuid: str, calls: Calls) -> Row:
        self.cloud.wait(f"load balancer {uuid}", lambda: self._state(uuid), lambda state: state in {"running", "gone"}, calls)
        row: Row = self.api.get(f"/load-balancer/{uuid}")
        return row


def _says(there: Any, wanted: Any) -> bool:
    """Whether what is there says all that is wanted; it may say more (times, defaults)."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(_says(there.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_says, there, wanted))
    return bool(there == wanted)

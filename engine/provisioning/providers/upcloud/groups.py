"""Security groups: an empty server group with the labels stands for one, its rules are in the firewalls of its servers."""

from collections.abc import Iterator, Mapping
from typing import Any

from prov_judge.changes.leaves import leaves
from provisioning.providers.base import Calls
from provisioning.providers.upcloud import firewall
from provisioning.providers.upcloud.cloud import Maker, Row
from provisioning.providers.upcloud.labels import GROUPS, RULES, labels, labels_of
from provisioning.resource import TAG_LINEAGE, Found, Recorded, Wanted


class SecurityGroups(Maker):
    """Marks that stand for groups."""

    kind = "security_group"

    def rows(self, tags: Mapping[str, str]) -> list[Row]:
        marks = self.cloud.listed("/server-group", ("server_groups", "server_group"), tags)
        return [row for row in marks if RULES in labels_of(row)]

    def get(self, uuid: str) -> Row | None:
        return self.cloud.got(f"/server-group/{uuid}", "server_group")

    def found(self, row: Row, known: Mapping[str, Any]) -> Found:
        values: dict[str, Any] = {"name": row["title"]}
        if known:
            values |= self._rules(row, known.get("rules") or [])
        return self.make_found(row, known, "available", values)

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        row = self.own(wanted)
        if row is None:
            body = {"server_group": {**self._body(wanted), "anti_affinity": "no"}}
            row = calls.run("CreateServerGroup", lambda: self.api.post("/server-group", body))["server_group"]
        return self._brought(row, wanted, calls)

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:  # noqa: ARG002 - all at once
        return self._brought(self.there(one), wanted, calls)

    def delete(self, one: Recorded, calls: Calls) -> None:
        row = self.get(one.id)
        if row is None:
            return
        for server in self._members(row):
            now = firewall.current(self.cloud, server)
            if now is not None:
                rules = firewall.exchanged(now, self._key(row), ())
                firewall.write(self.cloud, server, rules, calls, now=now)
        calls.run("DeleteServerGroup", lambda: self.api.delete(f"/server-group/{one.id}"))

    def _brought(self, row: Row, wanted: Wanted, calls: Calls) -> Found:
        rules = wanted.values.get("rules") or []
        for server in self._members(row):
            now = firewall.current(self.cloud, server)
            if now is not None:
                firewall.write(self.cloud, server, firewall.exchanged(now, self._key(row), rules), calls, now=now)
        if any(rule.get("groups") for rule in rules):
            calls.report(f"{wanted.address}: UpCloud does not filter private networks; rules between groups need nothing there")
        body = self._body(wanted)
        if row["title"] != body["title"] or labels_of(row) != labels_of(body):
            # Last: what the mark says is what the servers have.
            changed = {"server_group": body}
            path = f"/server-group/{row['uuid']}"
            row = calls.run("ModifyServerGroup", lambda: self.api.patch(path, changed))["server_group"]
        return self.found(row, wanted.values)

    def _rules(self, row: Row, rules: list[Mapping[str, Any]]) -> dict[str, Any]:
        key = self._key(row)
        paths = {path: leaf.value for path, leaf in leaves({"rules": rules}).items()}
        is_as_marked = labels_of(row).get(RULES) == firewall.rules_digest(rules)
        values: dict[str, Any] = {path: rule if is_as_marked else None for path, rule in paths.items()}
        for server in self._members(row):
            now = firewall.current(self.cloud, server)
            if now is None:
                continue
            for path, rule in paths.items():
                if any(one not in now for one in firewall.compiled(key, rule)):
                    values[path] = None
            values |= {path: rule for path, rule in firewall.foreign(now, key, rules).items() if path not in paths}
        return values

    def _members(self, row: Row) -> Iterator[str]:
        key, lineage = self._key(row), labels_of(row).get("prov-lineage", "")
        for server in self.cloud.listed("/server/", ("servers", "server"), {TAG_LINEAGE: lineage}):
            if key in labels_of(server).get(GROUPS, "").split(","):
                yield server["uuid"]

    @staticmethod
    def _key(row: Row) -> str:
        return firewall.group_key(labels_of(row).get("prov-id", ""))

    @staticmethod
    def _body(wanted: Wanted) -> dict[str, Any]:
        mark = {RULES: firewall.rules_digest(wanted.values.get("rules") or [])}
        return {"title": wanted.values["name"], "labels": {"label": labels(wanted.tags, mark)}}

"""Records of Route 53. They carry no tags: a record's zone, name and type are its identity, and its zone's lineage is its own."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.dns import bare, wait_in_sync, zone_tags
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.kind import Query, only
from provisioning.providers.aws.observed import observed
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded, Wanted

_ESCAPED = re.compile(r"\\(\d{3})")
_TXT_PIECE = 255
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _plain(name: str) -> str:
    """A name as people write it: Route 53 writes `*` as \\052 and a dot at the end."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), name).rstrip(".")


def _written(kind: str, value: str) -> str:
    if kind != "TXT" or value.startswith('"'):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return " ".join(f'"{escaped[start : start + _TXT_PIECE]}"' for start in range(0, len(escaped), _TXT_PIECE))


def _read(kind: str, value: str) -> str:
    if kind != "TXT":
        return value
    return "".join(_QUOTED.findall(value)).replace('\\"', '"').replace("\\\\", "\\")


class RecordKind:
    """A record set: values, or the address of a load balancer or a server that it follows."""

    name: ClassVar[str] = "dns_record"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """What is there already with the same answer is what an earlier attempt made; another answer is somebody else's."""
        zone = only(wanted.named("zone"), "zone", wanted).id
        shall = self._record(wanted)
        id_ = f"{zone}/{_plain(shall['Name'])}/{shall['Type']}"
        known = _record_of(aws, id_)
        if known is None:
            self._change(aws, zone, "CREATE", shall, calls)
        elif not _is_alike(known, shall):
            raise ProviderError(
                f"AWS: {_plain(shall['Name'])} has a {shall['Type']} record already, with another answer",
                hint="Import it (`prov state import`), or remove it in Route 53.",
            )
        return id_

    def _change(self, aws: Aws, zone: str, action: str, record: Mapping[str, Any], calls: Calls) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": dict(record)}]}
        made = aws.change(calls, "route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)
        wait_in_sync(aws, made.get("ChangeInfo", {}), calls)

    def _record(self, wanted: Wanted) -> dict[str, Any]:
        values, domain = wanted.values, wanted.values["zone"]
        name = domain if values["name"] == "@" else f"{values['name']}.{domain}"
        record: dict[str, Any] = {"Name": f"{name}.", "Type": values["type"]}
        targets = wanted.named("target")
        if targets and targets[0].kind == "load_balancer":
            followed = targets[0].outputs
            alias = {"HostedZoneId": followed["zone_id"], "DNSName": followed["dns_name"], "EvaluateTargetHealth": False}
            return {**record, "AliasTarget": alias}
        answers = [_written(values["type"], one) for one in values["values"]]
        if targets:
            outputs = targets[0].outputs
            address = outputs.get("public_ip") or outputs.get("private_ip")
            if not address:
                raise ProviderError(f"AWS: {targets[0].address}, which {wanted.address} follows, has no address")
            answers = [address]
        if not answers:
            raise ProviderError(
                f"AWS: {wanted.address} has nothing to answer", hint="Give it values, or a target that is at AWS too."
            )
        return {**record, "TTL": values["ttl"], "ResourceRecords": [{"Value": one} for one in sorted(answers)]}

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:  # noqa: ARG002 - the interface's
        """The record set is written anew."""
        self._change(aws, one.id.partition("/")[0], "UPSERT", self._record(wanted), calls)

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Route 53 wants to be told exactly what it shall delete."""
        known = _record_of(aws, one.id)
        if known is not None:
            self._change(aws, one.id.partition("/")[0], "DELETE", known, calls)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Records of the zones that are asked for, zone by zone."""
        if query.ids is not None:
            zones = sorted({one.partition("/")[0] for one in query.ids})
        else:
            zones = [bare(zone["Id"]) for zone in aws.pages("route53", "list_hosted_zones", "HostedZones")]
        tags = zone_tags(aws, zones)
        found = []
        for zone in zones:
            lineage = tags[zone].get(TAG_LINEAGE, "")
            if query.ids is None and query.tags.get(TAG_LINEAGE, lineage) != lineage:
                continue
            found += [self._found(zone, record, lineage, query) for record in _described(aws, zone, query)]
        return found

    def _found(self, zone: str, record: Mapping[str, Any], lineage: str, query: Query) -> Found:
        name, kind = _plain(record["Name"]), record["Type"]
        id_ = f"{zone}/{name}/{kind}"
        values = query.values_of(id_)
        told: dict[str, Any] = {"type": kind}
        if values is None:
            told["name"] = name
        if "AliasTarget" not in record:
            told["ttl"] = record.get("TTL")
            if not (values or {}).get("target"):
                told["values"] = sorted(_read(kind, one["Value"]) for one in record.get("ResourceRecords", ()))
        outputs = {"id": id_, "name": name}
        address = f"{self.name}.{name}/{kind}"
        tags = {TAG_ADDRESS: address, TAG_LINEAGE: lineage} if lineage else {}
        return Found(self.name, id_, "available", address if lineage else "", observed(told, values), outputs, {}, tags)


def _described(aws: Aws, zone: str, query: Query) -> Iterable[Mapping[str, Any]]:
    """The record sets of a zone that can be resources: not its own NS and SOA."""
    records = aws.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone)
    apex = next((record["Name"] for record in records if record["Type"] == "SOA"), "")
    for record in records:
        id_ = f"{zone}/{_plain(record['Name'])}/{record['Type']}"
        is_own = record["Type"] in ("SOA", "NS") and record["Name"] == apex
        if (id_ in query.ids) if query.ids is not None else not is_own:
            yield record


def _record_of(aws: Aws, id_: str) -> Mapping[str, Any] | None:
    zone, _, rest = id_.partition("/")
    name, _, kind = rest.rpartition("/")
    try:
        answer = aws.call(
            "route53", "list_resource_record_sets", HostedZoneId=zone, StartRecordName=name, StartRecordType=kind, MaxItems="1"
        )
    except GoneError:
        return None
    records = answer.get("ResourceRecordSets", ())
    return next((one for one in records if _plain(one["Name"]) == name and one["Type"] == kind), None)


def _is_alike(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    def answers(record: Mapping[str, Any]) -> Any:
        if "AliasTarget" in record:
            return record["AliasTarget"]["DNSName"].removeprefix("dualstack.").rstrip(".")
        return record.get("TTL"), sorted(one["Value"] for one in record.get("ResourceRecords", ()))

    return bool(answers(now) == answers(wanted))

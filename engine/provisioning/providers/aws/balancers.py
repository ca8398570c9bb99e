"""Load balancers (ELBv2). Listeners and groups of targets are parts: `balancer_parts`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from provisioning.errors import ProviderError
from provisioning.providers.aws.balancer_parts import (
    bring_listeners,
    bring_targets,
    drop_groups,
    groups_of,
    listeners_told,
    settle_groups,
    short_name,
    targets_told,
)
from provisioning.providers.aws.bucket_settings import let_balancer_logs_in
from provisioning.providers.aws.client import Aws, chunks
from provisioning.providers.aws.kind import Query, concerns, groups_named, refuse_protected
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.places import subnets_of
from provisioning.providers.aws.servers import instances
from provisioning.providers.aws.tags import carries, differing, identity, pairs, tags_of, tags_told, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, Found, Recorded, Status, Wanted

LIMIT = 900.0  # seconds
_TAGGED, _LISTED = 20, 20
"""How many ARNs ELB takes in one request."""

_STATUS: Mapping[str, Status] = {
    "provisioning": "pending",
    "active": "available",
    "active_impaired": "available",
    "failed": "failed",
}
_PROTECTION, _LOGS, _LOG_BUCKET = "deletion_protection.enabled", "access_logs.s3.enabled", "access_logs.s3.bucket"


class LoadBalancerKind:
    """A balancer, application or network."""

    name: ClassVar[str] = "load_balancer"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """The balancer first, so that its parts are found by it; protection last."""
        if wanted.values["waf"]:
            raise ProviderError(
                f"AWS: {wanted.address} asks for a web application firewall, which this provider does not set up",
                hint="Set waf = false, and join a web ACL of AWS WAF to it.",
            )
        known = self._known(aws, wanted)
        if known is None:
            known = aws.change(calls, "elbv2", "create_load_balancer", **self._request(aws, wanted))["LoadBalancers"][0]
        arn = str(known["LoadBalancerArn"])
        self._wait(aws, arn, calls)
        groups = settle_groups(aws, arn, known["VpcId"], wanted, calls)
        bring_targets(aws, groups, wanted, calls)
        bring_listeners(aws, arn, groups, wanted, calls)
        self._set_attributes(aws, arn, wanted, calls)
        return arn

    def _known(self, aws: Aws, wanted: Wanted) -> Mapping[str, Any] | None:
        name = short_name(wanted.values["name"])
        listed = aws.look("elbv2", "describe_load_balancers", Names=[name]).get("LoadBalancers")
        if not listed:
            return None
        if not carries(_tags_of(aws, [listed[0]["LoadBalancerArn"]])[listed[0]["LoadBalancerArn"]], identity(wanted)):
            raise ProviderError(
                f"AWS: the load balancer {name} exists and is not this configuration's",
                hint="Import it (`prov state import`), or choose another name.",
            )
        first: Mapping[str, Any] = listed[0]
        return first

    def _request(self, aws: Aws, wanted: Wanted) -> dict[str, Any]:
        values = wanted.values
        is_public, is_application = values["scheme"] == "public", values["kind"] == "application"
        request: dict[str, Any] = {
            "Name": short_name(values["name"]),
            "Type": values["kind"],
            "Scheme": "internet-facing" if is_public else "internal",
            "Subnets": self._subnets(aws, wanted, least_zones=2 if is_application else 1),
            "Tags": pairs(tags_of(wanted)),
        }
        if groups := groups_named(wanted, "security_groups[]"):
            request["SecurityGroups"] = groups
        return request

    def _subnets(self, aws: Aws, wanted: Wanted, least_zones: int) -> list[str]:
        tiers = ("public",) if wanted.values["scheme"] == "public" else ("private", "isolated")
        vpc = ""
        servers = [ref.id for ref in wanted.named("targets[]") if ref.kind == "server"]
        if servers and not wanted.named("subnets[]"):
            listed = instances(aws, Query(ids=tuple(servers[:1])))
            vpc = listed[0]["VpcId"] if listed else ""
        return subnets_of(aws, wanted, "subnets[]", least_zones=least_zones, tiers=tiers, vpc=vpc)

    def _wait(self, aws: Aws, arn: str, calls: Calls) -> None:
        def is_active() -> bool:
            listed = aws.look("elbv2", "describe_load_balancers", LoadBalancerArns=[arn]).get("LoadBalancers")
            state = listed[0].get("State", {}) if listed else {}
            if state.get("Code") == "failed":
                raise ProviderError(f"AWS: the load balancer failed: {state.get('Reason', 'no reason is told')}", arn=arn)
            return state.get("Code") in ("active", "active_impaired")

        aws.wait(calls, "the load balancer is active", is_active, LIMIT)

    def _set_attributes(self, aws: Aws, arn: str, wanted: Wanted, calls: Calls) -> None:
        values = wanted.values
        now, shall = _attributes(aws, arn), {_PROTECTION: "true" if values["deletion_protection"] else "false"}
        if values["access_logs"] and values.get("log_bucket"):
            refs = wanted.named("log_bucket")
            bucket = refs[0].id if refs else values["log_bucket"]
            let_balancer_logs_in(aws, bucket, calls)
            shall |= {_LOGS: "true", _LOG_BUCKET: bucket}
        else:
            shall[_LOGS] = "false"
        changed = [{"Key": key, "Value": value} for key, value in shall.items() if now.get(key, "false") != value]
        if changed:
            aws.change(calls, "elbv2", "modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=changed)

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """Everything but its kind and its scheme changes in place."""
        listed = aws.look("elbv2", "describe_load_balancers", LoadBalancerArns=[one.id]).get("LoadBalancers")
        if not listed:
            raise ProviderError(f"AWS: load balancer {one.address} is gone", hint="Refresh the state and plan again.")
        if concerns(paths, "subnets"):
            subnets = self._subnets(aws, wanted, 2 if wanted.values["kind"] == "application" else 1)
            aws.change(calls, "elbv2", "set_subnets", LoadBalancerArn=one.id, Subnets=subnets)
        if concerns(paths, "security_groups"):
            groups = groups_named(wanted, "security_groups[]")
            aws.change(calls, "elbv2", "set_security_groups", LoadBalancerArn=one.id, SecurityGroups=groups)
        if concerns(paths, "listeners", "targets", "health_check", "tls_policy"):
            groups_by_port = settle_groups(aws, one.id, listed[0]["VpcId"], wanted, calls)
            bring_targets(aws, groups_by_port, wanted, calls)
            bring_listeners(aws, one.id, groups_by_port, wanted, calls)
            drop_groups(aws, groups_of(aws, one.id, identity(wanted)), set(groups_by_port), calls)
        if concerns(paths, "deletion_protection", "access_logs", "log_bucket"):
            self._set_attributes(aws, one.id, wanted, calls)
        now = _tags_of(aws, [one.id]).get(one.id, {})
        setting, gone = differing(now, tags_of(wanted), paths)
        if setting:
            aws.change(calls, "elbv2", "add_tags", ResourceArns=[one.id], Tags=pairs(setting))
        if gone:
            aws.change(calls, "elbv2", "remove_tags", ResourceArns=[one.id], TagKeys=gone)

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Listeners go with it, its groups of targets after it."""
        own = {key: one.tags[key] for key in one.tags if key in ("prov:id", "prov:lineage")}
        listed = aws.look("elbv2", "describe_load_balancers", LoadBalancerArns=[one.id]).get("LoadBalancers")
        groups = groups_of(aws, one.id if listed else "", own, one.parts)
        if listed:
            if _attributes(aws, one.id).get(_PROTECTION) == "true":
                if one.values.get("deletion_protection", True):
                    refuse_protected(one)
                off = [{"Key": _PROTECTION, "Value": "false"}]
                aws.change(calls, "elbv2", "modify_load_balancer_attributes", LoadBalancerArn=one.id, Attributes=off)
            for listener in aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=one.id):
                aws.remove(calls, "elbv2", "delete_listener", ListenerArn=listener["ListenerArn"])
            # The groups before the balancer: by it they are found again.
            drop_groups(aws, groups, set(), calls)
            aws.remove(calls, "elbv2", "delete_load_balancer", LoadBalancerArn=one.id)
        else:
            drop_groups(aws, groups, set(), calls)

        def is_gone() -> bool:
            return not aws.look("elbv2", "describe_load_balancers", LoadBalancerArns=[one.id]).get("LoadBalancers")

        aws.wait(calls, f"load balancer {one.address} is gone", is_gone, LIMIT)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Balancers with their listeners and targets."""
        listed = aws.pages("elbv2", "describe_load_balancers", "LoadBalancers")
        if query.ids is not None:
            listed = [one for one in listed if one["LoadBalancerArn"] in query.ids]
        listed = [one for one in listed if one.get("Type") in ("application", "network")]
        tags = _tags_of(aws, [one["LoadBalancerArn"] for one in listed])
        return [
            self._found(aws, one, tags[one["LoadBalancerArn"]], query)
            for one in listed
            if carries(tags[one["LoadBalancerArn"]], query.tags)
        ]

    def _found(self, aws: Aws, balancer: Mapping[str, Any], tags: Mapping[str, str], query: Query) -> Found:
        arn = balancer["LoadBalancerArn"]
        values = query.values_of(arn)
        attributes, groups = _attributes(aws, arn), groups_of(aws, arn, {})
        ids = balancer.get("SecurityGroups") or []
        names = sorted(one["GroupName"] for one in aws.described("describe_security_groups", "SecurityGroups", "group-id", ids))
        if names == ["default"] and values is not None and not values["security_groups"]:
            names = []
        has_logs = attributes.get(_LOGS) == "true"
        told: dict[str, Any] = {
            "kind": balancer["Type"],
            "scheme": "public" if balancer["Scheme"] == "internet-facing" else "internal",
            "deletion_protection": attributes.get(_PROTECTION) == "true",
            "access_logs": has_logs,
            "security_groups": names,
            **listeners_told(aws, arn, groups, values),
            **targets_told(aws, groups, values),
            **tags_told(tags, values),
        }
        if balancer["LoadBalancerName"] == (values or {}).get("name"):
            told["name"] = balancer["LoadBalancerName"]
        if values is not None and values.get("access_logs") and not values.get("log_bucket"):
            del told["access_logs"]
        outputs = {
            "id": arn,
            "arn": arn,
            "dns_name": balancer.get("DNSName", ""),
            "zone_id": balancer.get("CanonicalHostedZoneId", ""),
            "vpc_id": balancer.get("VpcId", ""),
        }
        parts = {f"targets-{port}": group["TargetGroupArn"] for port, group in groups.items()}
        status = _STATUS.get(balancer.get("State", {}).get("Code", ""), "unknown")
        return Found(self.name, arn, status, tags.get(TAG_ADDRESS, ""), observed(told, values), outputs, parts, dict(tags))


def _attributes(aws: Aws, arn: str) -> dict[str, str]:
    listed = aws.look("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=arn).get("Attributes", ())
    return {one["Key"]: one["Value"] for one in listed}


def _tags_of(aws: Aws, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {arn: {} for arn in arns}
    for chunk in chunks(arns, _TAGGED):
        for one in aws.look("elbv2", "describe_tags", ResourceArns=chunk).get("TagDescriptions", ()):
            found[one["ResourceArn"]] = unpaired(one["Tags"])
    return found

"""Groups of nodes of a cluster.

What cannot change in a group is part of its name: another size is another group, and the old one goes when the new one runs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws, token_of
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.tags import tags_of
from provisioning.providers.base import Calls
from provisioning.resource import TAG_PART, Wanted

WORKERS, GROUP = "workers", "group-"
LIMIT = 2400.0  # seconds


def _wanted_groups(values: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield WORKERS, values["workers"]
    for group in values.get("node_groups") or ():
        yield f"{GROUP}{group['name']}", group


def name_of(part: str, group: Mapping[str, Any]) -> str:
    """A group's name with a mark of what cannot change in it."""
    fixed = json.dumps([group["plan"], group["disk_gb"], sorted(group["zones"])])
    return f"{part.removeprefix(GROUP)[:50]}-{hashlib.sha256(fixed.encode()).hexdigest()[:8]}"


def _scaling(group: Mapping[str, Any]) -> dict[str, int]:
    count, bounds = group["count"], group.get("auto_scaling")
    if bounds and bounds["enabled"]:
        desired = min(max(count, bounds["min"]), bounds["max"])
        return {"minSize": bounds["min"], "maxSize": bounds["max"], "desiredSize": desired}
    return {"minSize": count, "maxSize": max(count, 1), "desiredSize": count}


def described(aws: Aws, cluster: str, name: str) -> Mapping[str, Any] | None:
    """A group as it is."""
    try:
        group: Mapping[str, Any] = aws.call("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)["nodegroup"]
    except GoneError:
        return None
    return group


def listed_node_groups(aws: Aws, cluster: str) -> dict[str, Mapping[str, Any]]:
    """A cluster's groups by their part; groups that somebody else made by their name."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in aws.pages("eks", "list_nodegroups", "nodegroups", clusterName=cluster):
        group = described(aws, cluster, name)
        if group is not None and group["status"] != "DELETING":
            part = group.get("tags", {}).get(TAG_PART) or f"{GROUP}{name}"
            # While one replaces another both are there: the one that is full counts.
            if part not in found or found[part]["status"] != "ACTIVE":
                found[part] = group
    return found


def settle_node_groups(aws: Aws, cluster: str, role: str, subnets: Sequence[str], wanted: Wanted, calls: Calls) -> None:
    """Make what is missing, scale what is there, then remove our groups that are no longer wanted."""
    kept: set[str] = set()
    for part, group in _wanted_groups(wanted.values):
        name = name_of(part, group)
        kept.add(name)
        now = described(aws, cluster, name)
        if now is None:
            request = _request(aws, cluster, name, role, subnets, group)
            tags = tags_of(wanted, part)
            token = token_of(wanted.token, name)
            aws.change(calls, "eks", "create_nodegroup", part=part, clientRequestToken=token, tags=tags, **request)
        elif now.get("scalingConfig") != _scaling(group) or dict(now.get("labels") or {}) != dict(group.get("labels") or {}):
            _scale(aws, cluster, now, part, group, calls)
    for name in sorted(kept):
        _wait(aws, cluster, name, calls)
    drop_node_groups(aws, cluster, calls, kept=kept)


def _request(aws: Aws, cluster: str, name: str, role: str, subnets: Sequence[str], group: Mapping[str, Any]) -> dict[str, Any]:
    listed = aws.described("describe_subnets", "Subnets", "subnet-id", subnets)
    chosen = sorted(one["SubnetId"] for one in listed if not group["zones"] or one["AvailabilityZone"] in group["zones"])
    if not chosen:
        raise ProviderError(
            f"AWS: the cluster {cluster} has no subnet in {', '.join(group['zones'])}", hint="Name a subnet of that zone."
        )
    return {
        "clusterName": cluster,
        "nodegroupName": name,
        "subnets": chosen,
        "nodeRole": role,
        "scalingConfig": _scaling(group),
        "instanceTypes": [group["plan"]],
        "diskSize": group["disk_gb"],
        "labels": dict(group.get("labels") or {}),
    }


def _scale(aws: Aws, cluster: str, now: Mapping[str, Any], part: str, group: Mapping[str, Any], calls: Calls) -> None:
    has, shall = dict(now.get("labels") or {}), dict(group.get("labels") or {})
    labels = {"addOrUpdateLabels": shall, "removeLabels": [key for key in has if key not in shall]}
    more = {"labels": {key: value for key, value in labels.items() if value}} if has != shall else {}
    aws.change(
        calls,
        "eks",
        "update_nodegroup_config",
        part=part,
        clusterName=cluster,
        nodegroupName=now["nodegroupName"],
        scalingConfig=_scaling(group),
        **more,
    )


def _wait(aws: Aws, cluster: str, name: str, calls: Calls) -> None:
    def is_active() -> bool:
        now = described(aws, cluster, name)
        if now is not None and now["status"] in ("CREATE_FAILED", "DEGRADED"):
            issues = "; ".join(one.get("message", "") for one in now.get("health", {}).get("issues", ()))
            raise ProviderError(f"AWS: nodes {name} of cluster {cluster} failed: {issues or 'no reason is told'}")
        return now is not None and now["status"] == "ACTIVE"

    aws.wait(calls, f"nodes {name} of cluster {cluster} are active", is_active, LIMIT)


def upgrade_node_groups(aws: Aws, cluster: str, version: str, calls: Calls) -> None:
    """Exchange the nodes that are behind, group by group."""
    for part, group in listed_node_groups(aws, cluster).items():
        if group.get("version") not in (None, version):
            name = group["nodegroupName"]
            aws.change(
                calls, "eks", "update_nodegroup_version", part=part, clusterName=cluster, nodegroupName=name, version=version
            )
            _wait(aws, cluster, name, calls)


def drop_node_groups(aws: Aws, cluster: str, calls: Calls, *, kept: set[str] | None = None) -> None:
    """Remove the groups that are not in `kept`; None removes all, also what somebody else added: the cluster goes."""
    names = aws.pages("eks", "list_nodegroups", "nodegroups", clusterName=cluster)
    going = []
    for name in names:
        now = described(aws, cluster, name)
        if now is None or (kept is not None and (name in kept or TAG_PART not in now.get("tags", {}))):
            continue
        going.append(name)
        if now["status"] != "DELETING":
            part = now.get("tags", {}).get(TAG_PART, "")
            aws.remove(calls, "eks", "delete_nodegroup", part=part, clusterName=cluster, nodegroupName=name)
    for name in going:
        aws.wait(calls, f"nodes {name} are gone", lambda one=name: described(aws, cluster, one) is None, LIMIT)  # type: ignore[misc] # bound now


def group_told(groups: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Groups in the words of the configuration. What EKS does not tell of a recorded group stays as recorded."""
    recorded = dict(_wanted_groups(values)) if values else {}
    told: dict[str, Any] = {"node_groups": []}
    for part, group in groups.items():
        one = _told(group, recorded.get(part))
        if part == WORKERS:
            told[WORKERS] = one
        else:
            told["node_groups"].append({**recorded.get(part, {}), **one, "name": part.removeprefix(GROUP)})
    if WORKERS in recorded and WORKERS not in groups:
        told[WORKERS] = {"count": 0}
    return told


def _told(group: Mapping[str, Any], recorded: Mapping[str, Any] | None) -> dict[str, Any]:
    scaling = group.get("scalingConfig", {})
    told: dict[str, Any] = {
        "plan": (group.get("instanceTypes") or [None])[0],
        "disk_gb": group.get("diskSize"),
        "labels": dict(group.get("labels") or {}),
    }
    bounds = (recorded or {}).get("auto_scaling")
    if bounds and bounds["enabled"]:
        # How many there are at the moment is the autoscaler's matter.
        told["auto_scaling"] = {**bounds, "min": scaling.get("minSize"), "max": scaling.get("maxSize")}
    else:
        told["count"] = scaling.get("desiredSize")
    return told

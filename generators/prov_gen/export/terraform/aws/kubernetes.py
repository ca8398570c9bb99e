"""EKS: a cluster and its groups of nodes."""

import re
from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import find_plan
from prov_gen.export.terraform.aws.roles import role
from prov_gen.export.terraform.document import Body, name_of, reference, referred
from prov_gen.export.terraform.item import Item, subnet_label
from prov_gen.export.terraform.rows import Attribute, Refers, Special, Tags, find, settle
from prov_gen.export.terraform.table import Found, Main

_INSIDE = "installed into the cluster after it runs"
_BY_EKS = "EKS decides it"
_FIRST = "workers"
_LEFT = {
    "control_plane": "EKS runs its own control plane",
    "addons": _INSIDE,
    "networking.cni": _INSIDE,
    "networking.cni_version": _INSIDE,
    "networking.encryption": _INSIDE,
    "networking.network_policies": _INSIDE,
    "networking.pod_cidr": "pods of EKS have addresses of the network",
    "networking.vpc_cidr": "the network of its subnets",
    "networking.vpc": "the network of its subnets",
    "rbac": _BY_EKS,
    "anonymous_auth": _BY_EKS,
    "backup": "backups of a cluster are made by a program in it",
}
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LABEL_KEY = re.compile(rf"([a-z0-9][a-z0-9.-]{{0,252}}/)?{_LABEL.pattern}")
_LOGS = ["api", "audit", "authenticator"]


def _write_cluster(item: Item, body: Body) -> None:
    body |= {"name": item.get("name"), "role_arn": role(item, "eks")}
    body["version"] = item.get("version") or catalogue.default_kubernetes().version
    item.get("managed")
    network: Body = {"endpoint_private_access": True}
    Refers("networking.subnets", "subnet_ids", "subnet").write(item, network)
    own = item.config.networking
    if not item.raw.networking.subnets and own and item.config.provider == item.provider:
        network["subnet_ids"] = [reference("aws_subnet", label) for label in _private(item)]
    network["endpoint_public_access"] = item.get("endpoint.public")
    cidrs = item.get("endpoint.allowed_cidrs")
    if item.raw.endpoint.public and cidrs:
        network["public_access_cidrs"] = cidrs
    else:
        item.leave("endpoint.allowed_cidrs", "the API has no public address")
    body["vpc_config"] = network
    Attribute("networking.service_cidr", "kubernetes_network_config.service_ipv4_cidr", pattern=r"[0-9.]+/[0-9]+").write(
        item, body
    )
    if item.get("audit_logs"):
        body["enabled_cluster_log_types"] = _LOGS
    _write_key(item, body)


def _private(item: Item) -> list[str]:
    own = item.config.networking
    return sorted({subnet_label(own.name, subnet.name) for subnet in own.subnets if subnet.tier != "public"}) if own else []


def _write_key(item: Item, body: Body) -> None:
    if not item.get("secrets_encryption"):
        item.leave("kms_key", "secrets are not encrypted")
        return
    name = item.get("kms_key")
    key = item.refer("kms_key", name, "arn") if name else None
    if name and key is None:
        item.leave("kms_key", "no key of this configuration and provider has that name")
    if key is None:
        own = f"{item.label}_secrets"
        item.put("aws_kms_key", own, {"description": f"Secrets of {item.raw.name}", "enable_key_rotation": True})
        key = reference("aws_kms_key", own, "arn")
    body["encryption_config"] = {"resources": ["secrets"], "provider": {"key_arn": key}}


def _read_cluster(body: Body, record: dict[str, Any]) -> None:
    record["managed"] = True
    if isinstance(body.get("version"), str):
        record["version"] = body["version"]
    Refers("networking.subnets", "vpc_config.subnet_ids", "subnet").read(body, record)
    public = find(body, "vpc_config.endpoint_public_access")
    settle(record, "endpoint.public", public is not False)
    cidrs = find(body, "vpc_config.public_access_cidrs")
    if isinstance(cidrs, list):
        settle(record, "endpoint.allowed_cidrs", cidrs)
    Attribute("networking.service_cidr", "kubernetes_network_config.service_ipv4_cidr").read(body, record)
    record["audit_logs"] = "audit" in (body.get("enabled_cluster_log_types") or [])
    key = referred(find(body, "encryption_config.provider.key_arn"))
    record["secrets_encryption"] = body.get("encryption_config") is not None
    if key and not key[1].endswith("_secrets"):
        record["kms_key"] = name_of(key[1])


def _nodes(item: Item, group: Item, suffix: str) -> None:
    count, scaling = group.get("count"), group.raw.auto_scaling
    sizes: Body = {"desired_size": count, "min_size": count, "max_size": max(count, 1)}
    if scaling and group.get("auto_scaling.enabled"):
        sizes |= {"min_size": group.get("auto_scaling.min"), "max_size": group.get("auto_scaling.max")}
    elif scaling:
        group.leave("auto_scaling", "it is off")
    plan = group.get("plan")
    sku = find_plan("aws", plan)
    group.leave("zones", "the subnets of the group decide")
    name = f"{item.raw.name}-{suffix.removeprefix(_FIRST + '_')}"
    body: Body = {
        "cluster_name": reference("aws_eks_cluster", item.label, "name"),
        "node_group_name": name,
        "node_role_arn": role(item, "nodes"),
        "scaling_config": sizes,
    }
    body |= {"instance_types": [sku.name if sku else plan], "disk_size": group.get("disk_gb")}
    Refers("networking.subnets", "subnet_ids", "subnet").write(item, body)
    if "subnet_ids" not in body and _private(item):
        body["subnet_ids"] = [reference("aws_subnet", label) for label in _private(item)]
    for key, text in group.get("labels").items() if hasattr(group.raw, "labels") else ():
        if _LABEL_KEY.fullmatch(key) and _LABEL.fullmatch(text):
            body.setdefault("labels", {})[key] = text
        else:
            group.ledger.leave((*group.path, "labels", key), "Kubernetes accepts no such label")
    item.put("aws_eks_node_group", f"{item.label}_{suffix}", body)


def _more(item: Item) -> None:
    for name, reason in _LEFT.items():
        item.leave(name, reason)
    _nodes(item, item.inside(item.record.workers, ""), _FIRST)
    for index, record in enumerate(item.get("node_groups")):
        group = item.inside(record, "")
        if any(other.name == group.raw.name for other in item.raw.node_groups[:index]):
            item.leave(f"node_groups.{index}", "another group of the cluster has that name")
            continue
        _nodes(item, group, f"{_FIRST}_{group.get('name')}")


def _recover(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    groups = []
    for name, body in found("aws_eks_node_group").items():
        cluster = referred(body.get("cluster_name"))
        if not cluster or cluster[1] != label:
            continue
        group = _read_group(body)
        own = name.removeprefix(f"{label}_")
        if own == _FIRST or (not own.startswith(f"{_FIRST}_") and "workers" not in record):
            record["workers"] = group
        else:
            groups.append(
                {"name": own.removeprefix(f"{_FIRST}_")} | group | ({"labels": body["labels"]} if body.get("labels") else {})
            )
    record["node_groups"] = groups


def _read_group(body: Body) -> dict[str, Any]:
    sizes = find(body, "scaling_config") or {}
    sizes = sizes[0] if isinstance(sizes, list) else sizes
    count = sizes.get("desired_size", 3)
    group: dict[str, Any] = {"count": count}
    if (sizes.get("min_size"), sizes.get("max_size")) != (count, max(count, 1)):
        group["auto_scaling"] = {"enabled": True, "min": sizes.get("min_size"), "max": sizes.get("max_size")}
    types = body.get("instance_types")
    if isinstance(types, list) and types:
        group["plan"] = types[0]
    return group | ({"disk_gb": body["disk_size"]} if "disk_size" in body else {})


KUBERNETES = Main(
    "kubernetes",
    "aws_eks_cluster",
    (Special(_write_cluster, _read_cluster), Tags()),
    more=_more,
    recover=_recover,
    name_attribute="name",
    accepts=lambda item: "a cluster that AWS does not manage is built from taskservs" if item.raw.managed is False else "",
)

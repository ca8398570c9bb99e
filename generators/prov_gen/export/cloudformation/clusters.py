"""Kubernetes clusters that AWS runs (EKS), with their groups of nodes and the roles that both take."""

import re
from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import find_plan
from prov_gen.export.cloudformation.network import subnets_of
from prov_gen.export.cloudformation.scope import PROVIDER, Scope
from prov_gen.export.cloudformation.template import Value, assumed_by, get_att, ref, sub
from prov_gen.export.kubernetes.metadata import is_label
from prov_gen.export.tracking import path_of

_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy")
_VERSION = re.compile(r"1\.\d\d(\.|$)")
_LOGS = [{"Type": "audit"}, {"Type": "authenticator"}]


def build_clusters(scope: Scope, clusters: list[Any]) -> None:
    """Clusters, unless they are built from taskservs."""
    for cluster in clusters:
        where = path_of(cluster)
        if cluster.managed is False:
            scope.ledger.leave(where, "a cluster that AWS does not run is servers and taskservs")
            continue
        _cluster(scope, cluster)


def _cluster(scope: Scope, cluster: Any) -> None:
    template, where = scope.template, path_of(cluster)
    logical_id = scope.id_of("clusters", cluster.name) or ""
    networking, endpoint = cluster.networking, cluster.endpoint
    subnets = subnets_of(scope, networking.subnets, (*where, "networking", "subnets"))
    config: dict[str, Value] = {
        "SubnetIds": subnets,
        "EndpointPublicAccess": endpoint.public,
        "EndpointPrivateAccess": True,
    }
    if endpoint.public and endpoint.allowed_cidrs:
        allowed = []
        for index, text in enumerate(endpoint.allowed_cidrs):
            cidr = scope.network(text, (*where, "endpoint", "allowed_cidrs", index))
            if cidr and ":" not in cidr:
                allowed.append(cidr)
            else:
                scope.ledger.leave((*where, "endpoint", "allowed_cidrs", index), "EKS takes IPv4 networks here")
        # None left would open it to everybody.
        config |= {"PublicAccessCidrs": list(dict.fromkeys(allowed))} if allowed else {"EndpointPublicAccess": False}
    key = scope.key_of(cluster) if cluster.secrets_encryption else None
    version = cluster.version or catalogue.default_kubernetes().version
    if not _VERSION.match(version):
        scope.ledger.leave((*where, "version"), "EKS has no such version")
        version = catalogue.default_kubernetes().version
    elif version.count(".") > 1:
        scope.ledger.leave((*where, "version"), "EKS chooses the patch release")
    role = {
        "AssumeRolePolicyDocument": assumed_by("eks.amazonaws.com"),
        "ManagedPolicyArns": [sub("arn:${AWS::Partition}:iam::aws:policy/AmazonEKSClusterPolicy")],
    }
    if not cluster.rbac or cluster.anonymous_auth:
        scope.ledger.leave((*where, "rbac"), "EKS always has it on")
        scope.ledger.leave((*where, "anonymous_auth"), "EKS lets nobody choose")
    properties = {
        "Version": ".".join(version.split(".")[:2]),
        "RoleArn": get_att(template.add("IAM::Role", role, logical_id, "Role"), "Arn"),
        "ResourcesVpcConfig": {name: value for name, value in config.items() if value is not None},
        "EncryptionConfig": [{"Provider": {"KeyArn": key}, "Resources": ["secrets"]}] if key else None,
        "Logging": {"ClusterLogging": {"EnabledTypes": _LOGS}} if cluster.audit_logs else None,
        "Tags": scope.tags(cluster),
    }
    template.add("EKS::Cluster", properties, logical_id=logical_id, keep="Retain")
    template.output(logical_id, "endpoint", get_att(logical_id, "Endpoint"), f"API of {cluster.name}")
    policies = [sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{name}") for name in _NODE_POLICIES]
    node = {"AssumeRolePolicyDocument": assumed_by("ec2.amazonaws.com"), "ManagedPolicyArns": policies}
    node_role = template.add("IAM::Role", node, logical_id, "NodeRole")
    _nodes(scope, cluster.workers, logical_id, node_role, subnets, scope.tag_map(cluster), "workers", {})
    names = {"workers"}
    for group in cluster.node_groups:
        if group.name in names:
            scope.ledger.leave(path_of(group), f"another group of nodes is called {group.name}")
            continue
        names.add(group.name)
        _nodes(scope, group, logical_id, node_role, subnets, scope.tag_map(cluster), group.name, _labels(scope, group))


def _labels(scope: Scope, group: Any) -> dict[str, str]:
    good = {}
    for key, value in group.labels.items():
        if is_label(key, value):
            good[key] = value
        else:
            scope.ledger.leave((*path_of(group), "labels", key), "no label that Kubernetes takes")
    return good


def _nodes(
    scope: Scope, group: Any, cluster: str, role: str, subnets: Value, tags: dict[str, str], name: str, labels: dict[str, str]
) -> None:
    where = path_of(group)
    sku = find_plan(PROVIDER, group.plan)
    if sku is None:
        scope.ledger.leave((*where, "plan"), "no type of instance that is known")
        kind = scope.template.parameter(("type of", f"{cluster} {name}"), "String", f"Type of instance of the nodes {name}")
    else:
        kind = sku.name
    if group.zones:
        scope.ledger.leave((*where, "zones"), "nodes stand in the zones of the cluster's subnets")
    scaling = group.auto_scaling
    least, most = group.count, max(group.count, 1)
    if scaling is not None and scaling.enabled:
        least, most = scaling.min, max(scaling.max, 1)
    if not least <= group.count <= most:
        scope.ledger.leave((*where, "count"), f"auto scaling has {least} to {most} nodes")
    properties = {
        "ClusterName": ref(cluster),
        "NodeRole": get_att(role, "Arn"),
        "Subnets": subnets,
        "InstanceTypes": [kind],
        "DiskSize": group.disk_gb,
        "ScalingConfig": {"MinSize": least, "MaxSize": most, "DesiredSize": min(max(group.count, least), most)},
        "Labels": labels or None,
        "Tags": tags,
    }
    scope.template.add("EKS::Nodegroup", properties, cluster, "Nodes", name)

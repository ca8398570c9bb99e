"""Kubernetes clusters (EKS) with their groups of nodes and the two roles that these take."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from provisioning.errors import ProviderBusyError, ProviderError
from provisioning.providers.aws.client import Aws, token_of
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.keys import key_of
from provisioning.providers.aws.kind import Query, concerns
from provisioning.providers.aws.node_groups import (
    drop_node_groups,
    group_told,
    listed_node_groups,
    settle_node_groups,
    upgrade_node_groups,
)
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.places import subnets_of
from provisioning.providers.aws.roles import drop_role, ensure_role, is_young, role_tags
from provisioning.providers.aws.tags import carries, differing, identity, tags_of, tags_told
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, Found, Recorded, Status, Wanted

LIMIT = 2400.0  # seconds
_LOGS = ["audit", "authenticator"]
_CLUSTER_POLICIES = ("AmazonEKSClusterPolicy",)
_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy")
_STATUS: Mapping[str, Status] = {
    "CREATING": "pending", "ACTIVE": "available",
    "DELETING": "gone", "FAILED": "failed", "UPDATING": "pending", "PENDING": "pending",
}  # fmt: skip
_NOT_YET_KNOWN = frozenset({"InvalidParameterException", "InvalidRequestException"})


def role_names(aws: Aws, cluster: str) -> tuple[str, str]:
    """The names of a cluster's two roles. Roles are the account's, clusters a region's."""
    start = f"eks-{cluster}"[:40].rstrip("-")
    mark = token_of(cluster, aws.region)[:8]
    return f"{start}-{mark}-cluster", f"{start}-{mark}-nodes"


class KubernetesKind:
    """A managed cluster. What runs in it (network plugin, add-ons) is not this kind's."""

    name: ClassVar[str] = "kubernetes"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Roles, the cluster, its nodes."""
        if wanted.values.get("managed") is False:
            raise ProviderError(
                f"AWS: {wanted.address} is not managed: it is servers and taskservs",
                hint="Set managed = true, or describe its servers and the taskserv kubernetes.",
            )
        name = str(wanted.values["name"])
        known = _described(aws, name)
        if known is None:
            role = ensure_role(
                aws, calls, role_names(aws, name)[0], "eks.amazonaws.com", tags_of(wanted, "role"), policies=_CLUSTER_POLICIES
            )
            self._ask_for_it(aws, name, role, wanted, calls)
        elif not carries(known.get("tags", {}), identity(wanted)):
            raise ProviderError(
                f"AWS: the cluster {name} exists and is not this configuration's",
                hint="Import it (`prov state import`), or choose another name.",
            )
        self._wait(aws, name, calls)
        self._settle_nodes(aws, name, wanted, calls)
        return name

    def _ask_for_it(self, aws: Aws, name: str, role: str, wanted: Wanted, calls: Calls) -> None:
        try:
            aws.change(calls, "eks", "create_cluster", **self._request(aws, name, role, wanted))
        except ProviderError as error:
            if error.details.get("aws_code") in _NOT_YET_KNOWN and is_young(aws, role_names(aws, name)[0]):
                # IAM tells its regions of a new role in its own time.
                raise ProviderBusyError(error.message, hint="IAM may not know the new role everywhere yet.") from None
            raise

    def _request(self, aws: Aws, name: str, role: str, wanted: Wanted) -> dict[str, Any]:
        values = wanted.values
        subnets = subnets_of(aws, wanted, "networking.subnets[]", least_zones=2)
        request: dict[str, Any] = {
            "name": name,
            "version": version_of(values),
            "roleArn": role,
            "resourcesVpcConfig": {"subnetIds": subnets, **_access(values)},
            "kubernetesNetworkConfig": {"serviceIpv4Cidr": values["networking"]["service_cidr"]},
            "logging": {"clusterLogging": [{"types": _LOGS, "enabled": bool(values["audit_logs"])}]},
            "clientRequestToken": token_of(wanted.token),
            "tags": tags_of(wanted),
        }
        if values["secrets_encryption"] and (key := key_of(aws, wanted)):
            request["encryptionConfig"] = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
        return request

    def _settle_nodes(self, aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
        tags = tags_of(wanted, "nodes-role")
        role = ensure_role(aws, calls, role_names(aws, name)[1], "ec2.amazonaws.com", tags, policies=_NODE_POLICIES)
        subnets = subnets_of(aws, wanted, "networking.subnets[]", least_zones=1)
        settle_node_groups(aws, name, role, subnets, wanted, calls)

    def _wait(self, aws: Aws, name: str, calls: Calls) -> None:
        def is_active() -> bool:
            now = _described(aws, name)
            if now is not None and now["status"] == "FAILED":
                issues = "; ".join(one.get("message", "") for one in now.get("health", {}).get("issues", ()))
                raise ProviderError(f"AWS: cluster {name} failed: {issues or 'no reason is told'}")
            return now is not None and now["status"] == "ACTIVE"

        aws.wait(calls, f"cluster {name} is active", is_active, LIMIT)

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """One change after the other, as EKS demands: access, logs, encryption, versions one by one, nodes."""
        name = one.id
        if _described(aws, name) is None:
            raise ProviderError(f"AWS: cluster {name} is gone", hint="Refresh the state and plan again.")
        self._wait(aws, name, calls)
        if concerns(paths, "endpoint"):
            self._configure(aws, name, calls, resourcesVpcConfig=_access(wanted.values))
        if concerns(paths, "networking.subnets"):
            subnets = subnets_of(aws, wanted, "networking.subnets[]", least_zones=2)
            self._configure(aws, name, calls, resourcesVpcConfig={"subnetIds": subnets})
        if concerns(paths, "audit_logs"):
            logs = [{"types": _LOGS, "enabled": bool(wanted.values["audit_logs"])}]
            self._configure(aws, name, calls, logging={"clusterLogging": logs})
        if concerns(paths, "kms_key", "secrets_encryption"):
            self._encrypt(aws, name, wanted, calls)
        if concerns(paths, "version"):
            self._upgrade(aws, name, version_of(wanted.values), calls)
        if concerns(paths, "workers", "node_groups", "networking.subnets"):
            self._settle_nodes(aws, name, wanted, calls)
        self._retag(aws, name, wanted, paths, calls)

    def _configure(self, aws: Aws, name: str, calls: Calls, **what: Any) -> None:
        now = _described(aws, name) or {}
        # EKS refuses a change that changes nothing.
        if any(not _holds(now.get(key, {}), value) for key, value in what.items()):
            aws.change(calls, "eks", "update_cluster_config", name=name, **what)
            self._wait(aws, name, calls)

    def _encrypt(self, aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
        key = key_of(aws, wanted)
        if key and not (_described(aws, name) or {}).get("encryptionConfig"):
            config = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
            aws.change(calls, "eks", "associate_encryption_config", clusterName=name, encryptionConfig=config)
            self._wait(aws, name, calls)

    def _upgrade(self, aws: Aws, name: str, version: str, calls: Calls) -> None:
        """EKS goes one minor version at a time, and nodes must not stay far behind."""
        while True:
            now = (_described(aws, name) or {}).get("version", version)
            following = _following(now, version)
            if following is None:
                break
            aws.change(calls, "eks", "update_cluster_version", name=name, version=following)
            self._wait(aws, name, calls)
            if (_described(aws, name) or {}).get("version") != following:
                raise ProviderBusyError(f"AWS: cluster {name} is active and its version is not {following} yet")
            upgrade_node_groups(aws, name, following, calls)
        upgrade_node_groups(aws, name, version, calls)

    def _retag(self, aws: Aws, name: str, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        now = _described(aws, name) or {}
        setting, gone = differing(now.get("tags", {}), tags_of(wanted), paths)
        if setting:
            aws.change(calls, "eks", "tag_resource", resourceArn=now["arn"], tags=setting)
        if gone:
            aws.change(calls, "eks", "untag_resource", resourceArn=now["arn"], tagKeys=gone)

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Nodes, the cluster, the roles."""
        now = _described(aws, one.id)
        if now is not None:
            drop_node_groups(aws, one.id, calls)
            if now["status"] != "DELETING":
                aws.remove(calls, "eks", "delete_cluster", name=one.id)
            aws.wait(calls, f"cluster {one.id} is gone", lambda: _described(aws, one.id) is None, LIMIT)
        for role in role_names(aws, one.id):
            if role_tags(aws, role).get(TAG_ADDRESS) == one.address:
                drop_role(aws, calls, role)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Clusters with their groups of nodes; of one that is looked for by its address also what was begun of it."""
        names = query.ids if query.ids is not None else aws.pages("eks", "list_clusters", "clusters")
        found = []
        for name in names:
            cluster = _described(aws, name)
            if cluster is not None and cluster["status"] != "DELETING" and carries(cluster.get("tags", {}), query.tags):
                found.append(self._found(aws, cluster, query))
        address = query.tags.get(TAG_ADDRESS, "")
        if not found and query.ids is None and address.startswith("kubernetes."):
            found += self._begun(aws, address.partition(".")[2], query)
        return found

    def _begun(self, aws: Aws, name: str, query: Query) -> list[Found]:
        for role in role_names(aws, name):
            tags = role_tags(aws, role)
            if carries(tags, query.tags):
                return [Found(self.name, name, "pending", tags[TAG_ADDRESS], {}, {}, {"role": role}, tags)]
        return []

    def _found(self, aws: Aws, cluster: Mapping[str, Any], query: Query) -> Found:
        name, tags = cluster["name"], cluster.get("tags", {})
        values = query.values_of(name)
        groups = listed_node_groups(aws, name)
        access = cluster.get("resourcesVpcConfig", {})
        cidrs = [cidr for cidr in access.get("publicAccessCidrs", ()) if cidr != "0.0.0.0/0"]
        told: dict[str, Any] = {
            "name": name,
            "version": _version_told(cluster["version"], values),
            "managed": True,
            "endpoint": {"public": bool(access.get("endpointPublicAccess")), "allowed_cidrs": cidrs},
            "audit_logs": any(
                "audit" in one["types"] and one["enabled"] for one in cluster.get("logging", {}).get("clusterLogging", ())
            ),
            "networking": {"service_cidr": cluster.get("kubernetesNetworkConfig", {}).get("serviceIpv4Cidr")},
            **group_told(groups, values),
            **tags_told(tags, values),
        }
        outputs = {
            "id": name,
            "arn": cluster["arn"],
            "endpoint": cluster.get("endpoint", ""),
            "certificate_authority": cluster.get("certificateAuthority", {}).get("data", ""),
            "oidc_issuer": cluster.get("identity", {}).get("oidc", {}).get("issuer", ""),
        }
        cluster_role = cluster.get("roleArn", "").rpartition("/")[2]
        nodes = {part: group["nodegroupName"] for part, group in groups.items()}
        parts = {"role": cluster_role, "nodes-role": role_names(aws, name)[1], **nodes}
        status = _STATUS.get(cluster["status"], "unknown")
        return Found(self.name, name, status, tags.get(TAG_ADDRESS, ""), observed(told, values), outputs, parts, tags)


def version_of(values: Mapping[str, Any]) -> str:
    """The minor version: EKS chooses the patch."""
    return ".".join(str(values["version"]).split(".")[:2])


def _version_told(version: str, values: Mapping[str, Any] | None) -> str:
    stated = str((values or {}).get("version") or "")
    return stated if stated.startswith(f"{version}.") else version


def _following(now: str, wanted: str) -> str | None:
    major, minor = (int(number) for number in now.split("."))
    return f"{major}.{minor + 1}" if minor < int(wanted.split(".")[1]) else None


def _access(values: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = values["endpoint"]
    made: dict[str, Any] = {"endpointPublicAccess": bool(endpoint["public"]), "endpointPrivateAccess": True}
    if endpoint["public"]:
        made["publicAccessCidrs"] = sorted(endpoint["allowed_cidrs"]) or ["0.0.0.0/0"]
    return made


def _holds(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    def alike(has: Any, shall: Any) -> bool:
        if isinstance(shall, list) and all(isinstance(one, str) for one in shall):
            return sorted(has or ()) == sorted(shall)
        return bool(has == shall)

    return all(alike(now.get(key), value) for key, value in wanted.items())


def _described(aws: Aws, name: str) -> Mapping[str, Any] | None:
    try:
        cluster: Mapping[str, Any] = aws.call("eks", "describe_cluster", name=name)["cluster"]
    except GoneError:
        return None
    return cluster

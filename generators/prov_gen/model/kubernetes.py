"""Kubernetes clusters and the workloads on them. The shape and the defaults of a cluster are the seed's."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from prov_gen.model.base import Backup, Cidr, Label, Name, Placed, Plan, Port, Record, Rule, Tagged, Version


class AutoScaling(Record):
    """Bounds between which workers come and go."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule("auto_scaling.min is greater than auto_scaling.max", lambda r: r.min <= r.max, "fun r => r.min <= r.max"),
    )

    enabled: bool = Field(default=False, description="Whether the cluster grows and shrinks by itself")
    min: Annotated[int, Field(ge=0, le=1000)] = Field(default=3, description="Fewest workers")
    max: Annotated[int, Field(ge=1, le=1000)] = Field(default=10, description="Most workers")


class ControlPlane(Record):
    """The control plane; etcd needs an odd number of members to have a quorum."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule("control_plane.count must be odd: etcd needs a quorum", lambda r: r.count % 2 == 1, "fun r => r.count % 2 == 1"),
    )

    count: Annotated[int, Field(ge=1, le=9)] = Field(default=3, description="Nodes; an odd number")
    plan: Plan = Field(default="medium", description="small, medium, large, or the provider's SKU")
    high_availability: bool = Field(default=True, description="Whether it survives the loss of a node")


class Workers(Record):
    """A group of like nodes."""

    count: Annotated[int, Field(ge=0, le=1000)] = Field(default=3, description="Nodes")
    plan: Plan = Field(default="medium", description="small, medium, large, xlarge, or the provider's SKU")
    disk_gb: Annotated[int, Field(ge=20, le=65536)] = Field(default=50, description="Root disk of a node, in GB")
    zones: list[Name] = Field(default=[], description="Availability zones to spread over")
    auto_scaling: AutoScaling | None = Field(default=None, description="Bounds between which workers come and go")


class NodeGroup(Workers):
    """A further group of nodes."""

    name: Name = Field(description="Its name")
    labels: dict[str, Label] = Field(default={}, description="Labels of its nodes")


class ClusterNetworking(Record):
    """Addresses and network plugin of a cluster."""

    vpc_cidr: Cidr = Field(default="10.0.0.0/16", description="Addresses of the nodes' network")
    pod_cidr: Cidr = Field(default="10.244.0.0/16", description="Addresses of pods")
    service_cidr: Cidr = Field(default="10.96.0.0/12", description="Addresses of services")
    cni: Literal["cilium", "calico", "flannel"] = Field(default="cilium", description="Network plugin")
    cni_version: Version | None = Field(default=None, description="The plugin's version; the catalogue's default when left out")
    encryption: Literal["none", "wireguard", "ipsec", "mtls"] = Field(default="none", description="Encryption between pods")
    network_policies: bool = Field(default=True, description="Whether network policies are enforced")
    vpc: Name | None = Field(default=None, description="Name of the network that it runs in")
    subnets: list[Name] = Field(default=[], description="Names of its subnets")


class Addons(Record):
    """What is installed into a cluster."""

    ingress_nginx: bool = Field(default=True, description="Ingress controller")
    cert_manager: bool = Field(default=True, description="Certificates")
    metrics_server: bool = Field(default=True, description="Resource metrics")
    prometheus: bool = Field(default=False, description="Monitoring and alerts")


class ApiEndpoint(Record):
    """Who may reach the Kubernetes API."""

    public: bool = Field(default=False, description="Whether it has a public address")
    allowed_cidrs: list[Cidr] = Field(default=[], description="Networks that may reach the public address")


class KubernetesCluster(Placed):
    """A Kubernetes cluster, managed by the provider or built from taskservs."""

    version: Annotated[str, StringConstraints(pattern=r"^1\.[0-9]{1,2}(\.[0-9]{1,3})?$")] | None = Field(
        default=None, description="Kubernetes version such as 1.34; the catalogue's default when left out"
    )
    managed: bool | None = Field(default=None, description="Whether the provider runs the control plane; its habit when left out")
    control_plane: ControlPlane = Field(default=ControlPlane(), description="Control plane")
    workers: Workers = Field(default=Workers(), description="The first group of nodes")
    node_groups: list[NodeGroup] = Field(default=[], description="Further groups of nodes")
    networking: ClusterNetworking = Field(default=ClusterNetworking(), description="Addresses and network plugin")
    addons: Addons = Field(default=Addons(), description="What is installed into it")
    endpoint: ApiEndpoint = Field(default=ApiEndpoint(), description="Who may reach its API")
    secrets_encryption: bool = Field(default=True, description="Whether secrets are encrypted in etcd")
    kms_key: Name | None = Field(default=None, description="Name of the key for that, when not the provider's")
    audit_logs: bool = Field(default=True, description="Whether the API's audit log is kept")
    rbac: bool = Field(default=True, description="Whether role-based access control is on")
    anonymous_auth: bool = Field(default=False, description="Whether unauthenticated requests are let in")
    backup: Backup | None = Field(default=None, description="Scheduled backups of etcd and volumes")


class Resources(Record):
    """Requests and limits of one container."""

    cpu: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?m?$")] | None = Field(
        default=None, description="CPU, such as 500m"
    )
    memory: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$")] | None = Field(
        default=None, description="Memory, such as 256Mi"
    )


class Workload(Tagged):
    """A container that runs on a cluster."""

    cluster: Name | None = Field(default=None, description="Name of its cluster; the only one when left out")
    namespace: Name = Field(default="default", description="Namespace")
    image: Label = Field(description="Container image, best with its digest")
    replicas: Annotated[int, Field(ge=0, le=1000)] = Field(default=2, description="Copies that run")
    ports: list[Port] = Field(default=[], description="Ports that it listens on")
    env: dict[str, Label] = Field(default={}, description="Environment; secrets as vault: handles")
    limits: Resources = Field(default=Resources(), description="Most CPU and memory that it may use")
    privileged: bool = Field(default=False, description="Whether it runs privileged")
    run_as_non_root: bool = Field(default=True, description="Whether root is refused")
    allow_privilege_escalation: bool = Field(default=False, description="Whether a process may gain privileges")
    read_only_root: bool = Field(default=True, description="Whether its root file system is read only")

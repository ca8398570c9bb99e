"""Networks, subnets, security groups, load balancers, DNS."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from prov_gen.model.base import Cidr, Domain, Label, Name, Placed, Plan, Port, Record, Rule, Tagged
from stratumops.provider import Provider


class Subnet(Record):
    """A part of a network."""

    name: Name = Field(description="Its name, unique in its network")
    cidr: Cidr = Field(description="Its addresses, inside the network's")
    tier: Literal["public", "private", "isolated"] = Field(default="private", description="Who can reach it from the internet")
    zone: Name | None = Field(default=None, description="Availability zone")
    map_public_ip: bool = Field(default=False, description="Whether servers in it get a public address by default")


class Peering(Record):
    """A route to another network."""

    name: Name = Field(description="Its name")
    peer: Label = Field(description="Name or id of the other network")
    peer_cidr: Cidr = Field(description="The other network's addresses")


class Vpc(Tagged):
    """A further network beside the configuration's own."""

    cidr: Cidr = Field(default="10.1.0.0/16", description="Its addresses")
    environment: Label | None = Field(default=None, description="What runs in it, such as production or staging")
    subnets: list[Subnet] = Field(default=[], description="Its parts")
    flow_logs: bool = Field(default=False, description="Whether traffic is logged")
    default_security_group_closed: bool = Field(
        default=True, description="Whether the default security group lets nothing through"
    )


class Networking(Record):
    """The configuration's own network."""

    name: Name = Field(default="main", description="Its name")
    vpc_cidr: Cidr = Field(default="10.0.0.0/16", description="Its addresses")
    pod_cidr: Cidr | None = Field(default=None, description="Addresses of pods, for every cluster that names none")
    service_cidr: Cidr | None = Field(
        default=None, description="Addresses of Kubernetes services, for every cluster that names none"
    )
    subnets: list[Subnet] = Field(default=[], description="Its parts")
    vpcs: list[Vpc] = Field(default=[], description="Further networks")
    peerings: list[Peering] = Field(default=[], description="Routes to other networks")
    nat: Literal["none", "single", "per_zone"] = Field(default="none", description="NAT gateways for private subnets")
    flow_logs: bool = Field(default=False, description="Whether traffic is logged")
    default_security_group_closed: bool = Field(
        default=True, description="Whether the default security group lets nothing through"
    )


class SecurityRule(Record):
    """A rule of a security group."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "to_port is smaller than from_port",
            lambda r: r.to_port is None or r.from_port is None or r.from_port <= r.to_port,
            'fun r => !(std.record.has_field "to_port" r && std.record.has_field "from_port" r) || r.from_port <= r.to_port',
        ),
    )

    direction: Literal["ingress", "egress"] = Field(default="ingress", description="Which way")
    protocol: Literal["tcp", "udp", "icmp", "all"] = Field(default="tcp", description="Protocol")
    from_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        default=None, description="First port; all ports when left out"
    )
    to_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(default=None, description="Last port; from_port when left out")
    cidrs: list[Cidr] = Field(default=[], description="Networks on the other side")
    groups: list[Name] = Field(default=[], description="Security groups on the other side")
    description: Label | None = Field(default=None, description="Why it is there")


class SecurityGroup(Tagged):
    """A stateful firewall around servers."""

    description: Label | None = Field(default=None, description="What it protects")
    vpc: Name | None = Field(default=None, description="Name of its network")
    provider: Provider | None = Field(default=None, description="Its provider, when not the configuration's")
    rules: list[SecurityRule] = Field(default=[], description="What it lets through")


class Listener(Record):
    """A port of a load balancer."""

    port: Port = Field(default=443, description="Port that clients use")
    protocol: Literal["http", "https", "tcp", "tls", "udp"] = Field(default="https", description="Protocol that clients speak")
    target_port: Port = Field(default=80, description="Port of the targets")
    certificate: Name | None = Field(default=None, description="Name of a certificate, for https and tls")
    redirect_to_https: bool = Field(default=False, description="Whether plain http is answered with a redirect")


class HealthCheck(Record):
    """How a target is found to be alive."""

    path: Annotated[str, StringConstraints(pattern=r"^/[^\s]{0,255}$")] = Field(default="/", description="HTTP path")
    port: Port | None = Field(default=None, description="Port, when not the target's")
    interval_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(default=10, description="Seconds between two checks")
    healthy_threshold: Annotated[int, Field(ge=1, le=20)] = Field(default=3, description="Good checks until it is in")
    unhealthy_threshold: Annotated[int, Field(ge=1, le=20)] = Field(default=3, description="Bad checks until it is out")


class LoadBalancer(Placed):
    """Spreads traffic over servers."""

    kind: Literal["application", "network"] = Field(default="application", description="HTTP-aware, or plain TCP and UDP")
    plan: Plan | None = Field(default=None, description="The provider's size of balancer, where it sells several")
    scheme: Literal["public", "internal"] = Field(default="public", description="Whether the internet reaches it")
    listeners: list[Listener] = Field(default=[Listener()], description="Its ports")
    targets: list[Name] = Field(default=[], description="Names of servers, clusters or workloads")
    health_check: HealthCheck = Field(default=HealthCheck(), description="How a target is found to be alive")
    subnets: list[Name] = Field(default=[], description="Names of its subnets")
    security_groups: list[Name] = Field(default=[], description="Names of its security groups")
    tls_policy: Literal["1.0", "1.1", "1.2", "1.3"] = Field(default="1.2", description="Least TLS version accepted")
    waf: bool = Field(default=False, description="Whether a web application firewall stands before it")
    access_logs: bool = Field(default=False, description="Whether requests are logged")
    log_bucket: Name | None = Field(default=None, description="Bucket for the access logs")
    deletion_protection: bool = Field(default=True, description="Whether it must be unlocked before it can be deleted")


class DnsRecord(Record):
    """One record set."""

    name: Annotated[str, StringConstraints(pattern=r"^(@|\*|[a-z0-9_*]([a-z0-9._-]{0,251}[a-z0-9_])?)$")] = Field(
        default="@", description="Name inside the zone; @ is the zone itself"
    )
    type: Literal["A", "AAAA", "CNAME", "MX", "TXT", "SRV", "CAA", "NS"] = Field(default="A", description="Record type")
    ttl: Annotated[int, Field(ge=1, le=604800)] = Field(default=300, description="Time to live, in seconds")
    values: list[Label] = Field(default=[], description="What it answers")
    target: Name | None = Field(default=None, description="A load balancer or server whose address it follows, instead of values")


class DnsZone(Record):
    """A DNS zone and its records."""

    domain: Domain = Field(description="The zone's domain")
    provider: Provider | None = Field(default=None, description="Its provider, when not the configuration's")
    private: bool = Field(default=False, description="Whether only the configuration's own networks see it")
    dnssec: bool = Field(default=False, description="Whether answers are signed")
    records: list[DnsRecord] = Field(default=[], description="Its records")

"""Configurations with one thing of each kind, and what can be changed of it in place."""

from typing import Any

from tests.provisioning.worlds import Example

Values = dict[str, Any]
NETWORK: Values = {
    "name": "main", "vpc_cidr": "10.0.0.0/16",
    "subnets": [
        {"name": "front", "cidr": "10.0.1.0/24", "tier": "public"}, {"name": "back", "cidr": "10.0.2.0/24", "tier": "isolated"},
    ],
}  # fmt: skip
HTTP: Values = {"protocol": "tcp", "from_port": 80, "cidrs": ["0.0.0.0/0", "::/0"], "description": "the web"}
SSH: Values = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidrs": ["192.0.2.0/24"]}
PING: Values = {"protocol": "icmp", "cidrs": ["10.0.0.0/16"]}
OUT: Values = {"direction": "egress", "protocol": "all", "cidrs": ["0.0.0.0/0"]}


def config(**parts: Any) -> Values:
    """A configuration at UpCloud with our network."""
    whole = {"name": "shop", "provider": "upcloud", "region": "de-fra1", "tags": {"Team": "web"}, "networking": NETWORK}
    return {**whole, **parts}


def server(**parts: Any) -> Values:
    """A server in a subnet with a firewall."""
    return {
        "name": "web", "plan": "2xCPU-4GB", "spec": {"disk_gb": 50, "os": {"family": "debian", "version": "12"}},
        "networking": {"subnet": "front", "public_ip": True, "security_groups": ["web", "ops"]},
        "backup": {"retention_days": 7, "schedule": "30 4 * * *"}, **parts,
    }  # fmt: skip


GROUPS = [{"name": "web", "rules": [HTTP, SSH]}, {"name": "ops", "rules": [PING, OUT]}]


def vpc(_: str) -> Values:
    return config(networking={**NETWORK, "vpcs": [{"name": "lab", "cidr": "10.9.0.0/16", "tags": {"Use": "tests"}}]})


def vpc_changed(_: str) -> Values:
    return config(networking={**NETWORK, "vpcs": [{"name": "lab", "cidr": "10.9.0.0/16", "tags": {"Use": "trials"}}]})


def subnet(_: str) -> Values:
    return config()


def subnet_changed(_: str) -> Values:
    first, second = NETWORK["subnets"]
    return config(networking={**NETWORK, "subnets": [first, {**second, "tier": "private"}]})


def group(_: str) -> Values:
    return config(security_groups=GROUPS)


def group_changed(_: str) -> Values:
    return config(security_groups=[{"name": "web", "rules": [HTTP, PING], "tags": {"Owner": "ops"}}, GROUPS[1]])


def machine(_: str) -> Values:
    return config(security_groups=GROUPS, servers=[server()])


def machine_changed(_: str) -> Values:
    changed = server(
        plan="4xCPU-8GB", tags={"Tier": "front"},
        networking={"subnet": "front", "public_ip": False, "security_groups": ["web"]},
        backup={"retention_days": 14, "schedule": "@weekly"},
    )  # fmt: skip
    return config(security_groups=GROUPS, servers=[changed])


def volume(_: str) -> Values:
    return config(
        security_groups=GROUPS, servers=[server(), server(name="db")],
        volumes=[{"name": "data", "size_gb": 20, "type": "gp3", "attached_to": "web", "backup": {}}],
    )  # fmt: skip


def volume_changed(_: str) -> Values:
    changed = {"name": "data", "size_gb": 20, "type": "gp3", "tags": {"Kept": "yes"}, "backup": {"retention_days": 30}}
    return {**volume(""), "volumes": [changed]}


LISTENERS = [
    {"port": 80, "protocol": "http", "redirect_to_https": True, "target_port": 8080},
    {"port": 443, "protocol": "https", "certificate": "shop", "target_port": 8080},
]


def balancer(_: str) -> Values:
    return config(
        security_groups=GROUPS, servers=[server()],
        load_balancers=[{"name": "front", "listeners": LISTENERS, "targets": ["web"], "subnets": ["front"]}],
    )  # fmt: skip


def balancer_changed(_: str) -> Values:
    changed = {
        "name": "front", "listeners": [LISTENERS[1], {"port": 5432, "protocol": "tcp", "target_port": 5432}],
        "subnets": ["front"], "targets": [], "health_check": {"path": "/alive", "interval_seconds": 5}, "tags": {"Tier": "edge"},
    }  # fmt: skip
    return {**balancer(""), "load_balancers": [changed]}


EXAMPLES = (
    Example("vpc.lab", vpc, vpc_changed),
    Example("subnet.back", subnet, subnet_changed),
    Example("security_group.web", group, group_changed),
    Example("server.web", machine, machine_changed),
    Example("volume.data", volume, volume_changed),
    Example("load_balancer.front", balancer, balancer_changed),
)

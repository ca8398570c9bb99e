"""What there is at the sandbox, counted by plain boto3."""

from collections import Counter
from collections.abc import Callable
from typing import Any

_EC2 = {
    "vpc": ("describe_vpcs", "Vpcs"),
    "subnet": ("describe_subnets", "Subnets"),
    "route table": ("describe_route_tables", "RouteTables"),
    "internet gateway": ("describe_internet_gateways", "InternetGateways"),
    "address": ("describe_addresses", "Addresses"),
    "security group": ("describe_security_groups", "SecurityGroups"),
    "flow log": ("describe_flow_logs", "FlowLogs"),
    "volume": ("describe_volumes", "Volumes"),
}


def _all(client: Any, operation: str, key: str) -> list[Any]:
    if client.can_paginate(operation):
        return [one for page in client.get_paginator(operation).paginate() for one in page[key]]
    return getattr(client, operation)()[key]


def _ec2(client: Callable[[str], Any], found: Counter[str]) -> None:
    ec2 = client("ec2")
    for kind, (operation, key) in _EC2.items():
        found[kind] = len(_all(ec2, operation, key))
    found["nat gateway"] = sum(one["State"] != "deleted" for one in _all(ec2, "describe_nat_gateways", "NatGateways"))
    reservations = _all(ec2, "describe_instances", "Reservations")
    found["server"] = sum(one["State"]["Name"] != "terminated" for group in reservations for one in group["Instances"])
    # Rules are counted too: a creation that was cut off must not leave one out.
    found["rule"] = len(_all(ec2, "describe_security_group_rules", "SecurityGroupRules"))


def _roles(client: Callable[[str], Any], found: Counter[str]) -> None:
    found["role"] = len(_all(client("iam"), "list_roles", "Roles"))


def _buckets(client: Callable[[str], Any], found: Counter[str]) -> None:
    found["bucket"] = len(client("s3").list_buckets()["Buckets"])


def _databases(client: Callable[[str], Any], found: Counter[str]) -> None:
    rds = client("rds")
    found["database"] = len(_all(rds, "describe_db_instances", "DBInstances"))
    found["subnet group"] = len(_all(rds, "describe_db_subnet_groups", "DBSubnetGroups"))
    found["parameter group"] = len(_all(rds, "describe_db_parameter_groups", "DBParameterGroups"))


def _clusters(client: Callable[[str], Any], found: Counter[str]) -> None:
    eks = client("eks")
    for cluster in _all(eks, "list_clusters", "clusters"):
        found["cluster"] += 1
        found["node group"] += len(eks.list_nodegroups(clusterName=cluster)["nodegroups"])


def _balancers(client: Callable[[str], Any], found: Counter[str]) -> None:
    elb = client("elbv2")
    for balancer in _all(elb, "describe_load_balancers", "LoadBalancers"):
        found["balancer"] += 1
        found["listener"] += len(elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"])
    found["target group"] = len(_all(elb, "describe_target_groups", "TargetGroups"))


def _zones(client: Callable[[str], Any], found: Counter[str]) -> None:
    route53 = client("route53")
    for zone in _all(route53, "list_hosted_zones", "HostedZones"):
        found["zone"] += 1
        found["record"] += len(route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"])


_OF_KIND = {
    "vpc": (_ec2, _roles),
    "bucket": (_buckets,),
    "database": (_databases,),
    "kubernetes": (_clusters, _roles),
    "load_balancer": (_balancers,),
    "dns": (_zones,),
    "dns_record": (_zones,),
}


def count(client: Callable[[str], Any], kind: str = "vpc") -> Counter[str]:
    """How many objects are alive of those that a kind of resource is made of."""
    found: Counter[str] = Counter()
    for tally in _OF_KIND.get(kind, (_ec2,)):
        tally(client, found)
    return +found

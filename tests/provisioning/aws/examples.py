"""A configuration for each kind of resource that AWS makes, and what it becomes by an update in place."""

from typing import Any

from tests.provisioning.worlds import Example

Values = dict[str, Any]

PUBLIC = {"name": "front", "cidr": "10.0.1.0/24", "tier": "public", "map_public_ip": True}
PRIVATE = {"name": "back", "cidr": "10.0.2.0/24", "zone": "eu-central-1a"}
OTHER = {"name": "beside", "cidr": "10.0.3.0/24", "zone": "eu-central-1b"}


def base(**more: Any) -> Values:
    return {
        "provider": "aws",
        "region": "eu-central-1",
        "tags": {"Team": "shop"},
        "networking": {"name": "main", "vpc_cidr": "10.0.0.0/16", "subnets": [PUBLIC, PRIVATE, OTHER]},
        **more,
    }


def _network(_: str) -> Values:
    return base()


def _logged_network(_: str) -> Values:
    return base(networking={"name": "main", "flow_logs": True}, tags={"Team": "data", "Stage": "test"})


def _private_front(_: str) -> Values:
    subnets = [{**PUBLIC, "tier": "private", "map_public_ip": False}, PRIVATE]
    return base(networking={"name": "main", "subnets": subnets})


def _group(_: str) -> Values:
    rules = [
        {"from_port": 443, "cidrs": ["0.0.0.0/0", "2001:db8::/32"], "description": "clients"},
        {"from_port": 8000, "to_port": 8010, "groups": ["web", "inner"]},
        {"direction": "egress", "protocol": "all", "cidrs": ["0.0.0.0/0"]},
        {"protocol": "icmp", "cidrs": ["10.0.0.0/16"]},
    ]
    inner = {"name": "inner", "rules": [{"protocol": "udp", "cidrs": ["10.0.0.0/8"]}]}
    return base(security_groups=[{"name": "web", "description": "the shop's door", "rules": rules}, inner])


def _other_rules(_: str) -> Values:
    rules = [
        {"from_port": 443, "cidrs": ["0.0.0.0/0"], "description": "everybody"},
        {"from_port": 8000, "to_port": 8010, "groups": ["inner"]},
        {"direction": "egress", "from_port": 443, "cidrs": ["0.0.0.0/0"]},
    ]
    inner = {"name": "inner", "rules": [{"protocol": "udp", "cidrs": ["10.0.0.0/8"]}]}
    return base(security_groups=[{"name": "web", "description": "the shop's door", "rules": rules}, inner])


_GROUPS = [{"name": "web", "rules": [{"from_port": 22, "cidrs": ["10.0.0.0/16"]}]}, {"name": "more"}]


def server(**more: Any) -> Values:
    networking = {"subnet": "front", "public_ip": True, "security_groups": ["web"]}
    return {"name": "web-1", "plan": "t3.small", "networking": networking, "user_data": "#!/bin/sh\ntrue\n", **more}


def _server(_: str) -> Values:
    return base(security_groups=_GROUPS, servers=[server(spec={"disk_gb": 30, "disk_type": "gp3"})])


def _bigger_server(_: str) -> Values:
    networking = {"subnet": "front", "public_ip": True, "security_groups": ["web"]}
    more = {"monitoring": False, "metadata_tokens": "optional", "tags": {"Role": "door"}}
    bigger = server(plan="m5.large", spec={"disk_gb": 60, "disk_type": "gp3", "disk_iops": 5000}, networking=networking, **more)
    return base(security_groups=_GROUPS, servers=[bigger], tags={})


def _volume(_: str) -> Values:
    return base(
        servers=[server(networking={"subnet": "back"})], volumes=[{"name": "data", "size_gb": 20, "attached_to": "web-1"}]
    )


def _bigger_volume(_: str) -> Values:
    bigger = {"name": "data", "size_gb": 40, "type": "io1", "iops": 1000}
    return base(servers=[server(networking={"subnet": "back"})], volumes=[bigger])


def _nat(kind: str) -> Values:
    more = {"name": "front-b", "cidr": "10.0.4.0/24", "tier": "public", "zone": "eu-central-1b"}
    front = {**PUBLIC, "zone": "eu-central-1a"}
    return base(networking={"name": "main", "subnets": [front, more, PRIVATE, OTHER], "nat": kind})


def _single_nat(_: str) -> Values:
    return _nat("single")


def _nat_per_zone(_: str) -> Values:
    return _nat("per_zone")


def _bucket(word: str) -> Values:
    return base(buckets=[{"name": f"shop-{word}", "lifecycle": {"expire_days": 90, "archive_days": 30}}])


def _other_bucket(word: str) -> Values:
    other = {"name": f"shop-{word}", "versioning": False, "encryption": "kms", "block_public": False, "access": "public_read"}
    return base(buckets=[{**other, "secure_transport_only": False}], tags={})


PASSWORD = "vault:secret/shop#password"


def _database(word: str, **more: Any) -> Values:
    # moto keeps the backups of a database that is gone, and refuses another one of its name for a minute.
    more = {"backup": {"enabled": False}, **more}
    own = {"name": f"shop-{word}", "subnets": ["back", "beside"], "security_groups": ["web"], "deletion_protection": False}
    return base(security_groups=_GROUPS, databases=[{**own, "password": PASSWORD, **more}])


def _bigger_database(word: str) -> Values:
    backup = {"retention_days": 14, "schedule": "30 3 * * *"}
    more = {"plan": "large", "storage_gb": 100, "multi_az": True, "replicas": 1, "logs_exported": False, "tags": {"Role": "data"}}
    return _database(word, backup=backup, auto_minor_upgrades=False, authentication="iam", require_tls=False, **more)


def _cluster(word: str, **more: Any) -> Values:
    groups = [{"name": "batch", "count": 1, "labels": {"for": "batch"}}]
    own = {"name": f"shop-{word}", "networking": {"subnets": ["back", "beside"]}, "node_groups": groups}
    return base(clusters=[{**own, **more}])


def _scaled_cluster(word: str) -> Values:
    workers = {"count": 5, "plan": "large", "auto_scaling": {"enabled": True, "min": 2, "max": 9}}
    return _cluster(word, workers=workers, node_groups=[], tags={"Role": "shop"})


def _balancer(word: str, **more: Any) -> Values:
    listeners = [{"port": 80, "protocol": "http", "target_port": 8080}]
    own = {"name": f"shop-{word}", "subnets": ["front", "front-b"], "security_groups": ["web"], "targets": ["web-1"]}
    front = {"name": "front-b", "cidr": "10.0.4.0/24", "tier": "public", "zone": "eu-central-1b"}
    networking = {"name": "main", "subnets": [{**PUBLIC, "zone": "eu-central-1a"}, front]}
    balancer = {**own, "listeners": listeners, "deletion_protection": False, **more}
    return base(networking=networking, security_groups=_GROUPS, servers=[server()], load_balancers=[balancer])


def _other_balancer(word: str) -> Values:
    listeners = [
        {"port": 80, "protocol": "http", "redirect_to_https": True},
        {"port": 8080, "protocol": "http", "target_port": 9090},
    ]
    return _balancer(word, listeners=listeners, health_check={"path": "/alive"}, security_groups=["more"], tags={"Role": "door"})


def _zone(word: str, **record: Any) -> Values:
    return base(dns_zones=[{"domain": f"example-{word}.com", "records": [{"name": "*", "type": "TXT", **record}]}])


def _record(word: str) -> Values:
    return _zone(word, values=['say "hello"', "v=spf1 -all"])


def _other_record(word: str) -> Values:
    return _zone(word, values=["v=spf1 ~all"], ttl=60)


def _followed(word: str) -> Values:
    zone = {"domain": f"example-{word}.com", "records": [{"name": "www", "target": f"shop-{word}"}]}
    return {**_balancer(word), "dns_zones": [zone]}


_PUBLICS = ("subnet.front", "subnet.front-b", "subnet.back", "subnet.beside")

EXAMPLES = (
    Example("nat.main", _single_nat, _nat_per_zone, besides=_PUBLICS),
    Example("bucket.shop-{word}", _bucket, _other_bucket),
    Example("database.shop-{word}", _database, _bigger_database, secrets={PASSWORD: "correct-horse-1"}),
    Example("kubernetes.shop-{word}", _cluster, _scaled_cluster),
    Example("load_balancer.shop-{word}", _balancer, _other_balancer, besides=("security_group.more",)),
    Example("dns.example-{word}.com", _record),
    Example("dns_record.*.example-{word}.com/TXT", _record, _other_record),
    Example("dns_record.www.example-{word}.com/A", _followed),
    Example("vpc.main", _network, _logged_network),
    Example("subnet.front", _network, _private_front),
    Example("subnet.back", _network, None),
    Example("security_group.web", _group, _other_rules),
    Example("server.web-1", _server, _bigger_server),
    Example("volume.data", _volume, _bigger_volume),
)

BY_NAME = {str(example): example for example in EXAMPLES}

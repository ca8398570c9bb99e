"""Configurations that the tests of the exports share: the examples, one with every kind, and drawn ones."""

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from prov_gen.export.model import Exporter
from prov_gen.load import load_config
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import KINDS
from prov_gen.nickel import Nickel
from prov_gen.source import read_source
from strategies import stated
from stratumops.workspace import Workspace

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

EVERY_KIND: dict[str, Any] = {
    "name": "shop",
    "region": "eu-west-1",
    "tags": {"Owner": "shop", "odd\x00key": "x"},
    "networking": {
        "nat": "per_zone",
        "flow_logs": True,
        "subnets": [
            {"name": "public-a", "cidr": "10.0.0.0/24", "tier": "public", "zone": "eu-west-1a", "map_public_ip": True},
            {"name": "public-b", "cidr": "10.0.1.0/24", "tier": "public", "zone": "eu-west-1b"},
            {"name": "private-a", "cidr": "10.0.2.0/24", "zone": "eu-west-1a"},
            {"name": "private-b", "cidr": "10.0.3.0/24", "zone": "eu-west-1b"},
        ],
        "vpcs": [{"name": "tools", "cidr": "10.9.0.0/16", "subnets": [{"name": "tools-a", "cidr": "10.9.0.0/24"}]}],
        "peerings": [{"name": "to-tools", "peer": "tools", "peer_cidr": "10.9.0.0/16"}],
    },
    "security_groups": [
        {
            "name": "web",
            "description": "web servers",
            "rules": [
                {"from_port": 443, "cidrs": ["0.0.0.0/0", "::/0"], "description": "clients"},
                {"protocol": "icmp", "groups": ["db"]},
                {"direction": "egress", "protocol": "all", "cidrs": ["10.0.0.0/8"]},
            ],
        },
        {"name": "db", "rules": [{"from_port": 5432, "groups": ["web"]}]},
    ],
    "servers": [
        {
            "name": "web",
            "plan": "t3.medium",
            "role": "web",
            "zone": "eu-west-1b",
            "spec": {"disk_gb": 80, "disk_type": "io2", "disk_iops": 4000, "os": {"family": "debian", "version": "12"}},
            "networking": {"subnet": "public-b", "public_ip": True, "security_groups": ["web"]},
            "ssh": {"port": 2222},
            "patching": {"window": "sun 03:00-05:00"},
            "backup": {"retention_days": 14, "schedule": "30 2 * * 1"},
            "instance_profile": "web-role",
            "stateful": True,
            "taskservs": ["nginx", "unknown"],
            "user_data": "#!/bin/sh\necho '{{ hello }} ${AWS::Region}'\n",
            "data_class": "personal",
        },
        {"name": "rock", "spec": {"os": {"family": "rocky"}}, "ssh": {"port": 2022, "root_login": True, "password_auth": True}},
        {"name": "alp", "spec": {"os": {"family": "alpine"}}, "patching": {"automatic": False}},
    ],
    "clusters": [
        {
            "name": "main",
            "version": "1.34",
            "workers": {"count": 4, "plan": "large", "auto_scaling": {"enabled": True, "min": 2, "max": 6}},
            "node_groups": [{"name": "gpu", "labels": {"kind": "gpu"}, "zones": ["eu-west-1a"]}],
            "endpoint": {"public": True, "allowed_cidrs": ["198.51.100.0/24"]},
            "kms_key": "data",
        }
    ],
    "workloads": [
        {
            "name": "api",
            "namespace": "shop",
            "image": "registry.example.com/api@sha256:" + "a" * 64,
            "replicas": 3,
            "ports": [8080],
            "env": {"PASSWORD": "vault:secret/shop/api#password", "MODE": "a$(B)"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        {"name": "job", "image": "job:1", "replicas": 1, "privileged": True, "run_as_non_root": False},
    ],
    "databases": [
        {
            "name": "orders",
            "version": "16",
            "plan": "large",
            "storage_gb": 200,
            "multi_az": True,
            "replicas": 2,
            "kms_key": "data",
            "subnets": ["private-a", "private-b"],
            "security_groups": ["db"],
            "password": "vault:secret/shop/orders#password",
            "backup": {"retention_days": 30, "schedule": "15 3 * * *"},
        },
        {"name": "ms", "engine": "sqlserver"},
        {"name": "my", "engine": "mysql", "storage_type": "io1", "iops": 5000, "authentication": "iam"},
        {"name": "docs", "engine": "mongodb"},
    ],
    "caches": [{"name": "sessions", "nodes": 3, "plan": "large"}, {"name": "pages", "engine": "memcached"}],
    "load_balancers": [
        {
            "name": "front",
            "listeners": [
                {"certificate": "shop", "target_port": 8080},
                {"port": 80, "protocol": "http", "redirect_to_https": True},
            ],
            "targets": ["web", "api"],
            "health_check": {"path": "/health", "interval_seconds": 20},
            "security_groups": ["web"],
            "waf": True,
            "access_logs": True,
            "log_bucket": "logs",
            "tls_policy": "1.3",
        },
        {
            "name": "raw",
            "kind": "network",
            "listeners": [{"port": 9000, "protocol": "tcp", "target_port": 9001}],
            "targets": ["api"],
        },
    ],
    "buckets": [
        {"name": "logs", "versioning": False, "lifecycle": {"expire_days": 90, "archive_days": 30}},
        {"name": "files", "encryption": "kms", "kms_key": "data", "log_bucket": "logs", "object_lock": True, "size_gb": 10},
        {"name": "site", "access": "public_read", "block_public": False},
    ],
    "volumes": [
        {"name": "data", "size_gb": 200, "iops": 4000, "throughput": 250, "attached_to": "web", "backup": {}},
        {"name": "cold", "type": "hdd", "kms_key": "data"},
    ],
    "file_systems": [
        {"name": "shared", "kms_key": "data", "subnets": ["private-a", "private-b"], "backup": {"schedule": "@weekly"}}
    ],
    "queues": [{"name": "jobs", "retention_days": 7, "fifo": True}, {"name": "news", "kind": "topic", "kms_key": "data"}],
    "dns_zones": [
        {
            "domain": "example.com",
            "records": [
                {"target": "front"},
                {"name": "web", "target": "web"},
                {"name": "*", "type": "CNAME", "values": ["example.net"]},
                {"name": "mail", "type": "MX", "values": ["10 mx.example.net"], "ttl": 60},
                {"type": "TXT", "values": ['v=spf1 "-all"', "{{resolve:ssm:/x}}"]},
            ],
        },
        {"domain": "internal.example.com", "private": True},
    ],
    "certificates": [{"name": "shop", "domain": "shop.example.com", "alternative_names": ["*.shop.example.com"]}],
    "kms_keys": [{"name": "data", "rotation_days": 180, "deletion_window_days": 14}],
    "secrets": [{"name": "api", "handle": "vault:secret/shop/api#password"}],
    "registries": [{"name": "images", "immutable_tags": False}],
    "log_groups": [{"name": "app", "retention_days": 100, "kms_key": "data"}],
    "backup_plans": [{"name": "nightly", "targets": ["web", "orders", "shared", "nobody"], "schedule": "0 1 * * *"}],
    "taskservs": [{"name": "haproxy", "version": "3.0", "targets": ["web"], "settings": {"password": "vault:secret/x#y"}}],
    "security": {
        "threat_detection": True,
        "audit_logging": {"retention_days": 400},
        "iam_policies": [{"name": "read", "statements": [{"actions": ["s3:GetObject"], "resources": ["*"]}]}],
        "iam_users": [{"name": "ann", "policies": ["read"], "console": True}],
    },
    "monitoring": {"enabled": True, "notify": ["ops@example.com"]},
    "limits": {"monthly_budget": 1000.0},
}


def every_kind() -> InfrastructureConfig:
    """One configuration with every kind, most fields not at their default."""
    return InfrastructureConfig.model_validate(EVERY_KIND)


def examples() -> dict[str, InfrastructureConfig]:
    """The configurations of the folder `examples`, by file name."""

    async def read() -> dict[str, InfrastructureConfig]:
        workspace = Workspace.at(EXAMPLES)
        async with Nickel() as nickel:
            return {
                path.name: (await load_config(read_source(path.name, workspace), nickel=nickel, workspace=workspace)).config
                for path in sorted(EXAMPLES.glob("*.ncl"))
            }

    return asyncio.run(read())


@st.composite
def configurations(draw: st.DrawFn, *fields: str) -> InfrastructureConfig:
    """Configurations of up to two kinds (of these fields), at AWS, with one region."""
    kinds = [kind for kind in KINDS if not fields or kind.field in fields]
    value: dict[str, Any] = {"provider": "aws"}
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=2, unique=True)):
        record = stated(kind.model)
        value[kind.field] = draw(st.lists(record, min_size=1, max_size=3)) if kind.is_list else draw(record)
    for records in value.values():
        for record in records if isinstance(records, list) else ():
            record.pop("provider", None)
            record.pop("region", None)
    if draw(st.booleans()):
        value["tags"] = draw(st.dictionaries(st.text(max_size=10), st.text(min_size=1, max_size=20), max_size=2))
    try:
        return InfrastructureConfig.model_validate(value)
    except ValidationError:
        # Two rules of different records may contradict each other.
        return InfrastructureConfig(provider="aws")


def drawn(count: int, *fields: str) -> list[InfrastructureConfig]:
    """The same drawn configurations in every run, so that one run of a linter can read what all of them become."""
    found: list[InfrastructureConfig] = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(configurations(*fields))
    def collect(config: InfrastructureConfig) -> None:
        found.append(config)

    collect()
    return found


def stated_leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values in a stated configuration."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from stated_leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from stated_leaves(inner, (*path, index))
    else:
        yield path


def without(value: Any, path: tuple[str | int, ...]) -> InfrastructureConfig | None:
    """The stated configuration without one value; None where the models want it."""
    changed = copy.deepcopy(value)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    try:
        return InfrastructureConfig.model_validate(changed)
    except ValidationError:
        return None


def silent_losses(exporter: Exporter, stated_config: dict[str, Any]) -> list[tuple[str | int, ...]]:
    """The stated values that are neither listed as not carried nor change an answer when they are taken away."""
    whole = exporter(InfrastructureConfig.model_validate(stated_config))
    listed = {one.path for one in whole.not_carried}
    found = []
    for path in stated_leaves(stated_config):
        less = without(stated_config, path)
        if less is None or any(path[:end] in listed for end in range(1, len(path) + 1)):
            continue
        if exporter(less) == whole:
            found.append(path)
    return found

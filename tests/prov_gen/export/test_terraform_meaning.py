"""Fields whose words change on the way, each in configurations that are made of little else: what they mean comes back."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export_meaning import lost, meaning, without_listed
from prov_gen.export.import_ import import_terraform
from prov_gen.export.terraform import FILE, export
from prov_gen.export.terraform.providers import TARGETS
from prov_gen.model.infrastructure import InfrastructureConfig
from strategies import PROFILE

SIZES = ["small", "medium", "large", "xlarge"]
SCHEDULES = ["@hourly", "@daily", "@weekly", "@monthly", "30 2 * * *", "0 1 1 * *", "15 3 * * 0", "0 0 * * 7", "*/5 * 1 * 2"]
NETWORKS = ["0.0.0.0/0", "::/0", "10.0.0.0/8"]
GROUPS = ["a", "b", "c"]
ports = st.none() | st.sampled_from([0, 22, 443, 65535])


def config(**fields: Any) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate(fields)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Records that state some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    first, last = sorted((draw(ports), draw(ports)), key=lambda port: -1 if port is None else port)
    rule = draw(
        some(
            direction=st.sampled_from(["ingress", "egress"]),
            protocol=st.sampled_from(["tcp", "udp", "icmp", "all"]),
            cidrs=st.lists(st.sampled_from(NETWORKS), max_size=2),
            groups=st.lists(st.sampled_from([*GROUPS, "gone"]), max_size=2),
            description=st.sampled_from(["why", "tab\there", "${var.x}"]),
        )
    )
    return rule | {name: port for name, port in (("from_port", first), ("to_port", last)) if port is not None}


@st.composite
def firewalls(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [{"name": name, "rules": draw(st.lists(rules(), max_size=3))} for name in GROUPS]


def resources(before: InfrastructureConfig) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(export(before).files[FILE])["resource"]
    return found


@pytest.mark.parametrize("provider", TARGETS)
def test_everything_that_a_security_group_lets_through_comes_back_or_is_listed(provider: str) -> None:
    @settings(PROFILE, max_examples=60)
    @given(firewalls())
    def holds(groups: list[dict[str, Any]]) -> None:
        before = config(provider=provider, security_groups=groups)
        done = export(before)
        kept = meaning(without_listed(before, done.not_carried)).get("security_groups", [])
        back = meaning(import_terraform(done.files[FILE], FILE).config).get("security_groups", [])
        assert {one["name"]: one["rules"] for one in kept} == {one["name"]: one["rules"] for one in back}

    holds()


def test_groups_that_name_each_other_have_rules_of_their_own_and_nothing_is_listed() -> None:
    groups = [
        {"name": "web", "rules": [{"from_port": 443, "cidrs": ["::/0"]}, {"direction": "egress", "groups": ["db"]}]},
        {"name": "db", "rules": [{"from_port": 5432, "to_port": 5433, "groups": ["web", "db"], "description": "clients"}]},
        {"name": "alone", "rules": [{"groups": ["web"], "from_port": 22}]},
    ]
    before = config(security_groups=groups)
    document, done = resources(before), export(before)
    assert done.not_carried == ()
    assert "ingress" not in document["aws_security_group"]["web"]
    assert document["aws_vpc_security_group_ingress_rule"]["db_0_1"] == {
        "security_group_id": "${aws_security_group.db.id}",
        "ip_protocol": "tcp",
        "from_port": 5432,
        "to_port": 5433,
        "description": "clients",
        "referenced_security_group_id": "${aws_security_group.db.id}",
    }
    assert document["aws_security_group"]["alone"]["ingress"][0]["security_groups"] == ["${aws_security_group.web.id}"]
    assert meaning(import_terraform(done.files[FILE], FILE).config)["security_groups"] == [
        one | {"provider": "aws"} for one in meaning(before)["security_groups"]
    ]


def test_what_two_rules_of_such_a_group_let_through_is_written_once_and_listed() -> None:
    rule = {"from_port": 80, "cidrs": ["0.0.0.0/0"]}
    before = config(
        security_groups=[
            {"name": "a", "rules": [{"groups": ["b"]}, rule, rule | {"description": "again"}]},
            {"name": "b", "rules": [{"groups": ["a"]}]},
        ]
    )
    assert [entry.path for entry in export(before).not_carried] == [("security_groups", 0, "rules", 2, "cidrs", 0)]


def test_a_rule_that_names_nobody_is_listed_and_not_written() -> None:
    before = config(security_groups=[{"name": "a", "rules": [{"from_port": 80}]}])
    assert "ingress" not in resources(before)["aws_security_group"]["a"]
    assert [entry.path for entry in export(before).not_carried] == [("security_groups", 0, "rules", 0)]


SERVERS = some(
    plan=st.sampled_from([*SIZES, "t3.medium", "e2-medium", "cx23", "unheard-of"]),
    spec=some(
        cpu=st.sampled_from([1, 2, 8, 1000]),
        memory_gb=st.sampled_from([0.5, 4.0, 64.0, 60000.0]),
        disk_type=st.sampled_from(["ssd", "gp2", "gp3", "io1", "io2", "hdd"]),
        os=some(
            family=st.sampled_from(["ubuntu", "debian", "rocky", "alpine"]),
            version=st.sampled_from(["24.04", "12", "9", "3.21"])
            | st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}", fullmatch=True),
        ),
    ),
    backup=some(enabled=st.booleans(), schedule=st.sampled_from(SCHEDULES), retention_days=st.sampled_from([1, 7, 365])),
)
DATABASES = some(
    engine=st.sampled_from(["postgresql", "mysql", "mariadb", "sqlserver"]),
    version=st.sampled_from(["16", "16.4", "8.0", "8.4.3", "v17", "15.0.1-rc1"]),
    plan=st.sampled_from([*SIZES, "db.m6g.large", "m5.large", "db-n1-standard-8", "db-f1-micro", "db-custom-2-7680"]),
    storage_type=st.sampled_from(["ssd", "gp2", "gp3", "io1", "io2", "hdd"]),
    backup=some(enabled=st.booleans(), schedule=st.sampled_from(SCHEDULES), retention_days=st.sampled_from([1, 7, 365])),
)
CACHES = some(
    engine=st.sampled_from(["redis", "valkey", "memcached"]),
    version=st.sampled_from(["7", "7.2", "8.0.1"]),
    plan=st.sampled_from([*SIZES, "cache.t3.micro", "m6g.large"]),
)
VOLUMES = some(
    type=st.sampled_from(["ssd", "gp2", "gp3", "io1", "io2", "hdd"]),
    backup=some(enabled=st.booleans(), schedule=st.sampled_from(SCHEDULES), retention_days=st.sampled_from([1, 7, 365])),
)
NODES: dict[str, st.SearchStrategy[Any]] = {
    "count": st.sampled_from([0, 1, 3]),
    "plan": st.sampled_from([*SIZES, "m5.large", "unheard-of"]),
    "auto_scaling": some(enabled=st.booleans(), min=st.sampled_from([0, 1]), max=st.sampled_from([3, 10])),
}
CLUSTERS = some(
    version=st.sampled_from(["1.34", "1.33.2"]),
    managed=st.booleans(),
    workers=some(**NODES),
    node_groups=st.lists(some(**NODES).map(lambda group: {"name": "extra"} | group), max_size=1),
)
FIELDS = {"servers": SERVERS, "databases": DATABASES, "caches": CACHES, "volumes": VOLUMES, "clusters": CLUSTERS}


@pytest.mark.parametrize("provider", TARGETS)
@pytest.mark.parametrize("field", FIELDS)
def test_sizes_versions_kinds_and_schedules_come_back_with_what_they_mean_or_are_listed(field: str, provider: str) -> None:
    @settings(PROFILE)
    @given(FIELDS[field], st.sampled_from([None, *TARGETS]))
    def holds(record: dict[str, Any], other: str | None) -> None:
        own = {"name": "one"} | record | ({"provider": other} if other else {})
        assert lost(config(provider=provider, **{field: [own]})) == []

    holds()

"""Security groups as firewalls of servers."""

from typing import Any

import pytest
from tests.provisioning.upcloud.examples import GROUPS, HTTP, PING, SSH, config, server
from tests.provisioning.upcloud.fake import FakeUpCloud, Fault
from tests.provisioning.upcloud.fake_store import RefusedError
from tests.provisioning.worlds import Journal, drift

from provisioning.errors import ProviderError
from provisioning.providers.base import NoCalls
from provisioning.providers.upcloud import firewall
from provisioning.providers.upcloud.provider import UpCloud

WEB = config(
    security_groups=GROUPS,
    servers=[server(networking={"security_groups": ["web"]}), server(name="db", networking={"security_groups": ["ops"]})],
)


def rules_of(fake: FakeUpCloud, uuid: str) -> list[tuple[Any, ...]]:
    names = ("action", "direction", "family", "protocol", "source_address_start", "destination_port_start")
    return [tuple(rule[name] for name in names) for rule in fake.store.firewalls[uuid]]


def test_a_server_lets_in_what_its_groups_say_and_drops_the_rest(fake: FakeUpCloud, build):
    world = build(WEB)
    assert rules_of(fake, world.made["server.web"].id) == [
        ("accept", "in", "IPv4", "udp", "94.237.127.9", ""),
        ("accept", "in", "IPv4", "udp", "94.237.40.9", ""),
        ("accept", "in", "IPv4", "tcp", "", "80"),
        ("accept", "in", "IPv6", "tcp", "", "80"),
        ("accept", "in", "IPv4", "tcp", "192.0.2.0", "22"),
        ("drop", "in", "", "", "", ""),
    ]
    # A group with a rule for what goes out closes the rest of it.
    assert rules_of(fake, world.made["server.db"].id)[-3:] == [
        ("accept", "out", "IPv4", "", "", ""), ("drop", "in", "", "", "", ""), ("drop", "out", "", "", "", ""),
    ]  # fmt: skip


def test_a_changed_group_changes_its_servers_and_no_others(fake: FakeUpCloud, build, change):
    world = build(WEB)
    other = list(fake.store.firewalls[world.made["server.db"].id])
    changed = [{"name": "web", "rules": [SSH, PING]}, GROUPS[1]]
    _, journal = change(world, "security_group.web", {**WEB, "security_groups": changed})
    assert journal.calls == ["CreateFirewallRules", "ModifyServerGroup"]
    ports = [rule[-1] for rule in rules_of(fake, world.made["server.web"].id)]
    assert "80" not in ports
    assert fake.store.firewalls[world.made["server.db"].id] == other


def test_a_port_opened_by_hand_is_drift_and_closed_again(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    one, rules = world.made["security_group.web"], fake.store.firewalls[world.made["server.web"].id]
    opened = {**rules[2], "comment": "quick fix", "destination_port_start": "5432", "destination_port_end": "5432"}
    rules.insert(0, opened)
    read = provider.read(one)
    assert read is not None
    (path,) = drift(read, one.values)
    assert path == "rules[ingress tcp 5432 5432 0.0.0.0/0 quick fix]"
    assert read.values[path]["cidrs"] == ["0.0.0.0/0"]
    back = provider.update(one, world.wanted(one.address), frozenset({path}), NoCalls())
    assert drift(back, one.values) == {}
    assert not any(rule["destination_port_start"] == "5432" for rule in fake.store.firewalls[world.made["server.web"].id])


def test_a_rule_removed_by_hand_is_drift(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    one, rules = world.made["security_group.web"], fake.store.firewalls[world.made["server.web"].id]
    del rules[4]
    read = provider.read(one)
    assert read is not None
    assert [found for _, found in drift(read, one.values).values()] == [None]


def test_a_deleted_group_leaves_its_servers_closed(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    provider.delete(world.made["security_group.web"], Journal())
    assert [rule[0] for rule in rules_of(fake, world.made["server.web"].id)] == ["accept", "accept", "drop"]


def test_a_server_that_goes_while_its_group_is_read_counts_as_gone(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    one, server_id = world.made["security_group.web"], world.made["server.web"].id
    # The list still has it; its firewall answers 403 as soon as it is deleted, not 404.
    gone = RefusedError(404, "SERVER_NOT_FOUND", "The server does not exist.").body
    fake.faults = [
        Fault("GET", f"/server/{server_id}/firewall_rule", 403, RefusedError(403, "SERVER_FORBIDDEN", "Owned by another.").body),
        Fault("GET", f"/server/{server_id}", 404, gone),
    ]
    read = provider.read(one)
    assert [fault.times for fault in fake.faults] == [0, 0]
    assert read is not None
    assert drift(read, one.values) == {}


def test_the_firewall_of_a_deleted_server_is_none(provider: UpCloud, build):
    world = build(WEB)
    provider.delete(world.made["server.web"], NoCalls())
    assert firewall.current(provider._cloud, world.made["server.web"].id) is None


def test_a_firewall_that_the_account_may_not_see_is_an_error(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    fake.store.deleted.add(world.made["server.web"].id)
    with pytest.raises(ProviderError, match="SERVER_FORBIDDEN") as caught:
        provider.read(world.made["security_group.web"])
    assert caught.value.code == "provider_account"


def test_rules_between_groups_open_nothing_and_are_told_of(fake: FakeUpCloud, provider: UpCloud, build):
    between = {"protocol": "tcp", "from_port": 5432, "groups": ["web"]}
    values = config(
        security_groups=[GROUPS[0], {"name": "db", "rules": [between]}], servers=[server(networking={"security_groups": ["db"]})]
    )
    world = build(values)
    assert [rule[0] for rule in rules_of(fake, world.made["server.web"].id)] == ["accept", "accept", "drop"]
    journal = Journal()
    provider.create(world.wanted("security_group.db"), journal)
    assert any("does not filter private networks" in words for words in journal.reports)


def test_too_many_rules_are_refused_before_upcloud_is_asked(build):
    cidrs = [f"10.{high}.{low}.0/24" for high in range(5) for low in range(220)]
    many = [{"name": "web", "rules": [{**HTTP, "cidrs": cidrs}]}]
    with pytest.raises(ProviderError, match="1103 rules"):
        build(config(security_groups=many, servers=[server(networking={"security_groups": ["web"]})]))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            {"protocol": "udp", "from_port": 0, "to_port": 65535, "cidrs": ["0.0.0.0/0"]},
            {"destination_port_start": "1", "destination_port_end": "65535"},
        ),
        (
            {"protocol": "tcp", "cidrs": ["2001:db8::/64"]},
            {"family": "IPv6", "source_address_end": "2001:db8::ffff:ffff:ffff:ffff"},
        ),
        (
            {"direction": "egress", "protocol": "tcp", "from_port": 443, "cidrs": ["192.0.2.7/32"]},
            {"direction": "out", "destination_address_start": "192.0.2.7", "destination_port_end": "443"},
        ),
        ({"protocol": "all", "cidrs": ["10.0.0.0/8"]}, {"source_address_end": "10.255.255.255"}),
    ],
)
def test_a_rule_is_written_as_upcloud_takes_it(rule, expected):
    (made,) = firewall.compiled("abcd0123", rule)
    assert made.items() >= expected.items()
    assert ("protocol" in made) is (rule["protocol"] != "all")
    assert made["comment"] == "prov:abcd0123"


def test_a_rule_that_names_nobody_lets_nobody_in():
    assert firewall.compiled("abcd0123", {"protocol": "tcp", "from_port": 22, "cidrs": [], "groups": []}) == []

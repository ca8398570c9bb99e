"""What UpCloud's load balancers cannot do is refused with a way out; changes touch only what differs."""

from typing import Any

import pytest
from tests.provisioning.upcloud.examples import GROUPS, LISTENERS, balancer, config, server
from tests.provisioning.upcloud.fake import FakeUpCloud
from tests.provisioning.upcloud.fake_balancers import BUNDLE

from provisioning.errors import ProviderError


def with_balancer(**parts: Any) -> dict[str, Any]:
    """A balancer of one kind."""
    one = {"name": "front", "listeners": LISTENERS, "targets": ["web"], "subnets": ["front"], **parts}
    return config(security_groups=GROUPS, servers=[server()], load_balancers=[one])


def test_a_balancer_leads_to_the_private_addresses_of_its_targets(fake: FakeUpCloud, build):
    world = build(balancer(""))
    (request,) = fake.sent("POST", "/load-balancer")
    (backend,) = request.body["backends"]
    assert [(one["name"], one["ip"], one["port"]) for one in backend["members"]] == [
        ("web", world.made["server.web"].outputs["private_ip"], 8080)
    ]
    plain, tls = request.body["frontends"]
    assert plain["rules"][0]["actions"][0]["action_http_redirect"] == {"scheme": "https"}
    assert tls["tls_configs"] == [{"name": "shop", "certificate_bundle_uuid": BUNDLE["uuid"]}]
    assert request.body["plan"] == "development"
    made = world.made["load_balancer.front"]
    assert made.outputs["dns_name"].endswith(".upcloudlb.com")
    assert made.outputs["public_ip"]


def test_without_a_subnet_it_leads_to_public_addresses(fake: FakeUpCloud, build):
    world = build(with_balancer(subnets=[]))
    member = fake.sent("POST", "/load-balancer")[0].body["backends"][0]["members"][0]
    assert member["ip"] == world.made["server.web"].outputs["public_ip"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"listeners": [{"port": 53, "protocol": "udp"}]}, "do not speak udp"),
        ({"listeners": [{"port": 443}]}, "needs a certificate bundle"),
        ({"listeners": [{"port": 443, "certificate": "other"}]}, "named 'other'"),
        ({"scheme": "internal", "subnets": []}, "internal and names no subnet"),
    ],
)
def test_what_it_cannot_do_is_refused_for_good(fake: FakeUpCloud, build, parts, said):
    with pytest.raises(ProviderError, match=said) as caught:
        build(with_balancer(**parts))
    assert caught.value.is_permanent
    assert caught.value.hint
    assert fake.store.balancers == {}


def test_a_target_that_has_no_address_is_refused(build):
    values = {**with_balancer(subnets=[]), "servers": [server(networking={})]}
    with pytest.raises(ProviderError, match="no address that is known"):
        build(values)


def test_a_changed_check_touches_the_backend_only(build, change):
    world = build(with_balancer())
    _, journal = change(world, "load_balancer.front", with_balancer(health_check={"path": "/alive"}))
    assert journal.calls == ["ModifyBackend"]


def test_a_plan_and_a_name_change_in_place(build, change):
    world = build(with_balancer(plan="development"))
    found, journal = change(world, "load_balancer.front", with_balancer(plan="production-small", tags={"Tier": "edge"}))
    assert journal.calls == ["ModifyLoadBalancer"]
    assert found.values["plan"] == "production-small"


def test_targets_come_and_go_one_by_one(build, change):
    both = [server(), server(name="db")]
    world = build({**with_balancer(), "servers": both})
    _, journal = change(world, "load_balancer.front", {**with_balancer(targets=["db"]), "servers": both})
    assert journal.calls == ["DeleteBackendMember", "CreateBackendMember"]


def test_listeners_are_exchanged_before_and_after_what_they_lead_to(build, change):
    world = build(with_balancer())
    listeners = [LISTENERS[0], {**LISTENERS[1], "target_port": 9090}]
    _, journal = change(world, "load_balancer.front", with_balancer(listeners=listeners))
    assert journal.calls == ["DeleteFrontend", "CreateBackend", "CreateFrontend"]


def test_a_listener_made_by_hand_is_drift(fake: FakeUpCloud, provider, build):
    world = build(with_balancer())
    one = world.made["load_balancer.front"]
    row = fake.store.balancers[one.id]
    row["frontends"].append({**row["frontends"][0], "name": "mine", "port": 8443, "mode": "tcp", "rules": []})
    read = provider.read(one)
    assert read.values["listeners[8443].port"] == 8443
    assert read.values["listeners[8443].protocol"] == "tcp"


def test_more_than_a_page_of_balancers_is_listed(fake: FakeUpCloud, provider, build):
    world = build(with_balancer())
    one = fake.store.balancers[world.made["load_balancer.front"].id]
    for number in range(100):
        uuid = f"0a{number:06}-0000-4000-8000-000000000000"
        fake.store.balancers[uuid] = {**one, "uuid": uuid, "labels": []}
    assert len(provider.find_by_tag({}, kinds=frozenset({"load_balancer"}))) == 101

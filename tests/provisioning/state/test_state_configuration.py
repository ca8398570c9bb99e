"""What is recorded as things and as a configuration: the same as what it was recorded from."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructures import changed, configuration, model
from prov_gen.effective import region_of
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.compare import changes_of
from prov_judge.changes.things import IS_NO_THING, things
from provisioning.resource import Recorded
from provisioning.secrets import SEALED
from provisioning.state.configuration import SEALED_LEAF, current_configuration, things_of
from provisioning.state.store import open_store
from strategies import models
from stratumops.errors import ConflictError
from stratumops.handles import is_handle

from .states import WRITE

RANDOM = st.integers().map(Random)
WHOLE = {
    "provider": "aws",
    "region": "eu-central-1",
    "environment": "staging",
    "tags": {"team": "shop"},
    "networking": {
        "nat": "single",
        "pod_cidr": "10.42.0.0/16",
        "subnets": [{"name": "a", "cidr": "10.0.1.0/24"}, {"name": "b", "cidr": "10.0.2.0/24"}],
        "vpcs": [{"name": "far", "cidr": "10.9.0.0/16", "subnets": [{"name": "a", "cidr": "10.9.1.0/24"}]}],
        "peerings": [{"name": "office", "peer": "vpc-1", "peer_cidr": "10.8.0.0/16"}],
    },
    "servers": [
        {"name": "web", "networking": {"subnet": "a"}, "user_data": "vault:secret/app#data", "tags": {"role": "front"}},
        {"name": "back", "provider": "upcloud"},
    ],
    "databases": [{"name": "db", "region": "eu-west-1"}],
    "clusters": [{"name": "k"}],
    "workloads": [{"name": "app", "image": "nginx:1.27", "env": {"MODE": "fast"}}],
    "dns_zones": [{"domain": "example.com", "records": [{"name": "@", "target": "web"}, {"name": "www", "target": "web"}]}],
    "security": {"encryption_at_rest": False},
    "monitoring": {"enabled": True},
}


def recorded(config: InfrastructureConfig, *, left_out: frozenset[str] = IS_NO_THING) -> list[Recorded]:
    """Every thing of a configuration as an apply records it."""
    return [
        Recorded(
            address=thing.address,
            kind=thing.kind,
            provider=thing.provider,
            region=str(thing.values.get("region") or region_of(thing.item.record, config)),
            id=f"id of {thing.address}",
            values=thing.values,
            record=thing.item.record.model_dump(mode="json"),
            model=type(thing.item.record).__name__,
            path=thing.item.path,
            names=thing.names,
        )
        for thing in things(config).values()
        if thing.kind not in left_out and "#" not in thing.address
    ]


def leaves_of(config: InfrastructureConfig) -> dict[str, dict[str, object]]:
    told = {address: thing for address, thing in things(config).items() if thing.kind not in IS_NO_THING}
    return {address: {path: leaf.value for path, leaf in thing.leaves.items()} for address, thing in told.items()}


@given(RANDOM)
@settings(max_examples=40)
def test_what_was_recorded_compares_as_the_configuration_that_it_came_from(rng: Random):
    before = configuration(rng)
    current, target = model(before), things(model(changed(rng, before)))
    rows = [one for one in recorded(current, left_out=frozenset()) if one.kind != "infrastructure"]
    expected = {address: thing for address, thing in things(current).items() if thing.kind != "infrastructure"}
    found = things_of(reversed(rows))
    assert list(found) == list(expected)
    target = {address: thing for address, thing in target.items() if thing.kind != "infrastructure"}
    told = [[(c.address, c.action, c.previous, c.fields) for c in changes_of(before, target)] for before in (found, expected)]
    assert told[0] == told[1]


@given(RANDOM)
@settings(max_examples=40)
def test_the_configuration_of_what_is_recorded_describes_the_same_things(rng: Random):
    config = model(configuration(rng))
    assert leaves_of(current_configuration(recorded(config))) == leaves_of(config)


@given(models(InfrastructureConfig))
@settings(max_examples=15)
def test_whatever_was_recorded_gives_a_configuration_with_the_same_addresses(config: InfrastructureConfig):
    rows = recorded(config)
    assert {one.address for one in recorded(current_configuration(rows))} <= {one.address for one in rows}
    assert list(things_of(rows)) == [one.address for one in rows]


def test_networks_zones_and_what_is_elsewhere_come_back_as_they_were(folder):
    config = InfrastructureConfig.model_validate(WHOLE)
    store = open_store(folder)
    store.put_all(recorded(config, left_out=frozenset()), [], WRITE)
    found = current_configuration(store.resources())
    store.close()
    assert (found.provider, found.region, found.environment, found.tags) == ("aws", "eu-central-1", "staging", {"team": "shop"})
    assert leaves_of(found) == leaves_of(config)
    assert InfrastructureConfig.model_validate(found.model_dump(mode="json")) == found


def test_only_what_is_recorded_is_in_it():
    rows = {one.address: one for one in recorded(InfrastructureConfig.model_validate(WHOLE))}
    for address in (
        "nat.main",
        "subnet.b",
        "vpc.far",
        "subnet.far/a",
        "dns_record.www.example.com/A",
        "server.back",
        "peering.office",
    ):
        rows.pop(address)
    found = current_configuration(rows.values())
    assert set(things(found)) - {"infrastructure.main"} == set(rows)
    without = [one for one in rows.values() if one.kind not in {"vpc", "dns"}]
    found = current_configuration(without)
    assert (found.networking, found.dns_zones) == (None, [])
    assert current_configuration([]) == InfrastructureConfig()


def test_a_sealed_leaf_becomes_a_handle_that_names_nothing():
    rows = recorded(InfrastructureConfig.model_validate(WHOLE))
    sealed = {SEALED: "vault:v1:abc"}
    at = next(index for index, one in enumerate(rows) if one.address == "workload.app")
    env = {"MODE": "fast", "KEY": sealed}
    rows[at] = replace(rows[at], values={**rows[at].values, "env": env}, record={**rows[at].record, "env": env})
    assert is_handle(SEALED_LEAF)
    assert things_of(rows)["workload.app"].leaves["env.KEY"].value == SEALED_LEAF
    assert current_configuration(rows).workloads[0].env["KEY"] == SEALED_LEAF
    assert rows[at].values["env"]["KEY"] == sealed


def test_fields_that_this_version_has_no_more_are_left_out_and_what_cannot_be_read_is_named():
    (row,) = recorded(InfrastructureConfig.model_validate({"servers": [{"name": "web"}]}))
    spec = {**row.record["spec"], "floppy": True}
    old = replace(row, record={**row.record, "turbo": True, "spec": spec}, values={**row.values, "spec": {**spec, "cpu": "many"}})
    assert current_configuration([old]).servers[0].name == "web"
    assert things_of([old])["server.web"].item.record.name == "web"
    for broken in (replace(row, record={}, values={}), replace(row, kind="teapot"), replace(row, model="Teapot", kind="teapot")):
        for read in (things_of, current_configuration):
            with pytest.raises(ConflictError, match=r"server\.web"):
                read([broken])

"""What holds once everything left out is filled in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_corpus import PROVIDERS, catalogue, prices
from prov_gen.effective import Machine, find_plan, machine_of, provider_of, region_of
from prov_gen.model.infrastructure import InfrastructureConfig


def config(**fields) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate(fields)


def test_a_server_without_a_plan_gets_the_cheapest_sku_that_fits() -> None:
    made = config(provider="aws", region="us-east-1", servers=[{"name": "a", "spec": {"cpu": 4, "memory_gb": 30}}])
    machine = machine_of(made.servers[0], made)
    cheapest = prices.cheapest_sku("aws", cpu=4, memory_gb=30, region="us-east-1")
    assert cheapest is not None
    assert machine == Machine(cheapest.name, cheapest.vcpu, cheapest.memory_gb)


def test_a_server_that_says_nothing_is_the_seeds_two_cores_and_four_gigabytes() -> None:
    made = config(provider="local", servers=[{"name": "a"}])
    assert machine_of(made.servers[0], made) == Machine(None, 2, 4)


def test_with_a_plan_cores_and_memory_are_the_skus() -> None:
    made = config(provider="aws", servers=[{"name": "a", "plan": "m5.4xlarge"}])
    assert machine_of(made.servers[0], made) == Machine("m5.4xlarge", 16, 64.0)


def test_a_smaller_stated_spec_holds_over_the_plans() -> None:
    made = config(provider="aws", servers=[{"name": "a", "plan": "m5.4xlarge", "spec": {"cpu": 8}}])
    assert machine_of(made.servers[0], made) == Machine("m5.4xlarge", 8, 64.0)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_size_means_a_machine_at_every_provider(provider: str) -> None:
    machines = [machine_of(made.servers[0], made) for size in ("small", "medium", "large", "xlarge")
                for made in [config(provider=provider, servers=[{"name": "a", "plan": size}])]]  # fmt: skip
    memory = [machine.memory_gb or 0 for machine in machines]
    assert memory == sorted(memory)
    assert memory[0] >= 1


def test_a_plan_is_found_by_its_exact_name_only() -> None:
    assert find_plan("aws", "m5.large") is not None
    assert find_plan("aws", "M5.Large") is None
    assert find_plan("hetzner", "m5.large") is None


def test_a_resource_at_another_provider_does_not_take_the_configurations_region() -> None:
    made = config(provider="aws", region="eu-west-1", servers=[{"name": "a"}, {"name": "b", "provider": "hetzner"}])
    assert [(provider_of(s, made), region_of(s, made)) for s in made.servers] == [
        ("aws", "eu-west-1"),
        ("hetzner", catalogue.default_region("hetzner").id),
    ]


@given(st.integers(1, 64), st.floats(0.5, 256), st.sampled_from([p for p in PROVIDERS if p != "local"]))
def test_no_cheaper_machine_than_the_chosen_one_would_fit(cpu: int, memory: float, provider: str) -> None:
    made = config(provider=provider, servers=[{"name": "a", "spec": {"cpu": cpu, "memory_gb": memory}}])
    machine = machine_of(made.servers[0], made)
    if machine.sku is None:
        assert prices.cheapest_sku(provider, cpu=cpu, memory_gb=memory) is None
    else:
        assert machine.cpu >= cpu
        assert (machine.memory_gb or 0) >= memory

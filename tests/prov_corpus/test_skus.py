"""SKUs and their prices: lookups, and the choice of a size for somebody who named none."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_corpus import PROVIDERS
from prov_corpus.catalogue import SIZES, classify, reference_region, regions
from prov_corpus.prices import cheapest_sku, find_sku, nearest_skus, plan_size, price, priced_regions, skus
from prov_corpus.prices.compute import prices_of
from stratumops.errors import InvalidInputError

PRICED = [provider for provider in PROVIDERS if provider != "local"]


def test_a_sku_is_found_by_its_exact_name_and_in_another_case():
    assert find_sku("aws", "m5.4xlarge") == skus("aws")["m5.4xlarge"]
    assert find_sku("azure", "standard_d2S_V5") is skus("azure")["Standard_D2s_v5"]
    assert find_sku("aws", "m5.5xlarge") is None


def test_a_sku_says_what_its_name_says():
    found = skus("aws")["c7gn.2xlarge"]
    assert (found.family, found.kind, found.arch, found.vcpu, found.memory_gb) == ("c7gn", "compute", "arm64", 8, 16.0)


@pytest.mark.parametrize(
    ("provider", "name", "kind", "arch"),
    [
        ("aws", "t4g.micro", "burstable", "arm64"),
        ("aws", "a1.large", "general", "arm64"),
        ("aws", "g4dn.xlarge", "accelerated", "x86_64"),
        ("aws", "is4gen.large", "storage", "arm64"),
        ("azure", "Standard_D2ps_v5", "general", "arm64"),
        ("azure", "Standard_E4pds_v6", "memory", "arm64"),
        ("azure", "Standard_B2pts_v2", "burstable", "arm64"),
        ("azure", "Standard_D2s_v5", "general", "x86_64"),
        ("gcp", "t2a-standard-1", "general", "arm64"),
        ("gcp", "c4a-standard-4", "general", "arm64"),
        ("gcp", "t2d-standard-1", "general", "x86_64"),
        ("hetzner", "cax11", "general", "arm64"),
        ("upcloud", "2xCPU-4GB", "general", "x86_64"),
    ],
)
def test_kind_and_architecture_come_from_the_family(provider, name, kind, arch):
    assert (skus(provider)[name].kind, skus(provider)[name].arch) == (kind, arch)


def test_every_sku_has_a_family_and_cores():
    for provider in PRICED:
        for sku in skus(provider).values():
            assert sku.family, sku.name
            assert sku.vcpu >= 1


def test_a_size_with_fewer_usable_cores_counts_those():
    assert skus("azure")["Standard_E16-4as_v4"].vcpu == 4


def test_what_the_price_list_leaves_blank_comes_from_the_specifications():
    sku = skus("azure")["Standard_DS2_v2"]
    assert (sku.vcpu, sku.memory_gb) == (2, 7.0)


def test_unknown_memory_is_none():
    assert skus("azure")["Standard_L16s_v3"].memory_gb is None


def test_the_local_machine_has_sizes_and_no_skus():
    assert not skus("local")
    assert (plan_size("local", "small").vcpu, plan_size("local", "small").memory_gb) == (1, 2.0)
    assert cheapest_sku("local", cpu=1, memory_gb=1) is None


def test_a_price_is_exact_and_dated():
    found = price("aws", "us-east-1", "t3.micro")
    assert found is not None
    assert (found.hourly, found.currency, found.as_of.isoformat()) == (Decimal("0.0104"), "USD", "2026-07-20")
    assert found.monthly == Decimal("7.592")


def test_a_month_costs_at_most_the_cap():
    found = price("hetzner", "fsn1", "cx23")
    assert found is not None
    assert found.region == "eu"
    assert found.monthly == found.monthly_cap == Decimal("5.99")


@pytest.mark.parametrize(
    ("provider", "region"), [("aws", "eu-south-2"), ("hetzner", "ash"), ("upcloud", "us-nyc1"), ("aws", "moon-1")]
)
def test_a_region_without_prices_has_no_price_rather_than_another_ones(provider, region):
    assert all(price(provider, region, name) is None for name in skus(provider))


def test_every_region_of_the_price_list_is_known():
    for provider in PRICED:
        assert set(priced_regions(provider)) <= {region.price_region for region in regions(provider).values()}
        assert reference_region(provider) in priced_regions(provider)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_size_exists_is_priced_and_grows(provider):
    chosen = [plan_size(provider, size) for size in SIZES]
    memory = [sku.memory_gb or 0 for sku in chosen]
    assert memory == sorted(memory)
    assert all(least <= found for least, found in zip((2, 4, 8, 16), memory, strict=True)) or provider == "local"
    for sku in chosen:
        if provider != "local":
            assert skus(provider)[sku.name] is sku
            assert all(price(provider, region, sku.name) for region in priced_regions(provider))
            assert classify(provider, sku.name).chosen
            assert sku.arch == "x86_64"


@pytest.mark.parametrize(
    ("provider", "cpu", "memory", "arch", "name"),
    [
        ("hetzner", 2, 4, "x86_64", "cx23"),
        ("aws", 2, 4, "arm64", "t4g.medium"),
        ("gcp", 1, 0.5, "x86_64", "e2-micro"),
        ("azure", 2, 4, "x86_64", "Standard_B2als_v2"),
    ],
)
def test_the_cheapest_one_that_fits_is_what_a_person_would_pick(provider, cpu, memory, arch, name):
    assert cheapest_sku(provider, cpu=cpu, memory_gb=memory, arch=arch) == skus(provider)[name]


@given(
    st.sampled_from(PRICED),
    st.integers(1, 130),
    st.floats(0.25, 1024, allow_nan=False),
    st.sampled_from(["x86_64", "arm64"]),
    st.data(),
)
def test_no_other_eligible_sku_is_cheaper(provider, cpu, memory, arch, data):
    region = data.draw(st.sampled_from([None, *regions(provider)]))
    chosen = cheapest_sku(provider, cpu=cpu, memory_gb=memory, region=region, arch=arch)
    place = region if region and prices_of(provider, region) else reference_region(provider)

    def fits(name: str) -> bool:
        sku = skus(provider)[name]
        large_enough = sku.vcpu >= cpu and sku.memory_gb is not None and sku.memory_gb >= memory
        return large_enough and sku.arch == arch and classify(provider, name).chosen

    offers = [offer for offer in prices_of(provider, place) if fits(offer.sku)]
    offers = offers or [offer for offer in prices_of(provider, reference_region(provider)) if fits(offer.sku)]
    if chosen is None:
        assert not offers
    else:
        assert fits(chosen.name)
        paid = next(offer.monthly for offer in offers if offer.sku == chosen.name)
        assert paid == min(offer.monthly for offer in offers)


def test_metal_graphics_and_old_generations_are_not_chosen():
    names = ("m6i.metal", "g4dn.xlarge", "t1.micro", "m1.small", "i3.large", "hpc7g.4xlarge")
    assert not any(classify("aws", name).chosen for name in names)
    azure = ("Standard_A1", "Standard_NC6s_v3", "Standard_E16-4as_v4", "Standard_DC2s_v3", "Standard_E64i_v3", "Standard_D2_v3")
    assert not any(classify("azure", name).chosen for name in azure)


def test_a_family_that_was_replaced_names_one_that_exists():
    for provider in PRICED:
        families = {sku.family for sku in skus(provider).values()}
        replaced = {newer for name in skus(provider) if (newer := classify(provider, name).newer)}
        assert replaced <= families


@pytest.mark.parametrize(
    ("provider", "name", "meant"),
    [
        ("aws", "t3.mircro", "t3.micro"),
        ("aws", "m5.4xl", "m5.4xlarge"),
        ("gcp", "e2-standrd-4", "e2-standard-4"),
        ("hetzner", "cx24", "cx23"),
    ],
)
def test_a_misspelt_sku_leads_to_the_one_that_was_meant(provider, name, meant):
    assert meant in nearest_skus(provider, name)


@given(st.text(max_size=300))
def test_any_text_may_be_looked_up(text):
    assert len(nearest_skus("hetzner", text)) <= 3
    found = find_sku("hetzner", text)
    assert found is None or found.name == text.strip().lower()


def test_unknown_providers_architectures_and_sizes_are_refused_with_what_is_known():
    for call in (
        lambda: skus("oracle"),
        lambda: price("oracle", "x", "y"),
        lambda: cheapest_sku("oracle", cpu=1, memory_gb=1),
        lambda: cheapest_sku("aws", cpu=1, memory_gb=1, arch="sparc"),
        lambda: plan_size("aws", "huge"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert caught.value.hint.startswith("use ")
        assert caught.value.details["known"]


@pytest.mark.parametrize(
    ("name", "size"),
    [("custom-4-8192", ("n1", 4, 8.0)), ("n2-custom-8-16384-ext", ("n2", 8, 16.0)), ("e2-custom-2-5120", ("e2", 2, 5.0))],
)
def test_a_custom_machine_type_of_google_cloud_is_known_by_its_form(name, size):
    sku = find_sku("gcp", name)
    assert sku is not None
    assert (sku.family, sku.vcpu, sku.memory_gb) == size
    assert price("gcp", "us-central1", name) is None
    assert find_sku("aws", name) is None


@pytest.mark.parametrize("name", ["custom-4-8191", "custom-0-1024", "x9-custom-4-8192", "custom-4", "custom-4-8192-big"])
def test_what_only_looks_like_a_custom_machine_type_is_unknown(name):
    assert find_sku("gcp", name) is None

"""The catalogues: what they hold is consistent, and lookups forgive case, accents and language."""

import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_corpus import PROVIDERS, catalogue
from prov_corpus.catalogue.source import FOLDER, read_catalogue
from prov_corpus.similar import fold
from stratumops.errors import InvalidInputError, NotFoundError

CATALOGUES = sorted(path.stem for path in FOLDER.glob("*.toml"))
AS_OF = date(2026, 11, 23)


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_catalogue_is_dated_and_names_its_source(name):
    content = read_catalogue(name)
    assert content["as_of"] == AS_OF
    assert content["source"]


@pytest.mark.parametrize("name", ["regions", "sizes", "families", "quotas", "disks"])
def test_a_catalogue_by_provider_covers_every_provider(name):
    assert set(PROVIDERS) <= set(read_catalogue(name))


def test_importing_the_package_reads_no_data():
    program = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "import prov_corpus, prov_corpus.catalogue, prov_corpus.prices\n"
        "print([path for path in opened if path.endswith(('.csv', '.toml'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_regions_and_what_they_are_called_are_unique_within_a_provider(provider):
    rows = read_catalogue("regions")[provider]["regions"]
    assert len({row["id"] for row in rows}) == len(rows)
    names = [fold(name) for row in rows for name in {fold(text) for text in (row["name"], *row.get("aliases", ()))}]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_region_is_found_by_id_name_and_alias(provider):
    for region in catalogue.regions(provider).values():
        for text in (region.id, region.id.upper(), region.name, *region.aliases):
            assert catalogue.find_region(provider, text) is region


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_default_region_exists(provider):
    assert catalogue.default_region(provider).id in catalogue.regions(provider)


def test_every_country_of_a_region_has_a_name():
    countries = read_catalogue("regions")["countries"]
    found = {region.country for provider in PROVIDERS for region in catalogue.regions(provider).values()} - {""}
    assert found == set(countries)


@pytest.mark.parametrize(
    ("provider", "text", "region"),
    [
        ("aws", "Fráncfort", "eu-central-1"),
        ("aws", "francfort", "eu-central-1"),
        ("aws", "IRLANDA", "eu-west-1"),
        ("aws", "são paulo", "sa-east-1"),
        ("aws", "Sao Paulo", "sa-east-1"),
        ("aws", "España", "eu-south-2"),
        ("aws", " us east 1 ", "us-east-1"),
        ("aws", "Virginia", "us-east-1"),
        ("gcp", "Madrid", "europe-southwest1"),
        ("gcp", "Países Bajos", "europe-west4"),
        ("azure", "West Europe", "westeurope"),
        ("azure", "París", "francecentral"),
        ("hetzner", "Nürnberg", "nbg1"),
        ("hetzner", "Alemania", "fsn1"),
        ("upcloud", "Copenhague", "dk-cph1"),
        ("local", "localhost", "local"),
    ],
)
def test_a_region_is_found_in_two_languages_with_or_without_accents(provider, text, region):
    found = catalogue.find_region(provider, text)
    assert found is not None
    assert found.id == region


@given(st.sampled_from(PROVIDERS), st.text(max_size=200))
def test_any_text_is_a_region_or_none(provider, text):
    found = catalogue.find_region(provider, text)
    assert found is None or found.id in catalogue.regions(provider)
    assert set(catalogue.nearest_regions(provider, text)) <= set(catalogue.regions(provider))


def test_a_region_id_names_its_provider_and_a_city_every_provider_there():
    assert [(provider, region.id) for provider, region in catalogue.provider_of_region("eu-west-1")] == [("aws", "eu-west-1")]
    assert [provider for provider, _ in catalogue.provider_of_region("Madrid")] == ["gcp", "azure", "upcloud"]
    assert catalogue.provider_of_region("Atlantis") == []


def test_regions_know_their_zones_and_whether_they_lie_in_the_eea():
    aws = catalogue.regions("aws")
    assert aws["eu-west-1"].zones == ("eu-west-1a", "eu-west-1b", "eu-west-1c")
    assert catalogue.regions("gcp")["europe-west1"].zones == ("europe-west1-b", "europe-west1-c", "europe-west1-d")
    assert (aws["eu-west-1"].in_eu, aws["eu-west-2"].in_eu, aws["eu-central-2"].in_eu) == (True, False, False)
    assert catalogue.regions("upcloud")["no-svg1"].in_eu


def test_a_region_maps_to_the_price_list_by_data():
    assert catalogue.price_region("hetzner", "hel1") == "eu"
    assert catalogue.price_region("hetzner", "ash") == "ash"
    assert catalogue.price_region("gcp", "us-east1") == "us-east1"


def test_a_misspelt_region_leads_to_the_one_that_was_meant():
    assert "eu-west-1" in catalogue.nearest_regions("aws", "eu-wset-1")
    assert "de-fra1" in catalogue.nearest_regions("upcloud", "fra1")
    assert "eu-central-1" in catalogue.nearest_regions("aws", "Franfurt")


def all_releases():
    yield "kubernetes", catalogue.kubernetes_versions()
    for cni in catalogue.cnis():
        yield cni, catalogue.cni_versions(cni)
    for engine in catalogue.engines():
        yield engine, catalogue.engine_versions(engine)
    for family, image in catalogue.images().items():
        yield family, image.versions


def test_versions_are_in_order_and_end_after_they_began():
    for name, versions in all_releases():
        found = list(versions.values())
        order = [tuple(map(int, release.version.split("."))) for release in found]
        assert order == sorted(order), name
        assert [release.release for release in found] == sorted(release.release for release in found), name
        assert all(release.end_of_life is None or release.end_of_life > release.release for release in found), name


def test_every_default_exists_and_is_supported_on_the_day_of_the_data():
    defaults = [catalogue.default_kubernetes()]
    defaults += [catalogue.default_cni(cni) for cni in catalogue.cnis()]
    defaults += [catalogue.default_engine(engine) for engine in catalogue.engines()]
    defaults += [image.versions[image.default] for image in catalogue.images().values()]
    assert not [release for release in defaults if catalogue.is_end_of_life(release, AS_OF)]
    assert catalogue.default_image().family == "ubuntu"


def test_kubernetes_1_28_and_cilium_1_14_are_known_and_past_their_end():
    assert catalogue.is_end_of_life(catalogue.kubernetes_versions()["1.28"], AS_OF)
    assert catalogue.is_end_of_life(catalogue.cni_versions("cilium")["1.14"], AS_OF)


def test_the_last_day_of_support_is_still_supported():
    release = catalogue.engine_versions("postgresql")["16"]
    assert release.end_of_life is not None
    assert not catalogue.is_end_of_life(release, release.end_of_life)
    assert catalogue.is_end_of_life(release, release.end_of_life + timedelta(days=1))


def test_what_has_no_announced_end_has_not_ended():
    assert not catalogue.is_end_of_life(catalogue.cni_versions("flannel")["0.27"], date(2100, 1, 1))


@pytest.mark.parametrize(
    ("text", "family", "version"),
    [
        ("Ubuntu 22.04", "ubuntu", "22.04"),
        ("ubuntu noble", "ubuntu", "24.04"),
        ("UBUNTU", "ubuntu", "24.04"),
        ("debian-12", "debian", "12"),
        ("bookworm", "debian", "12"),
        ("Rocky Linux 9", "rocky", "9"),
        ("rocky_10", "rocky", "10"),
        ("alpine 3.20", "alpine", "3.20"),
    ],
)
def test_an_operating_system_is_understood_in_any_common_writing(text, family, version):
    found = catalogue.find_image(text)
    assert found is not None
    assert (found[0].family, found[1].version) == (family, version)


@pytest.mark.parametrize("text", ["", "windows 11", "ubuntu 3.1", "ubuntuish", "lts"])
def test_an_unknown_operating_system_is_none(text):
    assert catalogue.find_image(text) is None


def test_an_image_names_known_providers_and_its_versions_by_number_or_codename():
    assert all(set(image.providers) <= set(PROVIDERS) for image in catalogue.images().values())
    assert "azure" not in catalogue.images()["alpine"].providers
    assert catalogue.os_version("debian", "bookworm") is catalogue.os_version("debian", "12")
    assert catalogue.os_version("debian", "99") is None


def test_engines_are_found_by_their_other_names():
    assert catalogue.find_engine("Postgres") == "postgresql"
    assert catalogue.find_engine("mongo") == "mongodb"
    assert catalogue.find_engine("oracle") is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_quota_is_positive_sourced_and_given_once(provider):
    found = catalogue.quotas(provider)
    assert len({quota.kind for quota in found}) == len(found)
    assert all(quota.limit > 0 and quota.unit and quota.source for quota in found)


def test_known_quotas_of_a_fresh_account():
    aws = {quota.kind: quota.limit for quota in catalogue.quotas("aws")}
    assert (aws["networks"], aws["public_ips"], aws["security_group_rules"]) == (5, 5, 60)


@pytest.mark.parametrize(
    ("call", "suggestion"),
    [
        (lambda: catalogue.regions("azur"), "azure"),
        (lambda: catalogue.find_region("hetzer", "fsn1"), "hetzner"),
        (lambda: catalogue.quotas("awss"), "aws"),
        (lambda: catalogue.engine_versions("postgre"), "postgresql"),
        (lambda: catalogue.cni_versions("celium"), "cilium"),
        (lambda: catalogue.os_version("debain", "12"), "debian"),
        (lambda: catalogue.disk_type("aws", "gp33"), "gp3"),
        (lambda: catalogue.disk_type("hetzer", "ssd"), "hetzner"),
    ],
)
def test_an_unknown_name_is_refused_with_the_likeliest_one(call, suggestion):
    with pytest.raises(InvalidInputError) as caught:
        call()
    assert suggestion in caught.value.hint


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_has_a_name_for_the_same_kinds_of_disks(provider):
    assert list(read_catalogue("disks")[provider]) == list(read_catalogue("disks")["aws"])


def test_a_kind_of_disk_has_the_provider_s_own_name():
    assert catalogue.disk_type("azure", "hdd") == "Standard_LRS"
    assert catalogue.disk_type("aws", "ssd") == catalogue.disk_type("aws", "gp3") == "gp3"


def test_a_catalogue_that_is_not_there_is_not_found():
    with pytest.raises(NotFoundError):
        read_catalogue("planets")

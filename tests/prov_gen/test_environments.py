"""Which environments are production, by what they are called."""

import pytest

from prov_gen.environments import is_known, is_production


@pytest.mark.parametrize("name", ["production", "PROD", "prod-eu", "production-eu", "Production EU", "live", "prd2", "eu_prod"])
def test_a_word_for_production_anywhere_in_the_name_is_enough(name: str) -> None:
    assert is_production(name)
    assert is_known(name)


@pytest.mark.parametrize("name", ["staging", "dev-eu", "pre-production", "non-prod", "preprod", "Test 1", "QA"])
def test_what_comes_before_production_is_not_production(name: str) -> None:
    assert not is_production(name)
    assert is_known(name)


@pytest.mark.parametrize("name", ["blue", "reproduction", "delivery", "", "1"])
def test_a_name_without_a_known_word_says_nothing(name: str) -> None:
    assert not is_production(name)
    assert not is_known(name)

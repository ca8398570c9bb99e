"""What the export writes, the import reads; what neither has a place for is listed."""

import json

import pytest
from hypothesis import given, settings

from export_meaning import lost
from prov_gen.export.import_ import import_terraform
from prov_gen.export.import_.compare import differences
from prov_gen.export.model import NotCarried
from prov_gen.export.terraform import FILE, export
from prov_gen.export.terraform.providers import TARGETS
from prov_gen.model.infrastructure import InfrastructureConfig
from strategies import PROFILE, models


@settings(PROFILE)
@given(models(InfrastructureConfig))
def test_everything_that_is_written_is_read_again(config: InfrastructureConfig) -> None:
    text = export(config).files[FILE]
    imported = import_terraform(text, FILE)
    assert imported.not_carried == ()


@pytest.mark.parametrize("provider", TARGETS)
def test_a_second_export_says_everything_that_the_first_one_said(provider: str) -> None:
    @settings(PROFILE)
    @given(models(InfrastructureConfig))
    def holds(config: InfrastructureConfig) -> None:
        config = config.model_copy(update={"provider": provider})
        text = export(config).files[FILE]
        second = export(import_terraform(text, FILE).config).files[FILE]
        assert list(differences(json.loads(text), json.loads(second), ())) == []

    holds()


@pytest.mark.parametrize("provider", [*TARGETS, "local"])
def test_every_stated_field_comes_back_or_is_listed(provider: str) -> None:
    @settings(PROFILE)
    @given(models(InfrastructureConfig))
    def holds(config: InfrastructureConfig) -> None:
        config = config.model_copy(update={"provider": provider})
        assert lost(config) == []

    holds()


def test_what_is_not_carried_names_its_path_and_its_reason() -> None:
    config = InfrastructureConfig.model_validate(
        {
            "provider": "aws",
            "servers": [{"name": "web", "ssh": {"port": 2222}}],
            "databases": [{"name": "a", "engine": "clickhouse"}],
        }
    )
    listed = export(config).not_carried
    assert NotCarried(("servers", 0, "ssh"), "a setting inside the machine; the cloud-init form carries it") in listed
    assert NotCarried(("databases", 0), "RDS has no clickhouse") in listed

"""What the export writes, the import reads; what neither has a place for is listed.

Configurations are drawn once for all providers: most of the time of such a test goes into drawing them.
"""

import json

from hypothesis import given, settings

from export_cases import configurations
from export_meaning import lost
from prov_gen.export.import_ import import_terraform
from prov_gen.export.import_.compare import differences
from prov_gen.export.model import NotCarried
from prov_gen.export.terraform import FILE, export
from prov_gen.export.terraform.providers import TARGETS
from prov_gen.layers.references import check_references
from prov_gen.model.infrastructure import InfrastructureConfig
from strategies import PROFILE, models

# Of everything a little, and of one or two kinds more.
drawn_configurations = models(InfrastructureConfig) | configurations()


@settings(PROFILE)
@given(drawn_configurations)
def test_everything_that_is_written_is_read_again_and_a_second_export_says_it_too(config: InfrastructureConfig) -> None:
    for provider in (*TARGETS, "local"):
        text = export(config.model_copy(update={"provider": provider})).files.get(FILE)
        if text is None:
            assert provider == "local"
            continue
        imported = import_terraform(text, FILE)
        assert imported.not_carried == (), provider
        assert [one.code for one in check_references(imported.config) if one.code == "reference_missing"] == [], provider
        second = export(imported.config).files[FILE]
        assert list(differences(json.loads(text), json.loads(second), ())) == [], provider


@settings(PROFILE)
@given(drawn_configurations)
def test_every_stated_field_comes_back_with_what_it_means_or_is_listed(config: InfrastructureConfig) -> None:
    for provider in (*TARGETS, "local"):
        assert lost(config.model_copy(update={"provider": provider})) == [], provider


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

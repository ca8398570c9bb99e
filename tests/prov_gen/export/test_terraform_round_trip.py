"""What the export writes, the import reads; what neither has a place for is listed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from export_meaning import meaning
from prov_gen.export.import_ import import_terraform
from prov_gen.export.import_.compare import differences
from prov_gen.export.model import NotCarried
from prov_gen.export.terraform import FILE, export
from prov_gen.export.terraform.providers import TARGETS
from prov_gen.model.infrastructure import InfrastructureConfig, dump_stated
from strategies import PROFILE, models


def leaves(stated: Any, meant: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """What is meant by every stated value that is no record, with its path; a list of texts is one value."""
    if isinstance(stated, dict) and isinstance(meant, dict):
        for key, item in stated.items():
            yield from leaves(item, meant.get(key), (*path, key))
    elif isinstance(stated, list) and isinstance(meant, list) and meant and isinstance(meant[0], dict):
        for index, item in enumerate(stated):
            yield from leaves(item, meant[index], (*path, index))
    elif meant not in (None, [], {}):
        yield path, meant


def at(value: Any, stated: Any, path: tuple[Any, ...]) -> Any:
    """The value at a path of `stated`, in another configuration, where lists are matched by name and may have another order."""
    for step in path:
        key = "domain" if isinstance(stated, list) and "domain" in stated[0] and "name" not in stated[0] else "name"
        if isinstance(stated, list) and isinstance(step, int) and key in stated[step] and "values" not in stated[step]:
            value = next((item for item in value or [] if item.get(key) == stated[step][key]), None)
        elif isinstance(value, list):
            value = value[step] if isinstance(step, int) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
        stated = stated[step]
    return value


def alike(one: Any, other: Any) -> bool:
    """Whether two values say the same: lists of names are sets, and nothing is an empty list."""
    if isinstance(one, list) and isinstance(other, list):
        return set(map(str, one)) == set(map(str, other))
    return one == other


def lost(config: InfrastructureConfig) -> list[tuple[Any, ...]]:
    """The stated values that neither come back with what they mean nor are listed: path, before, after."""
    done = export(config)
    stated, meant = dump_stated(config), meaning(config)
    back = meaning(import_terraform(done.files[FILE], FILE).config)
    listed = [entry.path for entry in done.not_carried]
    return [
        (path, value, at(back, stated, path))
        for path, value in leaves(stated, meant)
        if not any(path[: len(entry)] == entry or entry[: len(path)] == path for entry in listed)
        and not alike(value, at(back, stated, path))
    ]


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

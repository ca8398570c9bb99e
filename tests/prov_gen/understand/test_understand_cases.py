"""Descriptions and what they mean, as data: `cases.json` holds text, arguments, and paths with their expected values."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prov_gen.layers.catalogue import check_catalogue
from prov_gen.layers.limits import check_limits
from prov_gen.layers.network import check_network
from prov_gen.layers.references import check_references
from prov_gen.layers.security import check_security
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.understand import understand
from stratumops.errors import InvalidInputError

CASES = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
WORDS = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split()
TODAY = date(2026, 11, 23)


def value_at(config: InfrastructureConfig, path: str) -> Any:
    """The value at a dotted path; "#" is the length of a list; None where there is nothing."""
    value: Any = config.model_dump(mode="json", by_alias=True)
    for key in path.split("."):
        if value is None:
            return None
        if key == "#":
            value = len(value)
        elif isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key)
    return value


def errors(config: InfrastructureConfig) -> list[str]:
    """What the layers on the model call an error."""
    found = [
        *check_catalogue(config, TODAY),
        *check_network(config),
        *check_references(config),
        *check_security(config),
        *check_limits(config, None, 0.0),
    ]
    return [f"{finding.code} {finding.path}: {finding.message}" for finding in found if finding.severity == "error"]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['text'][:60]} {case.get('args', '')}" for case in CASES])
def test_a_description_means_what_the_table_says(case: dict[str, Any]):
    answer = understand(case["text"], **case.get("args", {}))
    assert {path: value_at(answer.config, path) for path in case["expect"]} == case["expect"]
    assert set(case.get("assumed", ())) <= {assumption.path for assumption in answer.assumed}
    assert {finding.code for finding in answer.findings} == set(case.get("findings", ()))
    unplaced = {note.phrase for note in answer.unplaced}
    assert set(case.get("unplaced", ())) <= unplaced, unplaced
    if "unplaced" not in case:
        assert unplaced == set()
    assert answer.language == case.get("language", answer.language)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['text'][:60]} {case.get('args', '')}" for case in CASES])
def test_what_was_understood_passes_validation(case: dict[str, Any]):
    assert errors(understand(case["text"], **case.get("args", {})).config) == []


# What a description itself may ask for, and validation rightly refuses.
ASKED_FOR = {"database_public", "database_unencrypted", "ssh_open", "port_open_to_world", "group_open_to_world"}
ASKED_FOR |= {"spec_larger_than_plan", "plan_of_other_provider", "plan_none_fits", "plan_of_machines", "open_guarded_port"}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=3, max_size=30).map(" ".join))
def test_validation_finds_no_error_that_the_words_did_not_ask_for(text: str):
    try:
        answer = understand(text)
    except InvalidInputError:
        return
    assert {error.split()[0] for error in errors(answer.config)} <= ASKED_FOR


def test_there_are_enough_cases_in_both_languages():
    languages = [understand(case["text"], **case.get("args", {})).language for case in CASES]
    assert len(CASES) >= 80
    assert languages.count("es") >= 20
    assert languages.count("en") >= 40

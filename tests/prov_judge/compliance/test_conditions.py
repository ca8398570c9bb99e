"""The language of the checks' data: what it refuses, and what it says."""

from datetime import date
from typing import Any

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.conditions import compiled
from prov_judge.compliance.evidence import Evidence, value_in_words
from prov_judge.compliance.rules import Rule
from prov_judge.compliance.scope import Subject, World
from stratumops.errors import InternalError

CONFIG = InfrastructureConfig.model_validate(
    {"servers": [{"name": "web", "role": "Web"}, {"name": "db", "stateful": True}], "tags": {"Owner": "x"}}
)


def ask(condition: dict[str, Any]) -> Evidence:
    world = World(CONFIG, date(2026, 11, 23))
    return compiled(condition, "soc2")(CONFIG, (), Subject(CONFIG, (), "infrastructure"), world)


@pytest.mark.parametrize(
    "condition",
    [
        {"fields": "name", "is": "a"},
        {"field": "name"},
        {"field": "name", "equals": "a"},
        {"predicate": "is_well_protected"},
        {},
    ],
)
def test_data_that_is_no_condition_is_a_defect_of_ours(condition: dict[str, Any]) -> None:
    with pytest.raises(InternalError):
        compiled(condition, "soc2")


def test_a_rule_with_a_key_that_means_nothing_is_a_defect_of_ours() -> None:
    with pytest.raises(InternalError, match="wen"):
        Rule.of({"kind": "server", "wen": {}, "expect": {"field": "name", "is_set": True}}, "soc2")


def test_every_needs_all_elements_and_points_at_the_first_that_breaks_it() -> None:
    found = ask({"every": "servers", "holds": {"field": "stateful", "is": False}})
    assert (found.holds, found.path) == (False, ("servers", 1, "stateful"))
    assert ask({"every": "buckets", "holds": {"field": "versioning", "is": True}}).holds


def test_some_needs_one_element_and_points_at_it() -> None:
    found = ask({"some": "servers", "holds": {"field": "stateful", "is": True}})
    assert (found.holds, found.path) == (True, ("servers", 1, "stateful"))
    assert ask({"some": "buckets", "holds": {"field": "versioning", "is": True}}).holds is False


def test_none_turns_an_answer_round() -> None:
    assert ask({"none": [{"field": "name", "is": "main"}]}).holds is False
    assert ask({"none": [{"field": "name", "is": "other"}]}).holds is True


def test_what_nobody_can_tell_stays_so_in_every_group() -> None:
    doubt = {"predicate": "in_production"}
    yes, no = {"field": "name", "is": "main"}, {"field": "name", "is": "other"}
    world = World(InfrastructureConfig.model_validate({"environment": "blue", "servers": [{"name": "a"}]}), date(2026, 11, 23))

    def holds(condition: dict[str, Any]) -> bool | None:
        return compiled(condition, "soc2")(world.config, (), Subject(world.config, (), "infrastructure"), world).holds

    assert [holds({"all": [doubt, yes]}), holds({"all": [doubt, no]})] == [None, False]
    assert [holds({"any": [doubt, yes]}), holds({"any": [doubt, no]})] == [True, None]
    assert [holds({"none": [doubt, yes]}), holds({"none": [doubt, no]})] == [False, None]
    assert [holds({"every": "servers", "holds": doubt}), holds({"some": "servers", "holds": doubt})] == [None, None]


def test_words_say_what_holds_and_count_right() -> None:
    assert ask({"every": "servers", "holds": {"field": "monitoring", "is": True}}).words == (
        "all 2 servers hold, such as: monitoring is true"
    )
    assert ask({"all": [{"field": "name", "is": "main"}, {"field": "provider", "is": "aws"}]}).words == (
        "name is main (the default), and provider is aws (the default)"
    )
    found = ask({"some": "servers", "holds": {"field": "monitoring", "is": False}})
    assert found.words == "none of 2 servers does, such as: monitoring is true; it should be false"


def test_words_are_compared_in_any_case_where_a_list_is_given() -> None:
    assert ask({"every": "/servers", "holds": {"field": "role", "not_in": ["proxy"]}}).holds
    assert ask({"some": "/servers", "holds": {"field": "role", "in": ["web"]}}).holds


def test_a_section_that_is_left_out_is_not_stated_and_is_its_own_evidence() -> None:
    found = ask({"field": "security.audit_logging.enabled", "is": True})
    assert (found.holds, found.path, found.value) == (False, ("security",), "not stated")


def test_a_threshold_may_differ_between_frameworks() -> None:
    data = {"every": "servers", "holds": {"field": "spec.disk_gb", "min": {"default": 50, "pci": 60}}}
    world = World(CONFIG, date(2026, 11, 23))
    subject = Subject(CONFIG, (), "infrastructure")
    assert compiled(data, "soc2")(CONFIG, (), subject, world).holds is True
    found = compiled(data, "pci")(CONFIG, (), subject, world)
    assert found.holds is False
    assert found.value == "50 (the default)"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "not stated"),
        (True, "true"),
        (7, "7"),
        (0.5, "0.5"),
        ([], "empty"),
        (["a", "b"], "a, b"),
        ([1], "1 element"),
        ([1, 2], "2 elements"),
        ("x" * 200, "x" * 119 + "…"),
        ("AKIAABCDEFGHIJKLMNOP", "(not shown: it looks like a secret)"),
        (CONFIG, "stated"),
    ],
)
def test_a_value_in_words_is_short_and_shows_no_secret(value: Any, words: str) -> None:
    assert value_in_words(value) == words


def test_a_default_is_told_as_one() -> None:
    assert value_in_words(7, is_default=True) == "7 (the default)"

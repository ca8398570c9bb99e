"""A plan as Markdown, picture, JSON and words: whole or cut as it says, and without any secret of either configuration."""

import json
from collections.abc import Iterator
from dataclasses import fields as parts_of
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import TypeAdapter, ValidationError

from model_paths import patterns
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import KINDS, Kind
from prov_judge.changes.masking import HIDDEN
from prov_judge.migration.document import MOST_AFFECTED, as_dict, as_json
from prov_judge.migration.markdown import LONGEST, as_markdown
from prov_judge.migration.model import Migration
from prov_judge.migration.picture import as_svg
from prov_judge.migration.plan import plan_migration, plan_steps
from prov_judge.migration.words import compliance_words, field_words, summary
from prov_judge.prices.book import PriceBook
from stratumops.pictures.waves import MOST_COLUMNS

OLD_KEY, NEW_KEY = "AKIACANARYBEFORE0001", "AKIACANARYTARGET0002"
"""Both have the form of an access key, so that they are secrets wherever they stand."""
SAMPLES: tuple[Any, ...] = ("a", "example.com", "10.0.0.0/24", "vault:a/b#c", "2027-01-31", "words of a person", 80)


def planned(before: dict, after: dict) -> Migration:
    return plan_steps(InfrastructureConfig.model_validate(before), InfrastructureConfig.model_validate(after))


def told(plan: Migration) -> str:
    """All that a plan says, in every form."""
    texts = [getattr(step, part.name) for step in plan.steps for part in parts_of(step) if part.name != "change"]
    words = [field_words(field) for change in plan.changes for field in change.fields]
    reasons = [reason for change in plan.changes for reason in change.reasons]
    rest = (plan.notes, plan.mappings, plan.blast_radius, [change.address for change in plan.changes], summary(plan))
    return "\n".join(map(str, (*texts, *words, *reasons, *rest, as_markdown(plan), as_svg(plan), as_json(plan))))


def takes(annotation: Any, value: Any) -> bool:
    try:
        TypeAdapter(annotation).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@cache
def hints(model: type[Record]) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)


def least(model: type[Record]) -> dict[str, Any]:
    """What must be said of a record and no more."""
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    return {name: next(one for one in SAMPLES if takes(hints(model)[name], one)) for name in required}


def inner_of(annotation: Any) -> Any:
    """The record, the element or the value that a field holds."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, type(int | None)):
        return inner_of(next(one for one in arguments if one is not type(None)))
    return arguments[-1] if origin in (list, dict) else annotation


def record_with(model: type[Record], path: str, text: str) -> dict[str, Any]:
    """The least record of a model, with a text at a path."""
    step, _, rest = path.partition(".")
    inner = inner_of(hints(model)[step.removesuffix("[]")])
    held: Any = text
    if rest == "*":
        held = {"key": text}
    elif rest:
        held = record_with(inner, rest, text)
    elif get_origin(hints(model)[step.removesuffix("[]")]) is list:
        held = [text]
    return {**least(model), step.removesuffix("[]"): [held] if step.endswith("[]") else held}


def places() -> Iterator[tuple[Kind, str]]:
    """Every field of every kind that takes a text of any form."""
    for kind in KINDS:
        for path in patterns(kind.model):
            try:
                kind.model.model_validate(record_with(kind.model, path, OLD_KEY))
            except ValidationError:
                continue
            yield kind, path


PLACES = tuple(places())


@pytest.mark.parametrize(("kind", "path"), PLACES, ids=[f"{kind.name}.{path}" for kind, path in PLACES])
def test_no_secret_of_any_field_is_ever_told(kind: Kind, path: str):
    def side(text: str | None) -> dict:
        record = least(kind.model) if text is None else record_with(kind.model, path, text)
        return {kind.field: [record] if kind.is_list else record}

    for before, after in ((OLD_KEY, NEW_KEY), (OLD_KEY, None), (None, NEW_KEY)):
        plan = planned(side(before), side(after))
        assert [change for change in plan.changes if change.action != "no_op"]
        said = told(plan)
        assert OLD_KEY not in said
        assert NEW_KEY not in said
    for current, target in ((side(OLD_KEY), {}), ({}, side(NEW_KEY))):
        assert "CANARY" not in told(planned(current, target))
    assert "CANARY" not in told(planned({**side(OLD_KEY), "provider": "aws"}, {**side(NEW_KEY), "provider": "gcp"}))


def test_the_fields_that_were_tried_are_those_that_take_texts():
    tried = {f"{kind.name}.{path}" for kind, path in PLACES}
    assert {"workload.env.*", "server.user_data", "taskserv.settings.*", "bucket.tags.*", "security.kms_key_id"} <= tried
    assert "security_group.rules[].description" in tried


# No word of a plan is long and made of these letters only.
VALUES = st.text("XQZ", min_size=12, max_size=40)


@given(VALUES, VALUES, st.sampled_from(["DB_PASSWORD", "LOG_LEVEL", "a.b", "x"]))
@settings(max_examples=30)
def test_no_environment_and_no_user_data_is_ever_told(before: str, after: str, key: str):
    def side(text: str) -> dict:
        return {
            "clusters": [{"name": "k"}],
            "workloads": [{"name": "w", "image": "shop:1", "env": {key: text}}],
            "servers": [{"name": "s", "user_data": f"#!/bin/sh\necho {text}"}],
            "taskservs": [{"name": "t", "settings": {"db.password": text, "level": "info"}}],
        }

    said = told(planned(side(before), side(after)))
    assert before not in said
    assert after not in said


def test_a_hidden_value_is_said_to_be_hidden_and_a_handle_is_shown():
    def side(password: str, level: str) -> dict:
        settings = {"db_password": password, "level": level}
        return {"taskservs": [{"name": "t", "settings": settings}]}

    (change,) = [one for one in planned(side("hunter2", "info"), side("vault:app/db#key", "debug")).changes if one.fields]
    assert [field_words(field) for field in change.fields] == [
        f"settings.db_password: {HIDDEN} -> vault:app/db#key",
        "settings.level: info -> debug",
    ]
    plan = planned(
        {"workloads": [{"name": "w", "image": "a", "env": {"K": "hunter2-very-secret"}}]},
        {"workloads": [{"name": "w", "image": "a"}]},
    )
    (step,) = plan.steps
    assert step.rollback == f"set env.K back to {HIDDEN}; it restarts again"


def servers(count: int, prefix: str = "s", provider: str = "aws") -> dict:
    tag = {"odd": "|" * 250}
    named = [{"name": f"{prefix}{number}", "plan": "m5.large", "stateful": True, "tags": tag} for number in range(count)]
    return {"provider": provider, "servers": named}


def chain(count: int, description: str) -> dict:
    def rules(number: int) -> list[dict]:
        return [{"from_port": 80, "groups": [f"g{number - 1}"]}] if number else []

    groups = [{"name": f"g{number}", "description": description, "rules": rules(number)} for number in range(count)]
    return {"security_groups": groups}


BIG = {
    "to another provider": lambda: planned(servers(300), servers(300, provider="gcp")),
    "renamed": lambda: planned(servers(300), servers(300, prefix="x")),
    "unrelated": lambda: planned(servers(300), chain(300, "a")),
    "a chain": lambda: planned(chain(300, "a"), chain(300, "b")),
}


@pytest.mark.parametrize("case", BIG)
def test_the_markdown_of_a_large_plan_is_short_enough_for_a_comment_and_counts_what_is_left_out(case: str):
    document = as_markdown(BIG[case]())
    assert len(document) <= LONGEST
    assert " more" in document
    html = MarkdownIt("commonmark").enable("table").render(document)
    assert html.count("<table>") == document.count("\n|---")


def test_steps_that_are_left_out_are_in_the_json_report():
    plan = planned(chain(300, "a"), chain(300, "b"))
    document = as_markdown(plan)
    shown = document.count("### Wave ")
    assert f"... and {600 - shown:,} steps more in {600 - shown:,} waves: the whole plan is in the JSON report." in document
    assert [step["id"] for step in as_dict(plan)["steps"]] == [step.id for step in plan.steps]


def test_a_small_plan_is_whole():
    plan = planned(servers(2), servers(3))
    document = as_markdown(plan)
    assert document.startswith("## Migration: 1 to add, 0 to change, 0 to replace, 0 to destroy, in 1 wave\n")
    assert "| Create server.s2 |" in document
    assert " more" not in document


def test_a_picture_of_many_waves_has_few_columns_and_boxes():
    root = ET.fromstring(as_svg(planned(chain(300, "a"), chain(300, "b"))))
    headings = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text") if node.get("class") == "head"]
    assert headings[0] == "waves 1 to 15"
    assert headings[-1] == "waves 586 to 600"
    assert len(headings) <= MOST_COLUMNS
    assert len([node for node in root.iter("{http://www.w3.org/2000/svg}rect") if node.get("class") == "box"]) <= 2 * MOST_COLUMNS


def test_the_json_report_holds_the_whole_plan():
    before, after = (
        InfrastructureConfig.model_validate({"servers": [{"name": "a", "plan": plan}], "buckets": buckets})
        for plan, buckets in (("m5.large", [{"name": "b"}]), ("m5.xlarge", []))
    )
    plan = plan_migration(before, after, book=PriceBook.shipped(), today=date(2026, 11, 23))
    document = json.loads(as_json(plan))
    assert document == as_dict(plan)
    assert document["counts"] == dict(plan.counts)
    assert {one["address"]: one["fields"] for one in document["changes"]} == {
        "server.a": [
            {"path": path, "before": old, "after": new, "impact": "restart", "why": "a server is stopped to change its size"}
            for path, old, new in (("plan", "m5.large", "m5.xlarge"), ("spec.cpu", 2, 4), ("spec.memory_gb", 8.0, 16.0))
        ],
        "bucket.b": [],
    }
    assert Decimal(document["cost_after"]["USD"]) == plan.cost_after["USD"]
    assert [one["framework"] for one in document["compliance"]] == [one.framework for one in plan.compliance]
    steps = {one["id"]: one for one in document["steps"]}
    assert steps["delete:bucket.b"]["needs"] == ["backup:bucket.b"]
    assert steps["delete:bucket.b"]["data_loss"]
    assert steps["update:server.a"]["change"] == "server.a"


def test_a_step_that_touches_very_many_counts_them_and_the_blast_radius_names_them():
    plan = planned(chain(150, "a"), chain(150, "b"))
    document = as_dict(plan)
    step = next(one for one in document["steps"] if one["id"] == "create:security_group.g0")
    assert (len(step["affects"]), step["affects_count"]) == (MOST_AFFECTED, 150)
    assert len(document["blast_radius"]["security_group.g0"]) == 149


def test_a_plan_of_nothing_is_one_sentence():
    same = InfrastructureConfig.model_validate(servers(2))
    plan = plan_migration(same, same, book=PriceBook.shipped(), today=date(2026, 11, 23))
    assert as_markdown(plan) == "## Migration: nothing to do: both configurations describe the same\n"


def test_the_deletion_of_what_is_replaced_says_why():
    before, after = ({"servers": [{"name": "a", "user_data": text}]} for text in ("x", "y"))
    (row,) = [line for line in as_markdown(planned(before, after)).splitlines() if line.startswith("| Delete the old server.a")]
    assert "user data runs on the first start only" in row


def test_the_documents_name_the_checks_that_fail_newly():
    before, after = (InfrastructureConfig.model_validate({"volumes": [{"name": "v", "encrypted": one}]}) for one in (True, False))
    plan = plan_migration(before, after, today=date(2026, 11, 23))
    delta = next(one for one in plan.compliance if one.newly_failing)
    assert f"- {delta.framework}: {compliance_words(delta)}" in as_markdown(plan)
    told = next(one for one in as_dict(plan)["compliance"] if one["framework"] == delta.framework)
    assert (told["newly_failing"], told["words"]) == (list(delta.newly_failing), compliance_words(delta))

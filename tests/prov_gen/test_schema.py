"""Schemas for readers."""

import json

import pytest
from jsonschema import Draft202012Validator

from prov_gen.model.infrastructure import dump
from prov_gen.model.kinds import BY_NAME
from prov_gen.model.server import Server
from prov_gen.schema import describe, names
from stratumops.errors import NotFoundError


@pytest.mark.parametrize("name", names())
def test_every_kind_has_all_three_forms(name: str) -> None:
    assert f"{BY_NAME[name].contract}" in (describe(name, "nickel").text or "")
    Draft202012Validator.check_schema(json.loads(describe(name, "json").text or ""))
    fields = describe(name, "fields").fields
    assert fields
    assert all(field.type and field.default and field.description for field in fields)


def test_at_least_twenty_schemas_are_shipped() -> None:
    assert len(names()) >= 20


def test_the_json_form_accepts_what_the_model_writes() -> None:
    schema = json.loads(describe("server", "json").text or "")
    server = Server.model_validate({"name": "web", "plan": "t3.micro", "backup": {}})
    Draft202012Validator(schema).validate(dump(server))


def test_fields_name_ranges_choices_and_defaults() -> None:
    fields = {field.path: field for field in describe("server", "fields").fields}
    assert fields["name"].default == "(required)"
    assert fields["spec.disk_gb"].type == "Integer (>= 20, <= 65536)"
    assert fields["spec.disk_gb"].default == "50"
    assert fields["spec.os.family"].type == "'ubuntu | 'debian | 'rocky | 'alpine"


def test_an_unknown_schema_suggests_the_nearest() -> None:
    with pytest.raises(NotFoundError) as caught:
        describe("servr", "fields")
    assert "server" in caught.value.hint
    assert describe("", "fields").names == names()


@pytest.mark.parametrize(
    ("word", "name"),
    [("cluster", "kubernetes"), ("network", "networking"), ("vpc", "networking"), ("storage", "bucket"), ("servers", "server")],
)
def test_a_kind_is_found_by_its_field_and_by_other_words(word: str, name: str) -> None:
    assert describe(word, "fields").name == name

"""Short schemas say the same as pydantic's long ones, about what we send and what we take."""

import json
from enum import Enum
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from prov_tools.registry import REGISTRY
from stratumops.schema import compact_dump, compact_schema


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """An inner record."""

    title: str
    note: str | None = None
    weights: dict[str, float | None] = {}


class Outer(BaseModel):
    """An outer record."""

    inner: Annotated[Inner, Field(description="The one that counts")]
    others: list[Inner] = []
    maybe: Inner | None = None
    either: int | str | None = None
    gaps: list[int | None] = []
    pair: tuple[int | None, str] = (None, "")
    colour: Colour = Colour.RED
    level: Annotated[int, Field(ge=1, le=9)] = 1
    must: Annotated[str | None, Field(description="Null or text, but always stated")]


SCALARS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers(-(2**40), 2**40)),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (str, st.text(max_size=20)),
    (bool, st.booleans()),
    (Literal["a", "b"], st.sampled_from(["a", "b"])),
]


def nested(inner: tuple[Any, st.SearchStrategy[Any]]) -> list[tuple[Any, st.SearchStrategy[Any]]]:
    kind, values = inner
    return [
        (list[kind], st.lists(values, max_size=3)),  # type: ignore[valid-type] # made at run time
        (dict[str, kind], st.dictionaries(st.text(max_size=5), values, max_size=3)),  # type: ignore[valid-type] # as above
        (kind | None, st.none() | values),
        (tuple[kind, int], st.tuples(values, st.integers(0, 9))),  # type: ignore[valid-type] # as above
    ]


@st.composite
def models(draw: st.DrawFn) -> BaseModel:
    """A value of a model that is made for it, with fields of many types, nested twice."""
    fields: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(SCALARS))
        for _ in range(draw(st.integers(0, 2))):
            kind = draw(st.sampled_from(nested(kind)))
        name = draw(st.sampled_from(["title", "anyOf", "default", "required", "plain", "properties"])) + str(number)
        fields[name] = (kind[0], ...)
        values[name] = draw(kind[1])
    return create_model("Made", **fields).model_validate(values)


@given(models())
def test_whatever_a_model_is_dumped_to_fits_its_short_schema(value: BaseModel):
    schema = compact_schema(type(value), mode="serialization")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(compact_dump(value))), schema)


OUTER = Outer(inner=Inner(title="x", weights={"a": None, "b": 1.5}), gaps=[1, None], must=None)


def test_a_dump_with_nulls_in_lists_and_records_fits_its_schema():
    dumped = compact_dump(OUTER)
    assert dumped["gaps"] == [1, None]
    assert dumped["inner"]["weights"] == {"a": None, "b": 1.5}
    assert {"maybe", "either", "must"}.isdisjoint(dumped)
    jsonschema.validate(dumped, compact_schema(Outer, mode="serialization"))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("level", 0),
        ("level", "x"),
        ("colour", "green"),
        ("gaps", ["x"]),
        ("pair", [1]),
        ("either", []),
        ("maybe", {}),
        ("inner", 1),
    ],
)
def test_what_pydantic_refuses_the_short_schema_refuses(field: str, wrong: Any):
    value = compact_dump(OUTER) | {field: wrong}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, compact_schema(Outer, mode="validation"))
    with pytest.raises(ValueError, match=field):
        Outer.model_validate(value | {"must": None})


def test_titles_and_definitions_are_dropped_but_a_field_named_title_stays():
    schema = compact_schema(Outer, mode="serialization")
    assert "$defs" not in schema
    assert "$ref" not in json.dumps(schema)
    assert schema["properties"]["inner"]["properties"]["title"] == {"type": "string"}
    assert "title" not in schema
    assert "title" not in schema["properties"]["level"]


def test_a_field_that_may_be_null_is_described_by_its_other_types_and_not_required():
    schema = compact_schema(Outer, mode="serialization")
    assert schema["properties"]["either"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert schema["properties"]["must"] == {"type": "string", "description": "Null or text, but always stated"}
    assert "must" not in schema["required"]
    assert "inner" in schema["required"]


def test_a_fields_own_description_wins_over_that_of_its_record():
    schema = compact_schema(Outer, mode="validation")
    assert schema["properties"]["inner"]["description"] == "The one that counts"
    assert "description" not in schema["properties"]["others"]["items"]
    assert "description" not in schema


def test_the_short_schema_is_shorter_than_pydantics():
    for tool in REGISTRY:
        long = json.dumps(tool.output.model_json_schema(mode="serialization"))
        assert len(json.dumps(tool.output_schema)) < len(long)

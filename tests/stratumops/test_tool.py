"""One declaration makes a tool; wrong arguments are told by name and never by value."""

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator

from stratumops.errors import InvalidInputError
from stratumops.tool import Tool, ToolInput, ToolOutput, tool

CANARY = "canary-7f3a9d-do-not-tell"


class GreetInput(ToolInput):
    """Whom to greet."""

    name: Annotated[str, Field(max_length=8, description="Whom")]
    style: Literal["short", "long"] = "short"
    times: Annotated[int, Field(ge=1)] = 1
    secrets: Annotated[list[str], Field(default_factory=list)]
    token: str | None = None

    @field_validator("token")
    @classmethod
    def _begins_well(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("vault:"):
            raise ValueError("a token is a handle")
        return value


class GreetOutput(ToolOutput):
    """The greeting."""

    text: str
    rest: str | None = None


@tool(toolset="talk", title="Greet", command="talk greet", effect="read", example={"name": "Ada"}, aliases=("greet",))
async def greet(args: GreetInput, ctx: str) -> GreetOutput:
    """Greet somebody.

    Politely.
    """
    return GreetOutput(text=f"{ctx} {args.name}" * args.times)


def test_name_description_and_models_come_from_the_function():
    assert (greet.name, greet.toolset, greet.command, greet.aliases) == ("greet", "talk", "talk greet", ("greet",))
    assert greet.description == "Greet somebody.\n\nPolitely."
    assert (greet.input, greet.output) == (GreetInput, GreetOutput)
    assert greet.input_schema["required"] == ["name"]
    assert greet.output_schema["required"] == ["text"]


@pytest.mark.parametrize(("effect", "stays"), [("read", True), ("record", False), ("world", False)])
def test_read_only_mode_keeps_what_changes_nothing_or_was_declared_to_stay(effect: Any, stays: bool):
    def made(**more: bool) -> Tool[Any, Any, Any]:
        return tool(toolset="talk", title="x", command="x", effect=effect, **more)(greet.handler)

    assert made().runs_in_read_only is stays
    assert made(in_read_only=True).runs_in_read_only


def test_arguments_become_the_frozen_model_with_its_defaults():
    args = greet.parse({"name": "Ada"})
    assert args == GreetInput(name="Ada", style="short", times=1)
    with pytest.raises(ValidationError):
        args.name = "Bob"  # type: ignore[misc] # that is the point


def test_every_wrong_argument_is_named_at_once():
    with pytest.raises(InvalidInputError) as caught:
        greet.parse({"name": "a name that is too long", "style": "loud", "times": 0, "volume": 11})
    problems = caught.value.details["problems"]
    assert [problem["path"] for problem in problems] == ["name", "style", "times", "volume"]
    assert all(problem["message"] and problem["type"] for problem in problems)
    assert caught.value.message == (
        "name must have at most 8 characters; style must be 'short' or 'long'; times must be at least 1; volume is not known here"
    )
    assert "schema of greet" in caught.value.hint


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": CANARY},
        {"name": "x", "style": CANARY},
        {"name": "x", "times": CANARY},
        {"name": "x", "secrets": CANARY},
        {"name": "x", "secrets": [{"deep": CANARY}]},
        {"name": "x", "token": CANARY},
        {"name": {"value": CANARY}},
        {"name": "x", "extra": CANARY},
    ],
    ids=json.dumps,
)
def test_the_value_of_a_wrong_argument_is_told_nowhere(arguments: dict[str, Any]):
    with pytest.raises(InvalidInputError) as caught:
        greet.parse(arguments)
    error = caught.value
    told = json.dumps(error.as_dict()) + str(error) + repr(error)
    assert CANARY not in told
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_many_wrong_arguments_are_all_in_the_details_and_counted_in_the_message():
    with pytest.raises(InvalidInputError) as caught:
        greet.parse({f"unknown_{number}": 1 for number in range(40)})
    assert len(caught.value.details["problems"]) == 41
    assert "(and 36 more)" in caught.value.message


def test_an_error_stays_small_whatever_was_sent():
    with pytest.raises(InvalidInputError) as caught:
        greet.parse({"n" * 100_000 + str(number): 1 for number in range(300)})
    assert len(json.dumps(caught.value.as_dict())) < 50_000
    assert "(and 296 more)" in caught.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from([*GreetInput.model_fields, "other", ""])


@given(st.dictionaries(FIELDS, JSON, max_size=5))
def test_any_arguments_at_all_are_either_taken_or_an_error_of_ours(arguments: dict[str, Any]):
    try:
        args = greet.parse(arguments)
    except InvalidInputError as error:
        json.dumps(error.as_dict())
    else:
        assert set(arguments) <= set(GreetInput.model_fields)
        assert len(args.name) <= 8


def test_arguments_that_are_nested_too_deeply_are_an_error_of_ours():
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidInputError):
        greet.parse({"name": "x", "secrets": deep})
    while deep:  # taken apart from outside: the interpreter would recurse
        deep = deep.pop()


def test_an_answer_passes_unless_its_model_says_otherwise():
    class Verdict(ToolOutput):
        valid: bool

        def passed(self) -> bool:
            return self.valid

    assert GreetOutput(text="x").passed()
    assert not Verdict(valid=False).passed()


def test_an_answer_with_a_field_that_was_not_promised_is_refused():
    with pytest.raises(ValidationError):
        GreetOutput.model_validate({"text": "x", "more": 1})

"""What is wrong with a value, as a person would write it."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from stratumops.problems import figure, sentence

CANARY = "canary-41d9"


class Inner(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Every(BaseModel):
    """A field for each kind of problem."""

    model_config = ConfigDict(strict=True, extra="forbid")

    budget: Annotated[float, Field(gt=0)] = 1
    count: Annotated[int, Field(ge=1, le=20_000)] = 1
    below: Annotated[int, Field(lt=5)] = 1
    share: Annotated[Decimal, Field(allow_inf_nan=False)] = Decimal(1)
    step: Annotated[int, Field(multiple_of=5)] = 5
    text: Annotated[str, Field(min_length=1, max_length=3)] = "a"
    code: Annotated[str, Field(min_length=2, pattern="^[a-z]+$")] = "ab"
    names: Annotated[list[str], Field(min_length=1, max_length=2)] = ["a"]
    style: Literal["short", "long", "none"] = "short"
    flag: bool = True
    day: date = date(2026, 11, 23)
    inner: Inner = Inner()
    table: dict[str, str] = {}
    handle: str = "vault:x"

    @field_validator("handle")
    @classmethod
    def _begins_well(cls, value: str) -> str:
        if not value.startswith("vault:"):
            raise ValueError("A handle begins with vault:")
        return value


def told(arguments: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Every.model_validate(arguments)
    problems = caught.value.errors()
    return [sentence(".".join(map(str, problem["loc"])) or "the arguments", problem) for problem in problems]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"budget": 0}, "budget must be greater than 0"),
        ({"budget": "much"}, "budget must be a number"),
        ({"count": 0}, "count must be at least 1"),
        ({"count": 30_000}, "count must be at most 20,000"),
        ({"count": 1.5}, "count must be a whole number"),
        ({"below": 9}, "below must be less than 5"),
        ({"share": Decimal("NaN")}, "share must be a finite number"),
        ({"step": 4}, "step must be a multiple of 5"),
        ({"text": ""}, "text must not be empty"),
        ({"text": "long"}, "text must have at most 3 characters"),
        ({"text": 1}, "text must be a text"),
        ({"code": "a"}, "code must have at least 2 characters"),
        ({"code": "A1"}, "code has the wrong form; it must match ^[a-z]+$"),
        ({"names": []}, "names must not be empty"),
        ({"names": ["a", "b", "c"]}, "names must have at most 2 elements"),
        ({"names": "a"}, "names must be a list"),
        ({"names": [1]}, "names.0 must be a text"),
        ({"style": "x"}, "style must be 'short', 'long' or 'none'"),
        ({"flag": "yes"}, "flag must be true or false"),
        ({"day": "soon"}, "day must be a day such as 2026-11-23"),
        ({"inner": 1}, "inner must be an object"),
        ({"inner": {"x": 1}}, "inner.x is not known here"),
        ({"table": []}, "table must be an object"),
        ({"handle": CANARY}, "handle: a handle begins with vault:"),
        ([], "the arguments must be an object"),
    ],
)
def test_a_problem_reads_as_a_sentence(arguments: Any, said: str) -> None:
    assert told(arguments) == [said]


def test_a_reader_of_records_is_told_of_records() -> None:
    with pytest.raises(ValidationError) as caught:
        Every.model_validate({"inner": 1})
    assert sentence("inner", caught.value.errors()[0], record="a record") == "inner must be a record"


def test_what_no_table_knows_keeps_pydantics_words_and_no_value() -> None:
    problem = {"type": "url_parsing", "msg": "Input should be a valid URL, relative URL without a base", "input": CANARY}
    assert sentence("at", problem) == "at must be a valid URL, relative URL without a base"


@pytest.mark.parametrize(("value", "text"), [(1e9, "1,000,000,000"), (5.0, "5"), (0.5, "0.5"), (1000, "1000"), (-1, "-1")])
def test_a_limit_is_written_without_an_exponent(value: float, text: str) -> None:
    assert figure(value) == text

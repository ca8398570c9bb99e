"""Hypothesis strategies for configurations, derived from the models: what fits them, and what hardly fits them any more.

`HYPOTHESIS_PROFILE=soak` (or `make soak`) runs many more examples.
"""

import copy
import os
import types
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from prov_gen.model.base import Record

# Every example asks a real evaluator, some 20 ms each, on machines of any speed.
_SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
settings.register_profile("nickel", max_examples=30, **_SHARED)
settings.register_profile("soak", max_examples=500, **_SHARED)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "soak" if os.environ.get("PROV_TESTS_SOAK") else "nickel"))

# Pieces that mean something to Nickel, to Jinja2, to a terminal or to nobody.
_HOSTILE = (
    '%{import "/etc/hostname" as \'Text}', '"', "\\", "%%{", 'm%"', '"%m', "{{ 7 * 7 }}", "{% raw %}", "#}", "\n# ", "\r", "\t",
    "\u2028", "\u202e", "\x00", "\x1b[31m", "\x7f", "e\u0301", "\U0001f469\u200d\U0001f4bb", "' | ", "} | Dyn", "\\u{25}", "null",
)  # fmt: skip
_CHARACTERS = st.characters(exclude_categories=["Cs"])
_HOSTILE_TEXT = st.lists(st.one_of(st.sampled_from(_HOSTILE), _CHARACTERS), max_size=6).map("".join)
_KEYS = st.one_of(
    st.sampled_from(["Environment", "import", "null", "a b", "", "%{", "default", "_", "0", "ä", "k8s.io/role", "'x"]),
    _HOSTILE_TEXT,
)


@cache
def _hints(model: type[Record]) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)


@cache
def _values_of(model: type[Record], name: str) -> st.SearchStrategy[Any]:
    """The values of a field, made once: making a strategy takes longer than drawing from it."""
    return values(_hints(model)[name])


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """JSON values that fit an annotation of the models."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        # Null is the same as leaving the field out, or a value of its own where the default is another one.
        return st.one_of(values(inner), values(inner), st.none())
    if origin is list:
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(_KEYS, values(arguments[1]), max_size=3)
    if origin is Literal:
        return st.sampled_from(arguments)
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return stated(annotation)
    return _scalars(TypeAdapter(annotation).json_schema())


def _scalars(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    kind = schema["type"]
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(schema.get("minimum"), schema.get("maximum", 2**53))
    if kind == "number":
        above = schema.get("exclusiveMinimum")
        low = schema.get("minimum", above)
        return st.floats(low, schema.get("maximum", 1e12), exclude_min=above is not None, allow_nan=False, allow_subnormal=False)
    if "pattern" in schema:
        # Python's `$` also matches before a last newline, Rust's does not.
        return st.from_regex(schema["pattern"], fullmatch=True, alphabet=st.characters(codec="ascii")).filter(
            lambda text: "\n" not in text
        )
    low, high = schema.get("minLength", 0), schema.get("maxLength", 60)
    return _HOSTILE_TEXT.filter(lambda text: low <= len(text) <= high) | st.text(
        _CHARACTERS, min_size=low, max_size=min(high, 40)
    )


@cache
def stated(model: type[Record]) -> st.SearchStrategy[dict[str, Any]]:
    """Records of a model as a person would write them: JSON values, some of the fields."""
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    optional = [name for name in model.model_fields if name not in required]

    @st.composite
    def draw_record(draw: st.DrawFn) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(optional), unique=True, max_size=6)) if optional else []
        return {name: draw(_values_of(model, name)) for name in [*required, *chosen]}

    return draw_record().filter(lambda value: fits(model, value)) if model.invariants else draw_record()


def models(model: type[Record]) -> st.SearchStrategy[Any]:
    """Instances of a model."""
    return stated(model).map(model.model_validate)


def fits(model: type[Record], value: Any) -> bool:
    """Whether the model takes the value without reading numbers out of texts and the like."""
    try:
        model.model_validate(value, strict=True)
    except ValidationError:
        return False
    return True


# Whole numbers are no floats here: JSON's 2.0 is Nickel's 2.
_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(-(2**63), 2**63),
    st.sampled_from([0.5, -0.5, 65535.5, 10**15, 65536, 4096]),
    st.sampled_from(["", "a", "A b", "-x", "2", "true", "10.0.0.0/33", "10.0.0.300/8", "@yearly", "x" * 64, "x" * 257, "x" * 4097,
                     "vault:", "e\u0301" * 200, "web\n", "\nweb", "aws", "'aws", "1.0"]),
    st.sampled_from([[], {}, [[]], [{}], {"enabled": True}, {"name": "a"}, [None], ["a"], {"a": None}, {"a": 1}]),
    _HOSTILE_TEXT,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, model: type[Record]) -> Any:
    """A record of a model with one thing changed, taken away or added: mostly wrong, sometimes still right."""
    value = copy.deepcopy(draw(stated(model)))
    change = draw(st.sampled_from(["replace", "replace", "remove", "append", "add"]))
    places = list(_places(value))
    if change == "add" or not places:
        records = [value, *(parent[key] for parent, key in places if isinstance(parent[key], dict))]
        name = draw(st.sampled_from(["nam", "cpus", "Name", "unknown", *model.model_fields]))
        draw(st.sampled_from(records))[name] = draw(_ODD)
        return value
    parent, key = draw(st.sampled_from(places))
    if change == "remove":
        del parent[key]
    elif change == "append" and isinstance(parent[key], str):
        parent[key] += draw(st.sampled_from(["\n", " ", "!", "-", "0", "a", "\u0301", "\x00", "x" * 256]))
    elif change == "append" and isinstance(parent[key], int) and not isinstance(parent[key], bool):
        # Hypothesis likes bounds; this is how it passes them.
        parent[key] += draw(st.sampled_from([-1, 1]))
    else:
        parent[key] = draw(_ODD)
    return value


def _places(value: Any) -> Iterator[tuple[Any, str | int]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield value, key
        yield from _places(child)

"""Nickel literals: whatever goes in comes back, and reads as a person would have written it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from prov_gen.nickel import nickel_key, nickel_literal, nickel_string, nickel_tag
from stratumops.errors import InvalidInputError

HOSTILE = '%{import "/etc/passwd" as \'Text}'

_pieces = st.sampled_from(
    ["%", "{", "}", '"', "\\", "m%", '"%', "'", "\n", "\t", "\r", "#", "=", "é", "😀", "\x00", "\x1b", "\u2028", "u{25}"]
)
_text = st.one_of(st.lists(_pieces, max_size=8).map("".join), st.text(max_size=12))
_keys = st.one_of(_text, st.sampled_from(["if", "Number", "default", "in", "_", "__a", "a-b", "a'b", "1a", "", "import", "or"]))
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    _text,
)
_json = st.recursive(
    _scalars, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_keys, inner, max_size=4)), max_leaves=12
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=_json)
@example(value={"name": HOSTILE, HOSTILE: [HOSTILE]})
@example(value=["%%{1}", "%", "50%", "%\\{", "%\\u{7b}", -0.0, 5e-324, 1.7976931348623157e308, 2**64 - 1, -(2**63)])
@example(value={"a": {}, "b": [], "c": [{}], "d": [[-1]]})
def test_any_json_value_comes_back_from_nickel(real_nickel: Any, value: Any) -> None:
    assert real_nickel.evaluate(nickel_literal(value)) == value


def test_a_name_with_interpolation_stays_a_name(real_nickel: Any) -> None:
    assert real_nickel.evaluate(nickel_literal({"name": HOSTILE})) == {"name": HOSTILE}


def test_ordinary_text_stays_readable() -> None:
    assert nickel_string("50% of C:/x, {a}") == '"50% of C:/x, {a}"'
    assert nickel_string("%{x}") == r'"\u{25}{x}"'
    assert nickel_string("a\u202eb") == r'"a\u{202e}b"'


def test_the_layout_is_that_of_a_person() -> None:
    value = {"provider": "aws", "servers": [{"name": "web", "spec": {"cpu": 2, "offset": -1}}], "ports": [80, 443], "tags": {}}
    assert nickel_literal(value) == (
        "{\n"
        '  provider = "aws",\n'
        "  servers = [\n"
        "    {\n"
        '      name = "web",\n'
        "      spec = { cpu = 2, offset = (-1) },\n"
        "    },\n"
        "  ],\n"
        "  ports = [80, 443],\n"
        "  tags = {},\n"
        "}"
    )


def test_keys_and_tags_are_quoted_only_when_they_must_be() -> None:
    assert [nickel_key(key) for key in ("a_b", "if", "a b", "")] == ["a_b", '"if"', '"a b"', '""']
    assert [nickel_tag(name) for name in ("aws", "m5.large")] == ["'aws", '\'"m5.large"']


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**64, "\ud800", {1: 2}, {"a": object()}, b"x"])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError):
        nickel_literal(value)


def test_a_value_nested_without_end_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InvalidInputError, match="nested"):
        nickel_literal(value)

"""The order of steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.errors import CycleError
from provisioning.workflow.graph import in_order
from stratumops.errors import InvalidInputError


def test_a_circle_is_named():
    with pytest.raises(CycleError) as raised:
        in_order({"a": [], "b": ["a", "d"], "c": ["b"], "d": ["c"], "e": ["d"]})

    assert raised.value.details["circle"] == ["b", "d", "c", "b"]
    assert "b -> d -> c -> b" in raised.value.message


def test_a_step_that_needs_itself_is_a_circle():
    with pytest.raises(CycleError, match="a -> a"):
        in_order({"a": ["a"]})


def test_an_unknown_need_is_named():
    with pytest.raises(InvalidInputError, match="the step b needs nobody, which is no step"):
        in_order({"a": [], "b": ["a", "nobody"]})


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), max_size=30))
def test_every_step_comes_after_its_needs_and_always_in_the_same_order(lists: list[list[int]]):
    # Needs of earlier steps only: no circle can be.
    needs = {str(number): [str(one) for one in wanted if one < number] for number, wanted in enumerate(lists)}

    order = in_order(needs)

    assert sorted(order) == sorted(needs)
    place = {step: index for index, step in enumerate(order)}
    assert all(place[need] < place[step] for step, wanted in needs.items() for need in wanted)
    assert order == in_order(needs)

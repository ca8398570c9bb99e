"""The registry lists tools in order, finds them, and says what was meant by a name that is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratumops.errors import InvalidInputError, NotFoundError
from stratumops.registry import Registry, Selection
from stratumops.tool import Tool, ToolInput, ToolOutput

TOOLSETS = {"core": "Switches", "config": "Configurations", "cost": "Money", "world": "Machines"}


class Nothing(ToolInput):
    """No arguments."""


class Done(ToolOutput):
    """No answer."""


def make(
    name: str, toolset: str, *, effect: Any = "read", default: bool = True, in_read_only: bool = False
) -> Tool[Nothing, Done, None]:
    async def handler(args: Nothing, ctx: None) -> Done:
        return Done()

    return Tool(
        name=name, toolset=toolset, title=name, description=name, command=name, effect=effect, handler=handler, input=Nothing,
        output=Done, default=default, in_read_only=in_read_only,
    )  # fmt: skip


TOOLS = [
    make("toolsets", "core"),
    make("generate_config", "config"),
    make("validate_config", "config"),
    make("estimate_cost", "cost"),
    make("compare_cost", "cost", default=False),
    make("apply_plan", "world", effect="world"),
    make("note", "world", effect="record"),
    make("switch", "world", effect="record", in_read_only=True),
]
REGISTRY: Registry[None] = Registry(TOOLS, toolsets=TOOLSETS, always=["core"])


def names(selection: Selection, *, read_only: bool = False) -> list[str]:
    return [tool.name for tool in REGISTRY.offered(selection, read_only=read_only)]


def test_tools_are_listed_in_the_order_in_which_they_were_given():
    assert list(REGISTRY) == TOOLS
    assert len(REGISTRY) == len(TOOLS)
    assert all(tool.name in REGISTRY for tool in TOOLS)
    assert "Toolsets" not in REGISTRY


def test_two_tools_of_one_name_are_a_defect_that_stops_the_start():
    with pytest.raises(ValueError, match="two tools are named note"):
        Registry([make("note", "core"), make("note", "core")], toolsets=TOOLSETS)


def test_a_tool_of_a_toolset_that_nobody_described_stops_the_start():
    with pytest.raises(ValueError, match="the toolset secret is not described"):
        Registry([make("note", "secret")], toolsets=TOOLSETS)


@pytest.mark.parametrize(
    ("wrong", "meant"), [("validate", "validate_config"), ("estimate_costs", "estimate_cost"), ("tolsets", "toolsets")]
)
def test_a_misspelt_tool_is_answered_with_the_name_that_was_meant(wrong: str, meant: str):
    with pytest.raises(NotFoundError) as caught:
        REGISTRY[wrong]
    assert meant in caught.value.hint
    assert repr(wrong) in caught.value.message


def test_a_name_like_no_other_is_answered_with_where_the_names_are_and_cut_short():
    with pytest.raises(NotFoundError) as caught:
        REGISTRY["\x1b" + "x" * 10_000]
    assert "tools/list" in caught.value.hint
    assert len(caught.value.message) < 150
    assert "\x1b" not in caught.value.message


def test_all_expands_to_every_toolset():
    assert REGISTRY.expand(["all"]) == REGISTRY.expand(["cost", "all"]) == frozenset(TOOLSETS)
    assert REGISTRY.expand(["cost", "cost"]) == {"cost"}
    assert REGISTRY.expand([]) == frozenset()


def test_unknown_toolsets_are_all_named_beside_those_that_exist():
    with pytest.raises(InvalidInputError) as caught:
        REGISTRY.expand(["cost", "zeta", "alpha"])
    assert "alpha, zeta" in caught.value.message
    assert all(name in caught.value.hint for name in ("all", *TOOLSETS))


def test_by_default_every_toolset_shows_its_default_tools():
    assert names(Selection()) == [
        "toolsets",
        "generate_config",
        "validate_config",
        "estimate_cost",
        "apply_plan",
        "note",
        "switch",
    ]


def test_chosen_toolsets_are_whole_and_alone_beside_core():
    assert names(Selection(defaults=False, whole=frozenset({"cost"}))) == ["toolsets", "estimate_cost", "compare_cost"]


def test_enabling_adds_the_tools_that_are_not_default():
    assert "compare_cost" not in names(Selection())
    assert "compare_cost" in names(Selection().enable(frozenset({"cost"})))


def test_only_what_is_always_offered_cannot_be_switched_off():
    assert names(Selection().disable(frozenset(TOOLSETS))) == ["toolsets"]
    without = Registry(TOOLS, toolsets=TOOLSETS)
    assert without.offered(Selection().disable(frozenset(TOOLSETS)), read_only=False) == []


def test_a_toolset_that_is_always_offered_must_be_described():
    with pytest.raises(ValueError, match="always offered but not described: nonsense"):
        Registry(TOOLS, toolsets=TOOLSETS, always=["nonsense"])


def test_a_tool_can_be_a_key_and_is_equal_to_itself_alone():
    assert len({TOOLS[0], TOOLS[0], make("toolsets", "core")}) == 2


def test_read_only_mode_shows_only_what_changes_nothing():
    shown = names(Selection(whole=frozenset(TOOLSETS)), read_only=True)
    assert {"apply_plan", "note"}.isdisjoint(shown)
    assert "compare_cost" in shown
    assert "switch" in shown, "declared to stay"


SETS = st.frozensets(st.sampled_from(sorted(TOOLSETS)))
STEPS = st.lists(st.tuples(st.booleans(), SETS), max_size=6)


@given(st.booleans(), SETS, STEPS, SETS)
def test_what_was_switched_last_holds(
    defaults: bool, whole: frozenset[str], steps: list[tuple[bool, frozenset[str]]], last: frozenset[str]
):
    selection = Selection(defaults, whole)
    for is_on, toolsets in steps:
        selection = selection.enable(toolsets) if is_on else selection.disable(toolsets)
    on, off = set(names(selection.enable(last))), set(names(selection.disable(last)))
    for tool in TOOLS:
        if tool.toolset in last:
            assert tool.name in on
            assert (tool.name in off) == (tool.toolset == "core")
        else:
            assert (tool.name in on) == (tool.name in off) == (tool.name in names(selection))


@given(st.booleans(), SETS, SETS)
def test_switching_twice_is_switching_once(defaults: bool, whole: frozenset[str], chosen: frozenset[str]):
    selection = Selection(defaults, whole)
    assert selection.enable(chosen).enable(chosen) == selection.enable(chosen)
    assert selection.disable(chosen).disable(chosen) == selection.disable(chosen)

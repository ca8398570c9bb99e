"""Places: what is read from the text is what Nickel itself says, and what is computed is asked of Nickel."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prov_gen.nickel import Nickel, NickelSource, Position, SourceMap, nickel_literal
from prov_gen.nickel.report import located_in
from prov_gen.nickel.source import failing_at
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio

_keys = st.sampled_from(["a", "b", "in", "a b", 'q"', "50%", "é😀", "Number", "x-y"])
_scalars = st.one_of(st.integers(-99, 99), st.booleans(), st.sampled_from(["", "text", "%{x}", "ü", "😀 wide", "two\nlines"]))
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, min_size=1, max_size=3), st.dictionaries(_keys, inner, min_size=1, max_size=3)),
    max_leaves=10,
)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    return [*([path] if path else []), *(found for step, item in steps for found in _paths(item, (*path, step)))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.dictionaries(_keys, _values, min_size=1, max_size=3))
def test_the_text_alone_tells_what_nickel_says(real_nickel: Any, value: dict[str, Any]) -> None:
    source = NickelSource(f"# a comment with {{\nlet unused = {{ in_ = 1 }} in\n{nickel_literal(value)}")
    paths = _paths(value)[:12]
    outcomes = real_nickel.run(real_nickel.nickel.run_many(source, [failing_at(source, path) for path in paths]))
    places = SourceMap(source.text, source.name)
    for path, outcome in zip(paths, outcomes, strict=True):
        own, asked = places.find(path), located_in(outcome.diagnostics)
        assert own is not None
        assert asked is not None
        assert (own.line, own.column, own.is_exact) == (asked.line, asked.column, True), path
        if asked.end_column is not None:
            assert own.end_column == asked.end_column, path


WRITTEN = """
# servers { of a team
let region = "us-east-1" in
{
  servers = [
    { name = "web", spec.cpu = 1, spec = { memory | Number | default = 2 } },
    { name | String | doc "the } name" = m%"
      multi "line" %{region}
    "%, "quoted key".deep = (-1) } & { tags = { "a.b" = 'Tag } },
  ],
  region = region, # a reference
  computed = std.string.uppercase "x",
  required | String,
  text = "a %{"nested } %{region}"} b",
}
"""


@pytest.mark.parametrize(
    ("path", "beginning", "is_exact"),
    [
        (("servers", 0, "spec", "cpu"), "1, spec = {", True),
        (("servers", 0, "spec", "memory"), "2 } },", True),
        (("servers", 1, "name"), 'm%"', True),
        (("servers", 1, "quoted key", "deep"), "(-1)", True),
        (("servers", 1, "tags", "a.b"), "'Tag", True),
        (("servers", 0, "nope"), '{ name = "web"', False),
        (("servers", 7, "name"), "[\n", False),
        (("region",), "region, # a", False),
        (("required",), "required | String", False),
        (("text",), '"a %{"', True),
        (("missing", "deep"), "{\n  servers", False),
        ((), "{\n  servers", True),
    ],
)
def test_what_people_write_is_found(path: tuple[str | int, ...], beginning: str, is_exact: bool) -> None:
    before, found, _ = WRITTEN.partition(beginning)
    assert found
    place = SourceMap(WRITTEN, "main.ncl").find(path)
    assert place is not None
    expected = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert ((place.line, place.column), place.is_exact, place.file) == (expected, is_exact, "main.ncl")


async def test_what_is_computed_is_asked_of_nickel(nickel: Nickel) -> None:
    source = NickelSource("let make = fun cpu => {\n  spec = { cpu = cpu } } in\n{ servers = [make 1, make 64] }")
    assert await nickel.locate(source, ("servers", 1, "spec", "cpu")) == Position("<config>", 2, 18, 21, is_exact=True)


async def test_a_value_of_an_imported_file_is_found_in_that_file(nickel: Nickel, workspace: Workspace) -> None:
    (workspace.root / "net.ncl").write_text('{\n  cidr = "10.0.0.0/8",\n}\n')
    source = NickelSource('{ network = import "net.ncl" }', "main.ncl", workspace.root)
    found = await nickel.locate(source, ("network", "cidr"), workspace=workspace)
    assert found == Position("net.ncl", 2, 10, 22, is_exact=True)


@pytest.mark.parametrize(
    "text", ["{ a = ", '{ a = "open }', "[" * 5000 + "]" * 5000, "{ " + "a." * 5000 + "b = 1 }", '"%{' * 99, "}", ""]
)
def test_text_that_cannot_be_followed_has_no_places(text: str) -> None:
    assert SourceMap(text, "x").find(("a",)) is None


def test_every_one_of_a_thousand_servers_has_its_place() -> None:
    server = {"name": "web", "spec": {"cpu": 2, "memory_gb": 4, "disks": [{"size_gb": 20}]}, "tags": {"env": "prod"}}
    text = nickel_literal({"servers": [server] * 1000})
    places = SourceMap(text, "main.ncl")
    found = [places.find(("servers", index, "spec", "disks", 0, "size_gb")) for index in range(1000)]
    assert all(place is not None and place.is_exact for place in found)


def test_thousands_of_dotted_keys_are_one_record() -> None:
    text = "{" + ",".join(f"a.k{index} = 1" for index in range(20_000)) + "}"
    assert SourceMap(text, "x").find(("a", "k19999")) is not None

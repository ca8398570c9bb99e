"""Texts and reports that are long or deep: read once, followed as far as they can be, never an error of ours."""

import sys
from pathlib import Path

import pytest

from prov_gen.nickel import Nickel, NickelSource, SourceMap
from prov_gen.nickel.report import Reader
from prov_gen.nickel.source import under_contract
from stratumops.workspace import MAX_FILES, Workspace

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

DOTTED = ".".join("a" * 79)


def nested(depth: int) -> str:
    return f"{{ {DOTTED} = {nested(depth - 1) if depth else 1} }}"


@pytest.mark.parametrize("text", [f"{nested(12)} & {nested(12)}", f"{{ x = {nested(12)}, x = {nested(12)} }}"])
def test_records_nested_by_dotted_keys_count_like_records_in_braces(text: str) -> None:
    assert SourceMap(text, "deep.ncl").find(("x",)) is None


def test_a_text_deeper_than_the_stack_has_no_places_and_raises_nothing() -> None:
    text = "{ a = " + "(" * 70 + "1" + ")" * 70 + " }"
    assert SourceMap(text, "deep.ncl").find(("a",)) is not None
    limit = sys.getrecursionlimit()
    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1
    try:
        sys.setrecursionlimit(used + 60)
        found = SourceMap(text, "deep.ncl").find(("a",))
    finally:
        sys.setrecursionlimit(limit)
    assert found is None


def test_a_dotted_key_of_an_ordinary_depth_is_found() -> None:
    place = SourceMap("{ a.b.c.d = { e.f = 1 } }", "x").find(("a", "b", "c", "d", "e", "f"))
    assert place is not None
    assert (place.column, place.is_exact) == (21, True)


@pytest.mark.parametrize("text", ["{ a = " + "_" * 1_000_000 + " }", "{ a = m" + "%" * 300_000 + '" }'])
def test_a_run_of_one_sign_is_read_in_one_go(text: str) -> None:
    SourceMap(text, "run.ncl").find(("a",))


def test_many_reports_about_a_large_text_read_it_once() -> None:
    source = NickelSource("[" + "{ a = 1, b = [1, 2, 3] }," * 30_000 + "]", "big.ncl")
    report = "error: contract broken by a value\n  ┌─ python:1:1\n  │\n1 │ (\n  │ ^\n\n" * 40
    found = Reader(source, root=None, schemas=Path("/nowhere")).diagnostics(report, under_contract(source, "Dyn"))
    assert len(found) == 40
    assert {(one.file, one.line, one.column) for one in found} == {("big.ncl", 1, 1)}


async def test_a_workspace_with_too_many_files_serves_the_files_that_a_text_names(nickel: Nickel, workspace: Workspace) -> None:
    folder = workspace.root / "many"
    folder.mkdir()
    for index in range(MAX_FILES + 50):
        (folder / f"f{index:05}.json").touch()
    (folder / 'z"%{x}.json').write_text('{"a": 1}')
    (folder / "zone.ncl").write_text("{ b = 2 }")
    text = 'import "z\\"\\%{x}.json" & import "zone.ncl"'
    source = NickelSource(f"({text.replace(' & ', ') & (')})", "many/main.ncl", folder)
    assert await nickel.evaluate(source, workspace=workspace) == {"a": 1, "b": 2}
    assert await nickel.evaluate(NickelSource('import "many/zone.ncl"'), workspace=workspace) == {"b": 2}

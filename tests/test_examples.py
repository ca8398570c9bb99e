"""Every example is a valid configuration, as a person would check it."""

from datetime import date
from pathlib import Path

import pytest

from prov_gen.layers.pipeline import validate
from prov_gen.nickel import Nickel
from prov_gen.source import read_source
from stratumops.workspace import Workspace

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
WHOLE = sorted(
    str(path.relative_to(EXAMPLES))
    for path in EXAMPLES.rglob("*")
    if path.suffix in {".ncl", ".yaml"} and (path.parent == EXAMPLES or path.name == "main.ncl")
)


@pytest.mark.anyio
@pytest.mark.parametrize("path", WHOLE)
async def test_an_example_passes_all_layers_without_a_finding(path: str) -> None:
    workspace = Workspace.at(EXAMPLES)
    async with Nickel() as nickel:
        verdict = await validate(read_source(path, workspace), nickel=nickel, workspace=workspace, today=date(2026, 11, 23))
    assert verdict.findings == []
    assert verdict.resources

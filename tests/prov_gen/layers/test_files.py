"""Configurations that are files of a workspace, whatever the files are called."""

from datetime import date

import pytest

from prov_gen.layers.pipeline import Verdict, validate
from prov_gen.nickel import Nickel
from prov_gen.source import read_source
from stratumops.workspace import MAX_FILES, Workspace

pytestmark = pytest.mark.anyio
GOOD = '{"servers": [{"name": "web", "plan": "t3.micro"}]}'


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace.at(tmp_path)


async def judge(workspace: Workspace, path: str) -> Verdict:
    async with Nickel(size=1) as nickel:
        source = read_source(path, workspace)
        return await validate(source, nickel=nickel, workspace=workspace, today=date(2026, 11, 23))


@pytest.mark.parametrize("name", ['a"b.json', "a%{b}.json", "a\\b.json", "%%{c}.yaml", "ä ö.json", "A.NCL", "B.Json"])
async def test_a_file_may_bear_any_name(workspace: Workspace, name: str) -> None:
    (workspace.root / name).write_text(GOOD if "json" in name.lower() or "yaml" in name else '{ servers = [{ name = "web" }] }')
    verdict = await judge(workspace, name)
    assert verdict.valid, verdict.findings
    assert verdict.resources == {"server": 1}


async def test_a_file_among_more_files_than_a_sandbox_may_read_is_judged(workspace: Workspace) -> None:
    for index in range(MAX_FILES + 20):
        (workspace.root / f"f{index:05}.json").touch()
    (workspace.root / "zone.json").write_text(GOOD)
    (workspace.root / "zone.ncl").write_text('import "zone.json"')
    assert (await judge(workspace, "zone.json")).valid
    assert (await judge(workspace, "zone.ncl")).valid


async def test_findings_about_a_file_point_into_it_with_their_end(workspace: Workspace) -> None:
    (workspace.root / "net.ncl").write_text('{\n  servers = [{ name = "Web_1" }],\n}')
    (found,) = (await judge(workspace, "net.ncl")).findings
    assert (found.file, found.line, found.column, found.end_column) == ("net.ncl", 2, 23, 30)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("s.yaml", "servers:\n  - name: web\n    plan: m5.huge\n", (3, 11)),
        ("s.json", '{\n "servers": [{"name": "web", "plan": "m5.huge"}]}', (2, 38)),
        ("s.toml", '[[servers]]\nname = "web"\nplan = "m5.huge"\n', (3, 8)),
    ],
)
async def test_a_finding_about_a_data_file_points_into_it(
    workspace: Workspace, name: str, text: str, place: tuple[int, int]
) -> None:
    (workspace.root / name).write_text(text)
    (found,) = (await judge(workspace, name)).findings
    assert (found.code, found.file, found.line, found.column) == ("plan_unknown", name, *place)


async def test_a_data_file_that_cannot_be_read_is_named(workspace: Workspace) -> None:
    (workspace.root / "broken.json").write_text("{ not json")
    (found,) = (await judge(workspace, "broken.json")).findings
    assert found.file == "broken.json"
    assert found.fix

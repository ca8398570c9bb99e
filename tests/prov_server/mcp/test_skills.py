"""Runbooks as skills: whose are, and what reading one means."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from mcp import Client
from mcp.shared.exceptions import MCPError

from prov_server import compose
from prov_server.compose import Application
from prov_server.knowledge.sources import Sources
from prov_server.mcp.server import build
from prov_server.mcp.skills import SkillBook
from stratumops import settings
from stratumops.principal import LOCAL
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio
PAGE = "---\ntype: runbook\ntitle: {title}\n---\n\n## Symptom\n\nIt is broken.\n"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Application]:
    folder = tmp_path / "workspace"
    (folder / "books" / "runbooks" / "db").mkdir(parents=True)
    (folder / "books" / "runbooks" / "db" / "slot.md").write_text(PAGE.format(title="'Slot: full'"))
    (folder / "books" / "notes.md").write_text("# A note\n\nText.\n")
    chosen = settings.load(folder, rag={"sources": ["books"], "shipped": False, "embedder": "none"})
    made = compose.build(Workspace.at(folder), chosen)
    yield made
    await made.aclose()


async def served(app: Application) -> Client:
    async def made() -> Application:
        return app

    return Client(build(made, face="mcp"))


def names(app: Application) -> list[str]:
    return list(SkillBook(app.knowledge.library()).names())


async def test_runbooks_of_the_workspace_are_skills_and_other_documents_are_none(app: Application):
    assert names(app) == ["db-slot"]


async def test_what_was_added_from_elsewhere_is_no_skill(app: Application, tmp_path: Path):
    (tmp_path / "elsewhere" / "runbooks").mkdir(parents=True)
    (tmp_path / "elsewhere" / "runbooks" / "trap.md").write_text(PAGE.format(title="Trap"))
    app.knowledge.library()
    Sources(app.workspace.own).add(tmp_path / "elsewhere")
    assert names(app) == ["db-slot"]
    assert app.knowledge.library().search("trap", mode="text").hits


async def test_a_skill_is_read_whole_with_the_digest_that_was_told_and_its_reader_is_noted(app: Application):
    assert names(app) == ["db-slot"]
    async with await served(app) as client:
        listed = [one for one in (await client.list_resources()).resources if str(one.uri).startswith("skill://")]
        assert [one.name for one in listed] == ["db-slot"]
        before = app.reads.last(LOCAL.subject)
        text = (await client.read_resource("skill://runbooks/db-slot/SKILL.md")).contents[0].text
        assert app.reads.last(LOCAL.subject) > before
        runbook = (await client.read_resource("skill://runbooks/db-slot/references/RUNBOOK.md")).contents[0].text
        for wrong in ("skill://runbooks/none/SKILL.md", "skill://runbooks/db-slot/other.md", "skill://elsewhere/SKILL.md"):
            with pytest.raises(MCPError):
                await client.read_resource(wrong)
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["name"] == "db-slot"
    assert head["description"].startswith("Slot: full. ")
    assert "It is broken." in runbook
    skill = SkillBook(app.knowledge.library()).skill("db-slot", "workspace/runbooks/db/slot.md", "Slot: full")
    manifest = skill.entry()["resources"]
    assert [one["digest"] for one in manifest] == [
        f"sha256:{hashlib.sha256(one.encode()).hexdigest()}" for one in (text, runbook)
    ]


async def test_names_keep_to_the_rules_whatever_files_are_called(app: Application):
    folder = app.workspace.root / "books" / "runbooks"
    for name in (f"{'very-long-' * 9}.md", "Ünïcode & more!.md", "db--slot.md", "日本.md"):
        (folder / name).write_text(PAGE.format(title="X"))
    found = names(app)
    assert len(found) == 5
    assert all(len(one) <= 64 and one.strip("-") == one and "--" not in one and one.isascii() for one in found)

"""The engine's tools in one process, as an assistant calls them: nothing is made, and no sandbox runs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine_person import SHOP
from prov_server import compose
from prov_server.compose import Application
from provisioning.errors import PlanSpentError, StalePlanError
from stratumops import settings
from stratumops.errors import InvalidInputError, NotFoundError
from stratumops.principal import LOCAL
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio
ROWS = 3


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Application]:
    """An application whose engine is a sandbox's, with few rows in an answer."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "main.ncl").write_text(SHOP, encoding="utf-8")
    chosen = settings.load(folder, engine={"provider": "sandbox"}, limits={"max_rows": ROWS})
    made = compose.build(Workspace.at(folder), chosen)
    yield made
    await made.aclose()


async def call(app: Application, name: str, face: Any = "mcp", **arguments: Any) -> Any:
    return await app.call(name, arguments, principal=LOCAL, face=face)


async def test_an_assistant_reads_the_first_rows_and_how_many_are_left_out(app: Application):
    plan = await call(app, "plan_config", config="main.ncl")
    assert len(plan.steps) == ROWS
    assert any("2 more steps" in note or "2 " in note for note in plan.notes)
    assert set(plan.resource_links()) == {"plan", "picture"}
    assert plan.next.startswith(f"a person approves it in a terminal: prov --sandbox approve {plan.plan_id}")
    whole = await call(app, "plan_config", face="cli", config="main.ncl")
    assert len(whole.steps) == 5
    assert whole.resource_links() == {}


@pytest.mark.parametrize(
    "arguments",
    [{}, {"back_to": "1", "destroy": True}, {"back_to": "1", "config": "main.ncl"}, {"config": "{ servers = 3 }"}],
)
async def test_a_wish_that_says_nothing_or_two_things_is_refused(app: Application, arguments: dict[str, Any]):
    with pytest.raises(InvalidInputError):
        await call(app, "plan_config", **arguments)


async def test_addresses_that_are_nowhere_are_named(app: Application):
    with pytest.raises(NotFoundError, match=r"server\.none"):
        await call(app, "plan_config", config="main.ncl", only=["server.none", "server.web"])
    with pytest.raises(NotFoundError, match=r"server\.none"):
        await call(app, "plan_config", destroy=True, only=["server.none"])


async def test_only_what_is_named_and_what_it_stands_on_is_planned(app: Application):
    plan = await call(app, "plan_config", face="cli", config="main.ncl", only=["server.web"])
    assert len(plan.steps) == 4
    assert not any("bucket" in step for step in plan.steps)


async def test_a_plan_made_of_a_text_has_no_file_that_could_change(app: Application):
    plan = await call(app, "plan_config", config=SHOP)
    waiting = await call(app, "apply_plan", plan_id=plan.plan_id, wait=0)
    assert waiting.status in {"queued", "waiting_for_approval"}
    assert (await call(app, "operation_status")).operation == waiting.operation
    await call(app, "operation_status", operation=waiting.operation, action="cancel")
    engine = await app.engine()
    ended = await engine.wait(waiting.operation, 20, _silent)
    assert ended.operation.status == "cancelled"


async def test_a_plan_whose_file_changed_is_refused_with_the_difference_and_no_secret(app: Application):
    file = app.workspace.root / "main.ncl"
    plan = await call(app, "plan_config", config="main.ncl")
    file.write_text(SHOP.replace("t3.micro", "t3.small").replace('"shop-invoices"', '"shop-other"'), encoding="utf-8")
    for name, arguments in (("apply_plan", {"plan_id": plan.plan_id, "wait": 0}),
                            ("execute_workflow", {"workflow_id": plan.plan_id, "dry_run": False})):  # fmt: skip
        with pytest.raises(StalePlanError, match=r"servers\[web\]\.plan: t3\.micro -> t3\.small") as caught:
            await call(app, name, **arguments)
        assert caught.value.details["differences"]
    file.write_text("{ servers = ", encoding="utf-8")
    with pytest.raises(StalePlanError, match="cannot be read any more"):
        await call(app, "apply_plan", plan_id=plan.plan_id, wait=0)
    file.write_text("# the same\n" + SHOP, encoding="utf-8")
    shown = await call(app, "execute_workflow", workflow_id=plan.plan_id)
    assert shown.operation is None


async def test_a_plan_of_nothing_cannot_be_applied(app: Application):
    plan = await call(app, "plan_config", destroy=True)
    assert plan.next == "nothing to apply"
    with pytest.raises(InvalidInputError, match="nothing to do"):
        await call(app, "apply_plan", plan_id=plan.plan_id, wait=0)


async def test_a_denied_plan_is_spent(app: Application):
    from provisioning.approval.document import Seat

    plan = await call(app, "plan_config", config="main.ncl")
    engine = await app.engine()
    stored, _ = await engine.find_plan(plan.plan_id)
    (await engine.approvals()).deny(stored, Seat("ana", "here", "/dev/pts/1"), "too dear")
    with pytest.raises(PlanSpentError, match="too dear"):
        await call(app, "apply_plan", plan_id=plan.plan_id, wait=0)


async def test_what_is_recorded_is_read_by_every_tool_also_when_it_is_nothing(app: Application):
    assert (await call(app, "query_infrastructure", query="how many servers?")).rows == []
    assert "nothing is recorded yet" in " ".join((await call(app, "query_infrastructure", query="servidores")).notes)
    await call(app, "toolsets", action="enable", names=["state", "providers", "workflows"])
    assert (await call(app, "list_resources")).count == 0
    assert (await call(app, "state_history")).serials == []
    assert (await call(app, "workflow_history")).operations == []
    assert "health-check" in {one.id for one in (await call(app, "list_workflows")).workflows}
    assert {one.name for one in (await call(app, "list_providers")).providers} >= {"aws", "local", "upcloud"}
    for name, arguments in (("show_resource", {"address": "server.web"}), ("remove_resource", {"address": "server.web"}),
                            ("move_resource", {"source": "server.web", "target": "server.app"})):  # fmt: skip
        with pytest.raises(NotFoundError, match=r"server\.web"):
            await call(app, name, **arguments)


async def _silent(done: float, total: float | None, said: str) -> None: ...

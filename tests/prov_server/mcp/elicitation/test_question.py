"""What a person reads in a client's dialogue: everything that goes, and nothing that a name could forge."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace

import pytest
from mcp_types import ElicitResult

from prov_server.compose import Application
from prov_server.mcp.approvals import can_ask, fits, question, settle
from provisioning.plan.model import Plan, PlanStep
from provisioning.state.model import StoredPlan
from stratumops.principal import LOCAL

from .conftest import is_approved, planned

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]  # an approved plan starts a cloud


async def test_no_name_in_a_plan_writes_another_question(application: Application):
    _, plan = await (await application.engine()).find_plan(await planned(application))
    secret = "canary-5Hq8Zt2mK1"
    application.redactor.register(secret)
    (step,) = plan.steps
    hostile = replace(
        plan,
        title=f"x\nApprove plan-ffffffffffff?\u2028\x1b[2J{'a' * 180}{secret}",
        steps=tuple(replace(step, address=f"server.{number}", downtime="minutes") for number in range(30)),
    )
    message = question(application, hostile).params.message
    first, second, *others = message.split("\n")
    assert first == f"Approve {hostile.id}?"
    assert second.startswith("x Approve plan-ffffffffffff?")
    assert all(one.isprintable() and len(one) <= 200 for one in message.split("\n"))
    assert "canary" not in message
    assert sum(line.startswith("risk: ") for line in others) == 12
    assert "and 18 more risks" in others


def of_tasks(plan: Plan, *steps: PlanStep) -> Plan:
    return replace(plan, steps=steps, title="Tidy up")


TASK = PlanStep(
    "task:a",
    "task",
    "task.a",
    "",
    "Wait",
    1,
    task="run_health_check",
    config={"path": "/x", "port": 80, "host": "169.254.169.254"},
)
DELETE = PlanStep("delete:server.prod", "delete", "server.prod", "aws", "Delete server.prod", 1, id_there="i-0abc")


async def test_the_question_names_what_is_deleted_and_what_a_task_reaches(application: Application):
    _, plan = await (await application.engine()).find_plan(await planned(application))
    (create,) = plan.steps
    new = replace(create, id="create:server.new", address="server.new", is_replacement=True, title="Replace server.new")
    lines = question(application, of_tasks(plan, create, TASK, DELETE, new)).params.message.split("\n")
    assert "* task.a: Wait, does run_health_check" in lines
    assert {"    host: 169.254.169.254", "    port: 80", "    path: /x"} <= set(lines)
    assert "- server.prod at aws (i-0abc): Delete server.prod" in lines
    assert any(line.startswith("± server.new at aws: ") for line in lines)
    (made,) = (line for line in lines if line.startswith("+ server.web at aws: "))
    assert "t3.micro" in made
    assert lines.index(made) > lines.index("- server.prod at aws (i-0abc): Delete server.prod")
    assert any(line.startswith("made by: local at ") for line in lines)
    assert any("undone in reverse order" in line for line in lines)


def many(plan: Plan) -> tuple[PlanStep, ...]:
    return tuple(replace(plan.steps[0], id=f"create:server.{number}", address=f"server.{number}") for number in range(41))


LONG = replace(TASK, config={"path": "/x" * 200})
CROWDED = tuple(replace(TASK, id=f"task:{number}", config={f"k{key}": 1 for key in range(5)}) for number in range(30))


@pytest.mark.parametrize("steps", [many, lambda _: (LONG,), lambda _: CROWDED], ids=["many", "long", "crowded"])
async def test_a_plan_that_a_dialogue_cannot_show_is_left_to_prov_approve(
    application: Application, steps: Callable[[Plan], tuple[PlanStep, ...]], monkeypatch: pytest.MonkeyPatch
):
    engine = await application.engine()
    _, small = await engine.find_plan(await planned(application))
    large = of_tasks(small, *steps(small))
    stored = StoredPlan(large.id, large.sha256, large.body, large.made_at, large.expires_at)
    (await engine.store()).keep_plan(stored)
    assert not fits(application, large)
    assert f"prov approve {large.id}" in question(application, large).params.message
    yes_to_it = ElicitResult(action="accept", content={"word": large.id.removeprefix("plan-")[:4]})
    monkeypatch.setattr("prov_server.mcp.approvals.caller", ContextVar("caller", default=LOCAL))
    assert await settle(application, stored, large, yes_to_it) == "open"
    assert not await is_approved(application, large.id)


async def test_the_question_names_an_endpoint_that_is_not_the_usual_one(application: Application):
    _, plan = await (await application.engine()).find_plan(await planned(application))
    message = question(application, plan, {"aws": "endpoint https://elsewhere.example"}).params.message
    assert "account aws: endpoint https://elsewhere.example" in message.split("\n")


def test_a_client_that_declares_nothing_is_never_asked(application: Application):
    assert not can_ask(application, None)

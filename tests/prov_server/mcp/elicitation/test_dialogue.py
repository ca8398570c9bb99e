"""A person approves a plan in the client's dialogue: in both eras, only where the operator lets it count, never by forgery."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import ElicitRequestFormParams, ElicitResult, InputRequiredResult
from tests.prov_server.mcp.conftest import Connect, text_of
from tests.prov_server.mcp.task_client import PATIENCE, POLL_SECONDS, TakesTasks, ask, begun, until

from prov_server.compose import Application
from prov_server.mcp.server import ProvServer
from stratumops.principal import TOOLS, Principal
from stratumops.settings import load

from .conftest import is_approved, is_denied, planned

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]  # an approved plan starts a cloud

OTHER = '{ provider = "aws", servers = [{ name = "other", plan = "t3.micro" }] }'


class Person:
    """Answers every question in the same way, and keeps them."""

    def __init__(self, action: str = "accept", word: str | None = None) -> None:
        self.asked: list[str] = []
        self._action, self._word = action, word

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params.message)
        plan = params.message.split("?")[0].removeprefix("Approve ")
        word = self._word if self._word is not None else plan.removeprefix("plan-")[:4]
        content = {"word": word} if self._action == "accept" else None
        return ElicitResult(action=self._action, content=content)  # type: ignore[arg-type] # the action is one of three words


async def test_a_person_who_types_the_word_approves_and_the_plan_is_done(connect: Connect, application: Application):
    plan_id = await planned(application)
    person = Person()
    async with connect(elicitation_callback=person) as client:
        answer = await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 60})
        assert answer.structured_content is not None
        assert answer.structured_content["status"] == "succeeded", answer.structured_content
    (question,) = person.asked
    assert plan_id in question
    assert "1 to add" in question
    assert "USD a month" in question
    assert not await is_denied(application, plan_id)
    engine = await application.engine()
    stored, _ = await engine.find_plan(plan_id)
    (approval,) = (await engine.store()).approvals(stored.sha256)
    assert (approval.way, approval.approver) == ("elicitation", "local")


async def test_the_question_is_the_same_for_the_same_plan(connect: Connect, application: Application):
    plan_id = await planned(application)
    person = Person("cancel")
    async with connect(elicitation_callback=person) as client:
        for _ in range(2):
            await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 0})
    assert len(person.asked) == 2
    assert len(set(person.asked)) == 1


@pytest.mark.parametrize(("action", "word"), [("cancel", None), ("accept", ""), ("accept", "ffff0"), ("accept", "yes")])
async def test_another_word_or_a_closed_dialogue_leaves_it_open(
    connect: Connect, application: Application, action: str, word: str | None
):
    plan_id = await planned(application)
    async with connect(elicitation_callback=Person(action, word)) as client:
        answer = (await client.call_tool("apply_plan", {"plan_id": plan_id})).structured_content
    assert answer is not None
    assert answer["status"] in {"queued", "waiting_for_approval"}
    assert "did not approve" in answer["said"]
    assert not await is_approved(application, plan_id)
    assert not await is_denied(application, plan_id)


async def test_a_person_who_declines_denies_the_plan_for_good(connect: Connect, application: Application):
    plan_id = await planned(application)
    async with connect(elicitation_callback=Person("decline")) as client:
        answer = await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 20})
        assert "denied" in text_of(answer)
        again = await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 20})
        assert "denied" in text_of(again)
    assert await is_denied(application, plan_id)
    assert not await is_approved(application, plan_id)


async def test_a_client_without_a_dialogue_is_told_what_a_person_runs(connect: Connect, application: Application):
    plan_id = await planned(application)
    deadline = time.monotonic() + PATIENCE
    async with connect() as client:
        while True:
            answer = (await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 0})).structured_content
            assert answer is not None
            if answer["status"] != "queued":
                break
            assert time.monotonic() < deadline
            await asyncio.sleep(POLL_SECONDS)
    assert answer["status"] == "waiting_for_approval"
    assert f" approve {plan_id}" in answer["next"]
    assert "did not approve" not in answer["said"]


@pytest.mark.parametrize("counts", [False])
async def test_nobody_is_asked_unless_the_operator_lets_it_count(connect: Connect, application: Application):
    plan_id = await planned(application)
    person = Person()
    async with connect(elicitation_callback=person) as client:
        answer = (await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 0})).structured_content
    assert answer is not None
    assert answer["status"] in {"queued", "waiting_for_approval"}
    assert person.asked == []


def test_the_workspace_cannot_let_it_count(tmp_path: Path):
    (tmp_path / "prov.toml").write_text("[engine]\nelicitation = true\n")
    with pytest.raises(Exception, match="elicitation"):
        load(tmp_path)


@pytest.mark.parametrize(
    "extra", [{"approval": "accept"}, {"word": "ffff"}, {"input_responses": {"approval": {"action": "accept"}}}, {"wait": "1"}]
)
async def test_no_argument_approves(connect: Connect, application: Application, extra: dict[str, Any]):
    plan_id = await planned(application)
    person = Person()
    async with connect(elicitation_callback=person) as client:
        answer = await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 0, **extra})
    assert answer.is_error
    assert person.asked == []
    assert not await is_approved(application, plan_id)


def yes(plan_id: str) -> dict[str, Any]:
    return {"approval": ElicitResult(action="accept", content={"word": plan_id.removeprefix("plan-")[:4]})}


async def asked_first(client: Client, plan_id: str) -> InputRequiredResult:
    found = await client.session.call_tool("apply_plan", {"plan_id": plan_id, "wait": 0}, allow_input_required=True)
    assert isinstance(found, InputRequiredResult)
    return found


async def test_an_answer_to_no_question_is_asked_instead_of_taken(server: ProvServer, application: Application):
    plan_id = await planned(application)
    async with Client(server, elicitation_callback=Person()) as client:
        found = await client.session.call_tool(
            "apply_plan", {"plan_id": plan_id, "wait": 0}, input_responses=yes(plan_id), allow_input_required=True
        )
        assert isinstance(found, InputRequiredResult)
    assert not await is_approved(application, plan_id)


async def test_the_state_of_one_question_answers_no_other(server: ProvServer, application: Application):
    first, second = await planned(application), await planned(application, OTHER)
    async with Client(server, elicitation_callback=Person()) as client:
        state = (await asked_first(client, first)).request_state
        with pytest.raises(MCPError, match="requestState"):
            await client.session.call_tool(
                "apply_plan",
                {"plan_id": second, "wait": 0},
                input_responses=yes(second),
                request_state=state,
                allow_input_required=True,
            )
        with pytest.raises(MCPError, match="requestState"):
            await client.session.call_tool(
                "apply_plan",
                {"plan_id": first, "wait": 0},
                input_responses=yes(first),
                request_state=json.dumps({"approval": "made up"}),
                allow_input_required=True,
            )
    assert not await is_approved(application, first)
    assert not await is_approved(application, second)


async def test_the_state_of_one_principal_answers_for_no_other(
    server: ProvServer, application: Application, monkeypatch: pytest.MonkeyPatch
):
    plan_id = await planned(application)
    async with Client(server, elicitation_callback=Person()) as client:
        state = (await asked_first(client, plan_id)).request_state
        monkeypatch.setattr("prov_server.mcp.server.LOCAL", Principal("somebody else", frozenset({TOOLS})))
        found = await client.session.call_tool(
            "apply_plan",
            {"plan_id": plan_id, "wait": 0},
            input_responses=yes(plan_id),
            request_state=state,
            allow_input_required=True,
        )
        assert isinstance(found, InputRequiredResult)
    assert not await is_approved(application, plan_id)


async def test_a_yes_after_a_no_changes_nothing(server: ProvServer, application: Application):
    plan_id = await planned(application)
    async with Client(server, elicitation_callback=Person()) as client:
        state = (await asked_first(client, plan_id)).request_state
        no: dict[str, Any] = {"approval": ElicitResult(action="decline")}
        for responses in (no, yes(plan_id)):
            answer = await client.session.call_tool(
                "apply_plan", {"plan_id": plan_id, "wait": 0}, input_responses=responses, request_state=state
            )
            assert "denied" in text_of(answer)
    assert await is_denied(application, plan_id)
    assert not await is_approved(application, plan_id)


async def test_a_client_that_cannot_be_asked_after_all_leaves_it_open(server: ProvServer, application: Application):
    plan_id = await planned(application)

    async def broken(context: Any, params: Any) -> Any:
        raise MCPError(code=-32603, message="the dialogue is broken")

    async with Client(server, mode="legacy", elicitation_callback=broken) as client:
        answer = (await client.call_tool("apply_plan", {"plan_id": plan_id})).structured_content
    assert answer is not None
    assert answer["status"] in {"queued", "waiting_for_approval"}
    assert not await is_approved(application, plan_id)


async def test_a_task_asks_and_goes_on_with_the_answer(server: ProvServer, application: Application):
    plan_id = await planned(application)
    word = plan_id.removeprefix("plan-")[:4]
    async with Client(server, elicitation_callback=Person(), extensions=[TakesTasks()]) as client:
        handle = await begun(client, "apply_plan", {"plan_id": plan_id})
        told = await until(client.session, handle["taskId"], "input_required")
        ((key, question),) = told["inputRequests"].items()
        assert plan_id in question["params"]["message"]
        assert set((await ask(client.session, "tasks/get", handle["taskId"]))["inputRequests"]) == {key}

        wrong = {key: {"action": "accept", "content": {"word": "nope"}}}
        await ask(client.session, "tasks/update", handle["taskId"], inputResponses=wrong)
        told = await ask(client.session, "tasks/get", handle["taskId"])
        (second,) = told["inputRequests"]
        assert second != key
        # Neither the name of the question nor one that was answered already.
        for forged in ("approval", key):
            right = {forged: {"action": "accept", "content": {"word": word}}}
            await ask(client.session, "tasks/update", handle["taskId"], inputResponses=right)
        for nothing in ("yes", {"action": "perhaps"}, None):
            await ask(client.session, "tasks/update", handle["taskId"], inputResponses={second: nothing})
        assert not await is_approved(application, plan_id)

        right = {second: {"action": "accept", "content": {"word": word}}}
        assert await ask(client.session, "tasks/update", handle["taskId"], inputResponses=right)
        told = await until(client.session, handle["taskId"], "completed")
        assert told["result"]["structuredContent"]["status"] == "succeeded", told


@pytest.mark.parametrize("action", ["cancel", "decline"])
async def test_a_task_does_not_ask_again_after_a_no(server: ProvServer, application: Application, action: str):
    plan_id = await planned(application)
    async with Client(server, elicitation_callback=Person(), extensions=[TakesTasks()]) as client:
        handle = await begun(client, "apply_plan", {"plan_id": plan_id})
        (key,) = (await until(client.session, handle["taskId"], "input_required"))["inputRequests"]
        await ask(client.session, "tasks/update", handle["taskId"], inputResponses={key: {"action": action}})
        if action == "cancel":
            told = await until(client.session, handle["taskId"], "working")
            assert f" approve {plan_id}" in told["statusMessage"]
            assert not await is_denied(application, plan_id)
        else:
            told = await until(client.session, handle["taskId"], "completed")
            assert told["result"]["structuredContent"]["status"] == "denied"
    assert not await is_approved(application, plan_id)


async def test_a_task_of_a_client_without_a_dialogue_just_waits(server: ProvServer, application: Application):
    plan_id = await planned(application)
    async with Client(server, extensions=[TakesTasks()]) as client:
        handle = await begun(client, "apply_plan", {"plan_id": plan_id})
        told = await ask(client.session, "tasks/get", handle["taskId"])
        assert told["status"] == "working"
        assert "inputRequests" not in told
    assert not await is_approved(application, plan_id)


async def test_nobody_is_asked_about_a_plan_that_a_dialogue_cannot_show(connect: Connect, application: Application):
    servers = ", ".join(f'{{ name = "web-{number}", plan = "t3.micro" }}' for number in range(41))
    plan_id = await planned(application, f'{{ provider = "aws", servers = [{servers}] }}')
    person = Person()
    async with connect(elicitation_callback=person) as client:
        answer = (await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 1})).structured_content
    assert answer is not None
    assert person.asked == []
    assert f" approve {plan_id}" in answer["next"]
    assert not await is_approved(application, plan_id)

"""A person approves a plan in the dialogue of the client (MCP's elicitation in form mode), where the operator lets that count.

That is the setting `engine.elicitation`: from the environment only, and off by default, because whoever controls the client can
answer for the person. The question names every step; a plan with more of them than a dialogue can show is left to `prov approve`,
which shows it whole. The person types a word that stands in the question. Accepting with the word approves; declining denies the
plan for good; closing the dialogue, or another word, leaves it open for `prov approve`.

Older clients are asked while their call waits. Newer ones (2026-07-28) are answered "input required" and call again with the
state that the server sealed: an answer counts only to the question that was asked, of the plan, of the same principal.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import ClientCapabilities, ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least

from prov_server.mcp.caller import caller, client
from stratumops.schema import Json
from stratumops.tool import ToolOutput

if TYPE_CHECKING:
    from prov_server.compose import Application
    from provisioning.plan.model import Plan, PlanStep
    from provisioning.state.model import StoredPlan

TOOL = "apply_plan"
"""The tool whose call asks."""
Outcome = Literal["approved", "denied", "open", "late"]
"""What an answer did. `late`: somebody else was quicker, or the plan's time was over."""
_SINCE = "2026-07-28"
_KEY = "approval"
_BEFORE = {"queued", "waiting_for_approval"}
"""An operation that has just been submitted is queued for a moment."""
_MOST_LINES = 12
_MOST_LINE = 200
_MOST_STEPS = 40
_MOST_TOLD = 120
"""Lines about what deletes, replaces or is a task: all of them must be there, and whole."""
_FORM: Any = {
    "type": "object",
    "properties": {"word": {"type": "string", "title": "The plan's first four digits", "maxLength": 16}},
    "required": ["word"],
}
_NOT_SAID = "the person did not approve in the client; nothing was denied either"

Run = Callable[[Json], Awaitable[ToolOutput]]
"""The tool through the application's whole chain, with these arguments."""


def can_ask(app: "Application", able: ClientCapabilities | None) -> bool:
    """Whether an answer in the client counts here, and the client can ask for one."""
    if not app.settings.engine.elicitation or able is None or able.elicitation is None:
        return False
    # An empty object is a client from before there were two modes: it has forms.
    return able.elicitation.form is not None or able.elicitation.url is None


async def with_approval(
    app: "Application", name: str, arguments: Json, context: Context[Any, Any] | None, run: Run
) -> ToolOutput | InputRequiredResult:
    """A call of a tool, asking the person first where it is `apply_plan` and its plan waits for one. Raises StratumError."""
    if name != TOOL or context is None or not can_ask(app, context.client_capabilities):
        return await run(arguments)
    hurried = at_once(arguments)
    if (said := await _resumed(app, arguments, context)) is None:
        output = await run(hurried)
        stored, plan = await (await app.engine()).find_plan(str(arguments["plan_id"]))
        if getattr(output, "status", "") not in _BEFORE or not await _lacks_approval(app, stored):
            return output if hurried == arguments else await run(arguments)
        if not fits(app, plan):
            return output if hurried == arguments else await run(arguments)
        accounts = await asyncio.to_thread(_accounts, app)
        asked = question(app, plan, accounts, command=(await app.engine()).choices.command)
        if is_version_at_least(context.protocol_version or "", _SINCE):
            state = json.dumps({_KEY: stored.sha256, "by": caller.get().subject})
            return InputRequiredResult(input_requests={_KEY: asked}, request_state=state)
        said = await settle(app, stored, plan, await _elicited(context, asked))
    if said != "open":
        return await run(arguments)
    output = await run(hurried)
    return output.model_copy(update={"said": f"{getattr(output, 'said', '')}; {_NOT_SAID}"})


def fits(app: "Application", plan: "Plan") -> bool:
    """Whether a dialogue can show every step of a plan, and whole what deletes, replaces or is a task."""
    told = [app.redactor.text(line) for step in plan.steps if _must_be_told(step) for line in _told(step)]
    return len(plan.steps) <= _MOST_STEPS and len(told) <= _MOST_TOLD and all(len(line) <= _MOST_LINE for line in told)


def question(app: "Application", plan: "Plan", accounts: Mapping[str, str] = {}, *, command: str = "prov") -> ElicitRequest:
    """What the person is asked: the same text for the same plan, without secrets.

    `accounts` says what is unusual about a provider's account, `command` is what a person types for this engine in a terminal.
    For a plan that does not fit it only says what to run instead; no answer to it approves.
    """
    from provisioning.plan.words import cost_words, origin_words, risks, summary  # noqa: PLC0415 - after the handshake

    if not fits(app, plan):
        lines = [
            f"Approve {plan.id}?",
            f"{plan.title}: {summary(plan)}",
            f"This plan is too large for this dialogue. See it whole in a terminal: {command} approve {plan.id}.",
            f"No word approves it here; declining denies {plan.id} for good.",
        ]
        message = "\n".join(_one_line(app.redactor.text(line)) for line in lines)
        return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=_FORM))
    lines = [f"Approve {plan.id}?", f"{plan.title}: {summary(plan)}", *(f"cost: {line}" for line in cost_words(plan))]
    lines += [f"{label}: {said}" for label, said in origin_words(plan, accounts) if label != "title"]
    first = [step for step in plan.steps if _must_be_told(step)]
    others = [step for step in plan.steps if not _must_be_told(step)]
    lines += [line for step in (*first, *others) for line in _told(step)]
    warned = risks(plan)
    lines += [f"risk: {line}" for line in warned[:_MOST_LINES]]
    lines += [f"and {len(warned) - _MOST_LINES} more risks" for _ in warned[_MOST_LINES : _MOST_LINES + 1]]
    lines.append(f"To approve, type the first four digits of the plan's id, behind plan-. Declining denies {plan.id} for good.")
    # Secrets first: half of one that was cut off would not be known as one.
    flat = [_one_line(app.redactor.text(line)) for line in lines]
    if any(line.endswith("…") for line in flat):
        flat.insert(-1, f"What ends in … is whole in: {command} approve {plan.id}")
    message = "\n".join(flat)
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=_FORM))


def _accounts(app: "Application") -> dict[str, str]:
    from prov_server.engine.unusual import unusual_accounts  # noqa: PLC0415 - after the handshake

    return unusual_accounts(app.engine)


def _must_be_told(step: "PlanStep") -> bool:
    return step.action in {"delete", "task"} or step.is_replacement


def _told(step: "PlanStep") -> Iterator[str]:
    """A step's line; where something could be hidden by what is cut off, a line for each of its fields too."""
    from provisioning.plan.words import (  # noqa: PLC0415 - after the handshake
        MARKS,
        field_words,
        imported_words,
        sent_words,
    )

    is_new = step.is_replacement and step.action == "create"
    at = f" at {step.provider}" if step.provider else ""
    there = f" ({step.id_there})" if step.id_there else ""
    does = f", does {step.task}" if step.task else ""
    fields = field_words(step, is_whole=_must_be_told(step))
    line = f"{'±' if is_new else MARKS[step.action]} {step.address}{at}{there}: {step.title}{does}"
    if _must_be_told(step):
        yield line
        yield from (f"    {field}" for field in fields)
    else:
        yield f"{line}; {', '.join(fields)}" if fields else line
    yield from (f"    {said}" for said in (*sent_words(step), *imported_words(step)))


async def settle(app: "Application", stored: "StoredPlan", plan: "Plan", answer: ElicitResult) -> Outcome:
    """Do what the person answered to `question`; it is audited. Raises StratumError when that cannot be written down."""
    principal, program = caller.get(), client.get()
    said = {"plan": plan.id, "action": answer.action}
    async with app.audit.watch(principal=principal.subject, face="mcp", client=program, arguments=said) as entry:
        entry.tool, entry.effect, entry.is_allowed = "answer_in_client", "record", True
        outcome = await _settled(app, stored, plan, answer)
        entry.result = outcome
    return outcome


async def _settled(app: "Application", stored: "StoredPlan", plan: "Plan", answer: ElicitResult) -> Outcome:
    from prov_server.approval.asking import word_of  # noqa: PLC0415 - after the handshake
    from provisioning.approval.document import Seat  # noqa: PLC0415 - as above
    from provisioning.errors import ApprovalDeniedError, PlanSpentError  # noqa: PLC0415 - as above

    typed = (answer.content or {}).get("word")
    is_word = isinstance(typed, str) and typed.strip().lower() == word_of(plan.id)
    is_yes = answer.action == "accept" and is_word and fits(app, plan)
    if not is_yes and answer.action != "decline":
        return "open"
    approvals = await (await app.engine()).approvals()
    person = caller.get().subject
    seat = Seat(person, socket.gethostname(), f"MCP client {_one_line(app.redactor.text(client.get())) or '(unnamed)'}")
    try:
        if is_yes:
            await asyncio.to_thread(approvals.approve_by_elicitation, stored, person, seat)
            return "approved"
        await asyncio.to_thread(approvals.deny, stored, seat, "declined in the client")
    except (ApprovalDeniedError, PlanSpentError):
        return "late"
    return "denied"


def at_once(arguments: Json) -> Json:
    """The arguments of `apply_plan` without waiting; a wait that it does not take is left for it to refuse."""
    return {**arguments, "wait": 0} if type(arguments.get("wait", 0)) is int else arguments


async def _lacks_approval(app: "Application", plan: "StoredPlan") -> bool:
    from provisioning.errors import ApprovalDeniedError, ApprovalInvalidError  # noqa: PLC0415 - after the handshake
    from stratumops.errors import ApprovalRequiredError  # noqa: PLC0415 - as above

    approvals = await (await app.engine()).approvals()
    try:
        await asyncio.to_thread(approvals.valid, plan, not_before=app.reads.last(caller.get().subject))
    except ApprovalDeniedError:
        return False
    except (ApprovalRequiredError, ApprovalInvalidError):
        return True
    return False


async def _resumed(app: "Application", arguments: Json, context: Context[Any, Any]) -> Outcome | None:
    """What became of the answer with which a call comes again; None for a call that brings no answer to its own question."""
    answer = (context.input_responses or {}).get(_KEY)
    if context.request_state is None or not isinstance(answer, ElicitResult):
        return None
    state = json.loads(context.request_state)
    stored, plan = await (await app.engine()).find_plan(str(arguments.get("plan_id", "")))
    if state != {_KEY: stored.sha256, "by": caller.get().subject}:
        return None
    return await settle(app, stored, plan, answer)


async def _elicited(context: Context[Any, Any], asked: ElicitRequest) -> ElicitResult:
    """The answer of an older client, while its call waits; a client that fails to ask has not got one."""
    params = asked.params
    assert isinstance(params, ElicitRequestFormParams)
    try:
        return await context.request_context.session.elicit_form(params.message, params.requested_schema, context.request_id)
    except (MCPError, ValueError):
        return ElicitResult(action="cancel")


def _one_line(text: str) -> str:
    """A name in a configuration cannot pretend to be another line of the question."""
    flat = "".join(one if one.isprintable() else " " for one in text)
    return flat if len(flat) <= _MOST_LINE else flat[: _MOST_LINE - 1] + "…"

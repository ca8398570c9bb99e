"""A person approves a plan in the dialogue of the client (MCP's elicitation in form mode), where the operator lets that count.

That is the setting `engine.elicitation`: from the environment only, and off by default, because whoever controls the client can
answer for the person. The person types a word that stands in the question. Accepting with the word approves; declining denies the
plan for good; closing the dialogue, or another word, leaves it open for `prov approve`.

Older clients are asked while their call waits. Newer ones (2026-07-28) are answered "input required" and call again with the
state that the server sealed: an answer counts only to the question that was asked, of the plan, of the same principal.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
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
    from provisioning.plan.model import Plan
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
        asked = question(app, plan)
        if is_version_at_least(context.protocol_version or "", _SINCE):
            state = json.dumps({_KEY: stored.sha256, "by": caller.get().subject})
            return InputRequiredResult(input_requests={_KEY: asked}, request_state=state)
        said = await settle(app, stored, plan, await _elicited(context, asked))
    if said != "open":
        return await run(arguments)
    output = await run(hurried)
    return output.model_copy(update={"said": f"{getattr(output, 'said', '')}; {_NOT_SAID}"})


def question(app: "Application", plan: "Plan") -> ElicitRequest:
    """What the person is asked: the same text for the same plan, without secrets."""
    from provisioning.plan.words import cost_words, risks, summary  # noqa: PLC0415 - after the handshake

    lines = [f"Approve {plan.id}?", f"{plan.title}: {summary(plan)}", *(f"cost: {line}" for line in cost_words(plan))]
    warned = risks(plan)
    lines += [f"risk: {line}" for line in warned[:_MOST_LINES]]
    lines += [f"and {len(warned) - _MOST_LINES} more risks" for _ in warned[_MOST_LINES : _MOST_LINES + 1]]
    lines.append(f"To approve, type the first four digits of the plan's id, behind plan-. Declining denies {plan.id} for good.")
    # Secrets first: half of one that was cut off would not be known as one.
    message = "\n".join(_one_line(app.redactor.text(line)) for line in lines)
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=_FORM))


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
    is_yes = answer.action == "accept" and isinstance(typed, str) and typed.strip().lower() == word_of(plan.id)
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
        await asyncio.to_thread(approvals.valid, plan)
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

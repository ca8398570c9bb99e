"""`prov apply`, `destroy` and `rollback`: plan, show, ask the person at this terminal, do it before their eyes."""

from typing import TYPE_CHECKING, Any

from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.commands.plan import config_argument
from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from stratumops.errors import ApprovalRequiredError

if TYPE_CHECKING:
    from prov_server.cli.engines import Opened
    from provisioning.plan.model import Plan
    from provisioning.progress import Progress
    from provisioning.state.model import StoredPlan

PLAN = "plan-"
WAIT_SECONDS = 100


def _apply(config: str, only: tuple[str, ...], approver: str, wait: bool) -> int:
    asked: dict[str, Any] = {"plan_id": config} if config.startswith(PLAN) and "." not in config else {"config": config}
    return _done({**asked, "only": list(only)}, approver, wait=wait)


def _destroy(config: str | None, only: tuple[str, ...], approver: str, wait: bool) -> int:
    return _done({"config": config, "destroy": True, "only": list(only)}, approver, wait=wait)


def _rollback(to: str | None, approver: str, wait: bool) -> int:
    return _done({"back_to": to or ""}, approver, wait=wait)


def _done(asked: dict[str, Any], approver: str, *, wait: bool) -> int:
    from prov_server.cli.engines import opened
    from prov_server.cli.views.plan import show_plan

    session = Session.current()
    with opened(session) as here:
        plan = _plan(here, asked)
        if not plan.steps:
            if session.as_json:
                session.say_json({"plan_id": plan.id, "status": "nothing"})
            else:
                show_plan(session.out, plan)
            return 0
        return carried_out(here, plan, approver, may_wait=wait)


def carried_out(here: "Opened", plan: "Plan", approver: str, *, may_wait: bool) -> int:
    """Let the person approve a plan, do it before their eyes, and say how it ended; answers the exit code."""
    from prov_server.cli.views.operation import BAD, show_end

    session = here.session
    _approve(here, plan, approver, may_wait=may_wait)
    found = _watched(here, plan)
    if session.as_json:
        session.say_json(_told(found))
    else:
        show_end(session, found)
    return int(found.operation.status in BAD)


def _plan(here: "Opened", asked: dict[str, Any]) -> "Plan":
    """The plan that is named, or a new one."""
    from prov_server.cli.configuration import read_argument

    if plan_id := asked.get("plan_id"):
        stored, plan = here.run(here.engine.find_plan(plan_id))
        if not stored.used_by:
            here.require_same_source(plan)
        return plan
    if "back_to" in asked and not asked["back_to"]:
        asked["back_to"] = here.run(here.engine.find_operation(None)).id
    arguments = {name: value for name, value in asked.items() if value}
    if "config" in arguments:
        arguments["config"] = read_argument(arguments["config"], here.session.workspace)
    output: Any = here.call("plan_config", arguments)
    found: Plan = output.whole
    return found


def _approve(here: "Opened", plan: "Plan", approver: str, *, may_wait: bool) -> None:
    """Ask the person at this terminal; where there is none, wait for somebody's approval only when that was asked for."""
    from prov_server.approval.terminal import NoTerminalError

    try:
        person_approves(here, plan.id, approver)
    except NoTerminalError:
        if not may_wait:
            raise ApprovalRequiredError(
                f"a person must approve {plan.id}, and there is nobody at a terminal here",
                hint=f"in a terminal: {here.session.command} apply {plan.id}; or --wait here until it is approved elsewhere",
                plan=plan.id,
            ) from None
        told = f"waiting until a person approves it: {here.session.command} approve {plan.id}"
        here.session.notes.print(told, soft_wrap=True)


def person_approves(here: "Opened", plan_id: str, approver: str = "") -> str:
    """Show a plan on the terminal, ask, sign; answers whose approval it is. An approval that holds already is enough.

    Raises NoTerminalError, ApprovalRequiredErrors, PlanSpentError, NotFoundError.
    """
    from prov_server.approval.asking import approve
    from provisioning.errors import ApprovalDeniedError

    approvals = here.run(here.engine.approvals())
    stored = approvals.open_plan(plan_id)
    try:
        return approvals.valid(stored).who.approver
    except ApprovalDeniedError:
        raise
    except ApprovalRequiredError:
        pass  # nobody has approved it yet, or what is there does not hold
    return approve(here.desk(), approvals, stored.id, rendered(here), approver=approver).approver


def rendered(here: "Opened") -> Any:
    """What shows a stored plan to who approves it: as `prov plan`, but whole, with who made it from what for which account."""
    from prov_server.cli.views.plan import show_plan
    from prov_server.engine.unusual import unusual_accounts
    from provisioning.plan.stale import opened as unpacked

    unusual = unusual_accounts(here.app.engine)

    def render(stored: "StoredPlan") -> str:
        from io import StringIO

        from prov_server.cli.console import console

        text = StringIO()
        show_plan(console(text, width=here.session.out.width), unpacked(stored), is_whole=True, accounts=unusual)
        return text.getvalue()

    return render


def _watched(here: "Opened", plan: "Plan") -> "Progress":
    """Do it, and show how it goes until it has ended; Ctrl-C asks it to end between two steps."""
    from prov_server.cli.live import watch
    from stratumops.principal import LOCAL

    output: Any = here.call("apply_plan", {"plan_id": plan.id, "wait": 0})
    operation = output.operation
    try:
        return here.run(watch(here.session.notes, here.engine, operation))
    except KeyboardInterrupt:
        after = "is taken back" if plan.rolls_back_on_failure else "stays"
        here.session.notes.print(Text(f"ending after the steps that run now; what was done {after}", "warning"), soft_wrap=True)
        here.run(here.engine.cancel(operation, by=LOCAL.subject, rolls_back=plan.rolls_back_on_failure))
        return here.run(watch(here.session.notes, here.engine, operation))


def _told(found: "Progress") -> dict[str, Any]:
    from prov_tools.engine.operations import answered
    from stratumops.schema import compact_dump

    return compact_dump(answered(found))


def _options() -> list[Any]:
    return [
        RichOption(["--only"], multiple=True, metavar="ADDRESS", help="Touch only this, and what it stands on; may be repeated"),
        *person_options(),
    ]


def person_options() -> list[Any]:
    """Options of every command that asks for an approval."""
    return [
        RichOption(["--as", "approver"], default="", metavar="NAME", help="Which of your approver keys signs"),
        RichOption(
            ["--wait"], is_flag=True, default=False, help="Where there is no terminal: wait until somebody approves elsewhere"
        ),
    ]


apply = Command(
    "apply",
    callback=_apply,
    params=[
        RichArgument(["config"], required=True, metavar="FILE|PLAN", help="A configuration, or the id of a plan that was made"),
        *_options(),
    ],
    help="Make machines be as a configuration says: plan, show, ask you, do it. A crash or a lost connection loses nothing.",
)
destroy = Command(
    "destroy",
    callback=_destroy,
    params=[config_argument(), *_options()],
    help="Delete what a configuration describes, or everything that is recorded; after it was shown and you approved.",
)
rollback = Command(
    "rollback",
    callback=_rollback,
    params=[
        RichArgument(["to"], required=False, metavar="OPERATION|SERIAL", help="What to undo; the newest operation when left out"),
        *person_options(),
    ],
    help="Go back to what was before an operation, or to an older serial: a plan like any other, shown and approved.",
)

"""`prov workflow run`, `cancel` and `resume`: a workflow as a person runs it, and operations that are under way."""

from typing import TYPE_CHECKING, Any

import click
from rich_click import RichArgument, RichOption

from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from stratumops.errors import InvalidInputError

if TYPE_CHECKING:
    from provisioning.plan.model import Plan


def _run(workflow_id: str, parameters: tuple[str, ...], dry_run: bool, approver: str, wait: bool) -> int:
    from prov_server.cli.commands.apply import carried_out
    from prov_server.cli.engines import opened
    from prov_server.cli.views.plan import show_plan
    from stratumops.schema import compact_dump

    session = Session.current()
    given = dict(_pair(word) for word in parameters)
    with opened(session) as here:
        output: Any = here.call("execute_workflow", {"workflow_id": workflow_id, "parameters": given})
        plan: Plan = output.whole
        if dry_run or not plan.steps:
            if session.as_json:
                session.say_json(compact_dump(output))
            else:
                show_plan(session.out, plan)
            return 0
        return carried_out(here, plan, approver, may_wait=wait)


def _act(action: str, operation: str) -> int:
    from prov_server.cli.generated import run_tool
    from prov_tools.engine.operations import operation_status

    return run_tool(operation_status, {"operation": operation, "action": action})


def _cancel(operation: str, rollback: bool) -> int:
    if not rollback:
        return _act("cancel", operation)
    from prov_server.cli.engines import opened
    from stratumops.principal import LOCAL

    session = Session.current()
    with opened(session) as here:
        found = here.run(here.engine.find_operation(operation))
        here.run(here.engine.cancel(found.id, by=LOCAL.subject, rolls_back=True))
    return _act("status", operation)


def _resume(operation: str | None) -> int:
    from prov_server.cli.engines import opened
    from prov_server.cli.live import watch
    from prov_server.cli.views.operation import BAD, show_end

    session = Session.current()
    with opened(session) as here:
        found = here.run(here.engine.find_operation(operation))
        here.run(here.engine.resume(found.id))
        ended = here.run(watch(session.notes, here.engine, found.id))
        show_end(session, ended)
        return int(ended.operation.status in BAD)


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise InvalidInputError(f"{word[:60]!r} is no parameter", hint="write NAME=VALUE, such as --set size=large")
    return name, value


def workflow_commands() -> list[click.Command]:
    """The commands of `prov workflow` that are for people; the tools join them."""
    from prov_server.cli.commands.apply import person_options

    operation = RichArgument(["operation"], metavar="OPERATION", help="Its id, or the beginning of it")
    newest = RichArgument(["operation"], required=False, metavar="OPERATION", help="Its id; the newest when left out")
    back = RichOption(["--rollback"], is_flag=True, default=False, help="Take back what was done")
    return [
        Command(
            "run",
            callback=_run,
            params=[
                RichArgument(["workflow_id"], metavar="WORKFLOW", help="Its id: `prov workflow list` shows them"),
                RichOption(["--set", "parameters"], multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated"),
                RichOption(["--dry-run"], is_flag=True, default=False, help="Only show what it would do"),
                *person_options(),
            ],
            help="Run a workflow: it is shown, you approve, and its steps run before your eyes.",
        ),
        Command("cancel", callback=_cancel, params=[operation, back], help="End an operation after the steps that run now."),
        Command("resume", callback=_resume, params=[newest], help="Go on with an operation whose process died."),
    ]

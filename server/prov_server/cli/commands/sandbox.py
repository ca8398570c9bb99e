"""`prov sandbox`: the cloud on this machine, in which everything can be tried with no account."""

from typing import Any

from rich.text import Text

from prov_server.cli.groups import Command, Group
from prov_server.cli.session import Session


def _sandbox(session: Session) -> Any:
    from prov_server.engine.access import SANDBOX
    from provisioning.providers.sandbox.process import Sandbox

    return Sandbox(session.workspace.make_own() / SANDBOX)


def _status() -> None:
    session = Session.current()
    running = _sandbox(session).status()
    if session.as_json:
        session.say_json({"running": running is not None, "endpoint": running.url if running else None})
    elif running is None:
        session.out.print("the sandbox does not run; `prov --sandbox plan FILE` starts it")
    else:
        session.out.print(Text.assemble(("running", "good"), f" at {running.url}, process {running.pid}"))


def _start() -> None:
    session = Session.current()
    endpoint = _sandbox(session).ensure()
    if session.as_json:
        session.say_json({"running": True, "endpoint": endpoint})
    else:
        session.out.print(Text.assemble(("running", "good"), f" at {endpoint}"))
        session.notes.print("Everything in it is gone when it stops; it is made of moto, and no request leaves this machine.")


def _stop() -> None:
    session = Session.current()
    was_running = _sandbox(session).stop()
    if session.as_json:
        session.say_json({"stopped": was_running})
    else:
        session.out.print("stopped, and everything in it is gone" if was_running else "it did not run")


def sandbox_group() -> Group:
    """`prov sandbox`."""
    return Group(
        "sandbox",
        commands=[
            Command("status", callback=_status, help="Say whether the sandbox runs, and where."),
            Command("start", callback=_start, help="Start the sandbox; `prov --sandbox ...` does it by itself."),
            Command("stop", callback=_stop, help="Stop the sandbox; everything in it is gone."),
        ],
        help="The cloud on this machine: try everything with no account",
    )

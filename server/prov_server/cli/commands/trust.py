"""`prov trust`: a person looks at a `.prov` that came from elsewhere, and takes it over."""

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from stratumops.errors import ApprovalRequiredError, ConflictError, NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from pathlib import Path

    from prov_server.compose import Application
    from provisioning.approval.trust import Trust

_WARNING = (
    "Whoever made it may have chosen the accounts, where credentials are sent, who may approve, and what is recorded.\n"
    "Take it over only when it is yours, or of somebody to whom you would give your credentials."
)


def _trust() -> None:
    from prov_server.cli.engines import opened
    from prov_server.engine.adoption import Adoption

    session = Session.current()
    own = session.workspace.own
    if not own.exists():
        raise NotFoundError(f"there is no {own}: nothing to take over", hint="`prov init` makes a workspace")
    adoption = Adoption.of_user(own, os.environ)
    unseen = _unseen(own)
    is_needed = bool(unseen) or not adoption.is_ours
    if is_needed:
        adoption.require_our_files()
        found = _asked(own)
        with opened(session) as here:
            here.run(_audited(here.app, found))
        for trust in unseen:
            trust.accept()
        adoption.take_over()
    if session.as_json:
        session.say_json({"folder": str(own), "adopted": is_needed})
    elif is_needed:
        session.out.print(Text.assemble(("adopted", "good"), f" {visible(str(own))}"), soft_wrap=True)
    else:
        session.out.print(f"{visible(str(own))} is yours already", soft_wrap=True)


def _unseen(own: "Path") -> list["Trust"]:
    """The lists of approvers there that this user never saw; one that is no list is refused by whoever reads it."""
    from prov_server.engine.foreign import STATES, list_of_approvers
    from provisioning.approval.errors import NotAdoptedError
    from provisioning.approval.pins import Pins

    found = []
    for place, _ in STATES:
        with suppress(ValueError, PermissionDeniedError):
            if (trust := list_of_approvers(own / place, Pins.of_user(os.environ))) is not None:
                try:
                    trust.entries()
                except NotAdoptedError:
                    found.append(trust)
    return found


def _asked(own: "Path") -> list[str]:
    """Show what is there and have a word of it typed; answers what was shown. Raises NoTerminalError, ApprovalRequiredError."""
    from prov_server.approval.terminal import Terminal
    from prov_server.engine.foreign import described

    with Terminal() as terminal:
        found = described(own)
        terminal.show(
            "\n".join([f"{own} was not made by you on this machine. It holds:", *(f"  {one}" for one in found), _WARNING])
        )
        word = hashlib.sha256("\n".join(found).encode("utf-8", "surrogatepass")).hexdigest()[:4]
        if terminal.ask(f"Type {word} to take it over: ").strip().lower() != word:
            raise ApprovalRequiredError("that is not the word: nothing was taken over", hint="run the command again")
    if described(own) != found:
        raise ConflictError("it changed while you were asked: nothing was taken over", hint="look again: prov trust")
    return found


async def _audited(app: "Application", found: list[str]) -> None:
    from stratumops.principal import LOCAL

    arguments = {"folder": str(app.workspace.own), "found": found}
    async with app.audit.watch(principal=LOCAL.subject, face="cli", client="", arguments=arguments) as entry:
        entry.tool, entry.effect, entry.is_allowed = "approval:workspace_adopted", "record", True


trust = Command(
    "trust",
    callback=_trust,
    help="Take over a workspace whose .prov came from elsewhere: it shows what is in there, and you type a word of it.",
)

"""How a person's command uses the engine: one application for all that it does, between which a person may be asked."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from prov_server.cli.session import Session

if TYPE_CHECKING:
    from prov_server.approval.asking import Desk
    from prov_server.approval.events import ApprovalEvent
    from prov_server.compose import Application
    from provisioning.engine import Engine
    from provisioning.plan.model import Plan
    from stratumops.tool import ToolOutput

T = TypeVar("T")


@dataclass(frozen=True)
class Opened:
    """An application, and the event loop that it belongs to; a person is asked outside of it."""

    session: Session
    app: "Application"
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What some work answers. Raises StratumError."""
        return self.runner.run(work)

    def desk(self) -> "Desk":
        """This person's approver keys; what happens with them goes into the audit."""
        from prov_server.approval.asking import Desk

        return Desk.of_user(os.environ, self.session.workspace.root, self._audited)

    def _audited(self, event: "ApprovalEvent") -> None:
        from stratumops.principal import LOCAL

        async def keep() -> None:
            audit = self.app.audit
            async with audit.watch(principal=LOCAL.subject, face="cli", client="", arguments=event.as_dict()) as entry:
                entry.tool, entry.effect, entry.is_allowed = f"approval:{event.kind}", "record", True

        self.run(keep())

    @property
    def engine(self) -> "Engine":
        """The workspace's engine. Raises StratumErrors of its state."""
        return self.run(self.app.engine())

    def require_same_source(self, plan: "Plan") -> None:
        """Raises StalePlanError when the file that a plan was made from says something else now."""
        from prov_tools.engine.source import require_same_source

        self.run(require_same_source(plan, nickel=self.app.nickel, workspace=self.app.workspace))

    def call(self, tool: str, arguments: dict[str, Any]) -> "ToolOutput":
        """Call a tool through the chain, with a progress bar. Raises StratumError."""
        from prov_server.cli.progress import Progress
        from stratumops.principal import LOCAL

        async def work() -> "ToolOutput":
            with Progress(self.session.notes) as progress:
                return await self.app.call(tool, arguments, principal=LOCAL, face="cli", report=progress.report)

        return self.run(work())


@contextmanager
def opened(session: Session) -> Iterator[Opened]:
    """The application, closed at the end: what runs durably goes on when it is resumed."""
    from prov_server import compose
    from prov_server.redaction import process_redactor

    app = compose.build(session.workspace, session.settings(), redactor=process_redactor(), notify=session.tell)
    with asyncio.Runner() as runner:
        try:
            yield Opened(session, app, runner)
        finally:
            runner.run(app.aclose())

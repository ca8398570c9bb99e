"""The one place where the parts are put together: settings in, an `Application` out. Every face calls tools through it."""

import asyncio
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from prov_gen.nickel import Limits, Nickel, NickelSource
from prov_server.links import Limit, Observe, Offered
from prov_server.measure import Metrics
from prov_server.toolsets import PrincipalToolsets, ToolsetSwitches
from prov_tools.context import Context, Defaults, Report, silent
from prov_tools.registry import REGISTRY
from stratumops.errors import InvalidInputError, UnavailableError
from stratumops.middleware import Call, Proceed, chain
from stratumops.registry import Registry, Selection
from stratumops.settings import Settings
from stratumops.tool import Tool, ToolOutput
from stratumops.workspace import Workspace

READY_SECONDS = 5.0


def utc_today() -> date:
    """Today in UTC, so that a server and its users agree wherever they are."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Application:
    """Everything that runs behind the faces. `call` is the only way to a tool."""

    workspace: Workspace
    settings: Settings
    registry: Registry[Context]
    nickel: Nickel
    switches: ToolsetSwitches
    metrics: Metrics
    proceed: Proceed[Context]

    async def call(
        self, name: str, arguments: dict[str, Any], *, principal: str, face: str, report: Report = silent
    ) -> ToolOutput:
        """Run a tool through the chain. Raises StratumError and nothing else (but cancellation)."""
        ctx = Context(
            workspace=self.workspace,
            nickel=self.nickel,
            toolsets=PrincipalToolsets(self.switches, principal),
            today=utc_today,
            defaults=Defaults(
                provider=self.settings.generation.provider,
                environment=self.settings.generation.environment,
                max_findings=self.settings.validation.max_findings,
                monthly_budget=self.settings.validation.monthly_budget,
            ),
            report=report,
        )
        return await self.proceed(Call(self.registry[name], arguments, ctx, principal, face))

    def offered(self, principal: str) -> list[Tool[Any, Any, Any]]:
        """The tools that this principal sees."""
        return self.switches.offered(principal)

    async def ready(self) -> None:
        """Raises StratumError (UnavailableError) while the application cannot do its main job: evaluate a configuration."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.nickel.evaluate(NickelSource("{}"))
        except TimeoutError:
            raise UnavailableError("the Nickel workers do not answer", hint="`prov mcp doctor` says why") from None

    async def aclose(self) -> None:
        """End the workers."""
        await self.nickel.aclose()


def _nickel_program(setting: str) -> Path | None:
    """The setting `nickel.program` as a path: empty is the bundled evaluator, a bare name is looked up on PATH."""
    if not setting:
        return None
    found = shutil.which(Path(setting).expanduser())
    if found is None:
        raise InvalidInputError(
            f"nickel.program: there is no program {setting!r}",
            hint="give its path, or leave the setting out to use the bundled one",
        )
    return Path(found).resolve()


def build(workspace: Workspace, settings: Settings, *, registry: Registry[Context] = REGISTRY) -> Application:
    """An application for a workspace. Starts nothing: workers start on first use or with `nickel.warm()`."""
    names = settings.mcp.toolsets
    initial = Selection() if not names else Selection(defaults=False, whole=registry.expand(names))
    switches = ToolsetSwitches(registry, initial, settings.mcp.read_only)
    metrics = Metrics()
    limits = settings.limits
    return Application(
        workspace=workspace,
        settings=settings,
        registry=registry,
        nickel=Nickel(
            limits=Limits(memory_bytes=settings.nickel.memory_megabytes << 20, deadline_seconds=settings.nickel.deadline_seconds),
            size=settings.nickel.workers,
            program=_nickel_program(settings.nickel.program),
        ),
        switches=switches,
        metrics=metrics,
        proceed=chain(
            [
                Observe(metrics),
                Offered(switches),
                Limit(limits.max_argument_bytes, limits.max_concurrent_calls, limits.call_timeout_seconds),
            ]
        ),
    )

"""The one place where the parts are put together: settings in, an `Application` out. Every face calls tools through it."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from prov_gen.nickel import Limits, Nickel
from prov_server.links import Limit, LimitSize, Observe, Offered
from prov_server.measure import Metrics
from prov_server.prices import Prices
from prov_server.reports import PrincipalReports, ReportStore
from prov_server.toolsets import FixedToolsets, PrincipalToolsets, ToolsetSwitches
from prov_tools.context import Context, Defaults
from prov_tools.cost import LazyPricer
from prov_tools.registry import REGISTRY
from stratumops.errors import InvalidInputError, UnavailableError
from stratumops.middleware import Call, Face, Proceed, chain, validate
from stratumops.principal import Principal
from stratumops.progress import Report, silent
from stratumops.registry import Registry, Selection
from stratumops.settings import Settings
from stratumops.tool import Tool, ToolOutput
from stratumops.workspace import Workspace

READY_SECONDS = 5.0
MAX_LISTING = 10_000
"""Entries of folders that are looked at to tell a client what there is; it asks with every letter that a person types."""


def utc_today() -> date:
    """Today in UTC, so that a server and its users agree wherever they are."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Application:
    """Everything that runs behind the faces. `call` is the only way to a tool, `read_config` the only one to a file.

    Whoever wants to know that a principal's offered tools changed appends to `on_tools_changed`.
    """

    workspace: Workspace
    settings: Settings
    registry: Registry[Context]
    nickel: Nickel
    switches: ToolsetSwitches
    metrics: Metrics
    observe: Observe
    proceed: Proceed[Context]
    prices: Prices
    reports: ReportStore = field(default_factory=ReportStore)
    on_tools_changed: list[Callable[[Principal], Awaitable[None]]] = field(default_factory=list)

    async def call(
        self, name: str, arguments: dict[str, Any], *, principal: Principal, face: Face, report: Report = silent
    ) -> ToolOutput:
        """Run a tool through the chain. Raises StratumError and nothing else (but cancellation)."""
        toolsets = (FixedToolsets if face == "cli" else PrincipalToolsets)(self.switches, principal)
        ctx = Context(
            workspace=self.workspace,
            nickel=self.nickel,
            toolsets=toolsets,
            today=utc_today,
            principal=principal,
            defaults=Defaults(
                provider=self.settings.generation.provider,
                environment=self.settings.generation.environment,
                max_findings=self.settings.validation.max_findings,
                # A person's table and a program's JSON hold everything; what an assistant reads costs tokens.
                max_rows=self.settings.limits.max_rows if face == "mcp" else 0,
                max_characters=self.settings.limits.max_characters if face == "mcp" else 0,
                monthly_budget=self.settings.validation.monthly_budget,
            ),
            prices=self.prices,
            report=report,
            pricer=LazyPricer(self.prices, utc_today),
            # Only an MCP client can read resources.
            reports=PrincipalReports(self.reports, principal) if face == "mcp" else None,
        )
        with self.observe.watch(face) as observed:
            tool = self.registry[name]
            observed.tool = tool.name
            output = await self.proceed(Call(tool, arguments, None, ctx, principal, face))
        if toolsets.changed:
            for tell in self.on_tools_changed:
                await tell(principal)
        return output

    def offered(self, principal: Principal) -> list[Tool[Any, Any, Any]]:
        """The tools that this principal sees."""
        return self.switches.offered(principal)

    async def read_config(self, path: str, principal: Principal) -> str:  # noqa: ARG002 - for policy and audit, which come here
        """The text of a configuration file, for a caller that reads it as it is. Raises as `Workspace.read_text`."""
        return await asyncio.to_thread(self.workspace.read_text, path)

    async def config_paths(self, principal: Principal, limit: int) -> list[str]:  # noqa: ARG002 - as above
        """Up to `limit` paths that `read_config` takes, relative to the workspace, sorted."""
        files = await asyncio.to_thread(self.workspace.readable_files, limit, max_visited=MAX_LISTING)
        return [path.relative_to(self.workspace.root).as_posix() for path in files]

    async def read_report(self, path: str, principal: Principal) -> str:
        """The whole of an answer that this principal got. Raises NotFoundError."""
        return await asyncio.to_thread(self.reports.read, principal, path)

    async def ready(self) -> None:
        """Raises StratumError (UnavailableError) while the application cannot do its main job: evaluate a configuration."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.nickel.ready()
        except TimeoutError:
            raise UnavailableError("the Nickel workers do not answer", hint="`prov mcp doctor` says why") from None

    async def aclose(self) -> None:
        """End the workers."""
        await self.nickel.aclose()


def nickel_program(setting: str) -> Path | None:
    """The setting `nickel.program` as a path: empty is the bundled evaluator, a bare name is looked up on PATH.

    Raises InvalidInputError for a relative path (whose meaning would depend on where the server was started) and for what
    is no program.
    """
    if not setting:
        return None
    given = Path(setting)
    if os.sep in setting and not given.is_absolute() and not setting.startswith("~"):
        raise InvalidInputError(
            f"nickel.program: {setting!r} is a relative path", hint="give an absolute one (~ is your home folder), or a bare name"
        )
    try:
        found = shutil.which(given.expanduser())
    except (RuntimeError, ValueError):
        found = None
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
    observe = Observe(metrics)
    limits = settings.limits
    return Application(
        workspace=workspace,
        settings=settings,
        registry=registry,
        nickel=Nickel(
            limits=Limits.of(
                memory_megabytes=settings.nickel.memory_megabytes, deadline_seconds=settings.nickel.deadline_seconds
            ),
            size=settings.nickel.workers,
            program=nickel_program(settings.nickel.program),
        ),
        switches=switches,
        metrics=metrics,
        observe=observe,
        prices=Prices(workspace),
        proceed=chain(
            [
                Offered(switches),
                LimitSize(limits.max_argument_bytes),
                validate,
                Limit(limits.max_concurrent_calls, limits.call_timeout_seconds),
            ]
        ),
    )

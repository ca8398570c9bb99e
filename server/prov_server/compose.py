"""The one place where the parts are put together: settings in, an `Application` out. Every face calls tools through it."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from prov_gen.nickel import Limits, Nickel
from prov_server.audit import Admitted, Audit
from prov_server.audit.trail import Trail
from prov_server.engine.access import EngineAccess
from prov_server.knowledge.access import KnowledgeAccess
from prov_server.knowledge.executions import Executions
from prov_server.knowledge.reads import Reads
from prov_server.links import Limit, LimitSize, Observe, Offered
from prov_server.measure import Metrics
from prov_server.output_redaction import clean_output
from prov_server.prices import Prices
from prov_server.redaction import clean_error, clean_json, clean_report
from prov_server.reports import PrincipalReports, ReportStore
from prov_server.toolsets import FixedToolsets, PrincipalToolsets, ToolsetSwitches
from prov_server.vault.access import VaultAccess
from prov_tools.context import Context, Defaults
from prov_tools.cost import LazyPricer
from prov_tools.registry import REGISTRY
from stratumops.errors import InvalidInputError, PermissionDeniedError, StratumError, UnavailableError
from stratumops.middleware import Call, Face, Proceed, chain, validate
from stratumops.principal import Principal
from stratumops.progress import Report, silent
from stratumops.redact import Redactor
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
    vault: VaultAccess
    engine: EngineAccess
    knowledge: KnowledgeAccess
    reads: Reads
    """When each principal last saw somebody else's words; approvals given before allow nothing more."""
    redactor: Redactor
    """What it knows never leaves through a face. Whoever resolves a secret registers it here."""
    audit: Audit
    reports: ReportStore = field(default_factory=ReportStore)
    on_tools_changed: list[Callable[[Principal], Awaitable[None]]] = field(default_factory=list)

    async def call(
        self,
        name: str,
        arguments: dict[str, Any],
        *,
        principal: Principal,
        face: Face,
        client: str = "",
        report: Report = silent,
    ) -> ToolOutput:
        """Run a tool through the chain. Raises StratumError and nothing else (but cancellation).

        `client` is the program that calls, as it names itself. No answer, error or progress holds a secret.
        """
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
            vault=self.vault,
            engine=self.engine,
            library=self.knowledge.library,
            knowledge=self.knowledge.graph,
            report=clean_report(self.redactor, report),
            pricer=LazyPricer(self.prices, utc_today),
            # Only an MCP client can read resources.
            reports=PrincipalReports(self.reports, principal) if face == "mcp" else None,
        )
        with self.observe.watch(face) as observed:
            async with self.audit.watch(principal=principal.subject, face=face, client=client, arguments=arguments) as entry:
                try:
                    tool = self.registry[name]
                    observed.tool, entry.tool, entry.effect = tool.name, tool.name, tool.effect
                    output = await self.proceed(Call(tool, arguments, None, ctx, principal, face))
                except StratumError as error:
                    clean_error(self.redactor, error)
                    raise
                # Before the answer leaves: what comes after it is done by somebody who has read it. People judge themselves.
                if face != "cli" and output.holds_retrieved_text():
                    await asyncio.to_thread(self.reads.note, principal)
                output, entry.result = clean_output(self.redactor, output, shows_hidden=face == "cli")
        if toolsets.changed:
            for tell in self.on_tools_changed:
                await tell(principal)
        return output

    def offered(self, principal: Principal) -> list[Tool[Any, Any, Any]]:
        """The tools that this principal sees."""
        return self.switches.offered(principal)

    async def read_config(self, path: str, principal: Principal, client: str = "") -> str:
        """The text of a configuration file without secrets, for a client's person. Raises as `Workspace.read_text`."""
        return await self._read("read_config", self.workspace.read_text, path, principal, client)

    async def config_paths(self, principal: Principal, limit: int) -> list[str]:  # noqa: ARG002 - for policy, which comes here
        """Up to `limit` paths that `read_config` takes, relative to the workspace, sorted."""
        files = await asyncio.to_thread(self.workspace.readable_files, limit, max_visited=MAX_LISTING)
        found: list[str] = clean_json(self.redactor, [path.relative_to(self.workspace.root).as_posix() for path in files])
        return found

    async def read_report(self, path: str, principal: Principal, client: str = "") -> str:
        """The whole of an answer that this principal got, without secrets. Raises NotFoundError."""
        return await self._read("read_report", partial(self.reports.read, principal), path, principal, client)

    async def read_document(self, path: str, principal: Principal, client: str = "") -> str:
        """A document of the index, fenced, for a client. Raises DocumentNotFoundError, UnavailableError."""
        return await self._read("read_document", partial(self._document, principal), path, principal, client)

    async def read_skill(self, uri: str, text: str, principal: Principal, client: str = "") -> str:
        """The text of a skill, for a client, which has then read it. Raises UnavailableError."""

        def read(_uri: str) -> str:
            self.reads.note(principal)
            return text

        return await self._read("read_skill", read, uri, principal, client)

    def _document(self, principal: Principal, path: str) -> str:
        from prov_rag.guard import fenced  # noqa: PLC0415 - paid by who reads documents

        text, trust = self.knowledge.library().read(path)
        self.reads.note(principal)
        return fenced(text, path, trust)

    async def _read(self, what: str, read: Callable[[str], str], path: str, principal: Principal, client: str) -> str:
        async with self.audit.watch(principal=principal.subject, face="mcp", client=client, arguments={"path": path}) as entry:
            entry.tool, entry.is_allowed = what, True
            try:
                text = self.redactor.text(await asyncio.to_thread(read, path))
            except StratumError as error:
                entry.is_allowed = not isinstance(error, PermissionDeniedError)
                clean_error(self.redactor, error)
                raise
            entry.result = text
        return text

    async def ready(self) -> None:
        """Raises StratumError (UnavailableError) while the application cannot do its main job: evaluate a configuration."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.nickel.ready()
        except TimeoutError:
            raise UnavailableError("the Nickel workers do not answer", hint="`prov mcp doctor` says why") from None

    async def aclose(self) -> None:
        """End the workers, close the engine and the vault, then the audit."""
        await self.nickel.aclose()
        await self.engine.aclose()
        await self.vault.aclose()
        await asyncio.to_thread(self.knowledge.close)
        await asyncio.to_thread(self.audit.close)


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


def build(
    workspace: Workspace,
    settings: Settings,
    *,
    registry: Registry[Context] = REGISTRY,
    redactor: Redactor | None = None,
    shares_vault: bool = False,
    notify: Callable[[str], None] | None = None,
) -> Application:
    """An application for a workspace. Starts nothing: workers start on first use or with `nickel.warm()`.

    `redactor` is the one that the process's logs go through; one of its own when it is left out. A server `shares_vault`: while
    it has the workspace's vault, it answers other processes; a command that soon ends does not. `notify` is told in a sentence
    what a person should know of the engine (a state that was restored); the log is, when it is left out.
    """
    names = settings.mcp.toolsets
    initial = Selection() if not names else Selection(defaults=False, whole=registry.expand(names))
    switches = ToolsetSwitches(registry, initial, settings.mcp.read_only)
    metrics = Metrics()
    observe = Observe(metrics)
    limits = settings.limits
    redactor = Redactor() if redactor is None else redactor
    audit = Audit(Trail(workspace, settings.audit.retention_days), settings.audit, redactor)
    vault = VaultAccess(workspace, settings.vault, shares_it=shares_vault, hide=redactor.register)
    reads, knowledge = Reads(workspace), KnowledgeAccess(workspace, settings.rag, settings.knowledge, is_server=shares_vault)
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
        vault=vault,
        engine=EngineAccess(
            workspace,
            settings.engine,
            vault,
            hide=redactor.register,
            clean=redactor.text,
            notify=notify,
            read_at=reads.last,
            ended=Executions(knowledge, redactor.text, is_sandbox=settings.engine.provider == "sandbox").record,
        ),
        knowledge=knowledge,
        reads=reads,
        redactor=redactor,
        audit=audit,
        proceed=chain(
            [
                Offered(switches),
                LimitSize(limits.max_argument_bytes),
                validate,
                Limit(limits.max_concurrent_calls, limits.call_timeout_seconds),
                Admitted(audit),
            ]
        ),
    )

"""The engine as its faces use it: plan, submit, watch, look. One for a workspace; everything heavy opens on first use."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.things import things
from provisioning.approval.approvals import Approvals
from provisioning.approval.pins import Pins
from provisioning.approval.trust import Trust
from provisioning.drift import DriftReport, look
from provisioning.edits import Edits
from provisioning.errors import ProviderAccountError
from provisioning.plan.make import Maker, Wish, make_plan
from provisioning.plan.model import Plan
from provisioning.plan.stale import opened, require_fresh, require_open
from provisioning.progress import Progress, progress_of
from provisioning.providers.base import Provider
from provisioning.providers.registry import PROVIDERS, provider_class
from provisioning.resource import Recorded
from provisioning.secrets import Secrets
from provisioning.state.holder import is_dead
from provisioning.state.model import Operation, StoredPlan
from provisioning.state.store import StateStore, open_store
from provisioning.workflow.allowed import GivenByPeople
from provisioning.workflow.control import Control
from provisioning.workflow.engine import Engine as Equipment
from provisioning.workflow.runtime import Runtime
from stratumops.errors import InvalidInputError, NotFoundError
from stratumops.progress import Report

if TYPE_CHECKING:
    from prov_judge.prices.book import PriceBook

OpenProvider = Callable[[str], Awaitable[Provider]]
OPEN_SECONDS = 60.0
"""Longest time in which a provider is opened."""
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is: the state's folder, `.prov/` (`own`: whom it trusts), and PostgreSQL's URLs where a team has one."""

    folder: Path
    own: Path
    state_url: str = field(default="", repr=False)
    state_name: str = "default"
    workflows_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the settings decide."""

    plan_seconds: float = 3600.0
    parallel: int = 8
    rolls_back_on_failure: bool = True
    accepts_elicitation: bool = False
    command: str = "prov"
    """What a person types before the name of a command for this engine."""


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A provider as it is listed. `missing` is what has to be installed before it can be used."""

    name: str
    title: str
    has_account: bool
    kinds: frozenset[str]
    missing: str = ""


class Engine:
    """Belongs to the event loop in which it was made. `names` are the providers that have an account here.

    `provider` opens one; `clean` takes secrets out of what is written down; `notify` is told in a sentence what a person should
    know (a state that was restored); `read_at` says when who begins an operation last read
    untrusted text (seconds since 1970), `ended` is called after each end of an operation, in a thread, and raises nothing.
    """

    def __init__(
        self,
        place: Place,
        *,
        names: Callable[[], Sequence[str]],
        provider: OpenProvider,
        secrets: Secrets,
        choices: Choices,
        notify: Callable[[str], None] = lambda _said: None,
        pins: Pins | None = None,
        clean: Callable[[str], str] = str,
        read_at: Callable[[str], float] = lambda _by: 0.0,
        ended: Callable[[StateStore], None] = lambda _store: None,
    ) -> None:
        self._read_at, self._ended = read_at, ended
        self.place, self._pins, self._clean = place, pins, clean
        self._runtime: Runtime | None = None
        self.secrets = secrets
        self.choices = choices
        self._names = names
        self._open_provider = provider
        self._notify = notify
        self._providers: dict[str, Provider] = {}
        self._opening = asyncio.Lock()
        self._store: StateStore | None = None
        self._control: Control | None = None
        self._loop = asyncio.get_running_loop()

    async def store(self) -> StateStore:
        """The state. Raises as `open_store`."""
        async with self._opening:
            if self._store is None:
                where = self.place.state_url or self.place.folder
                self._store = await asyncio.to_thread(open_store, where, name=self.place.state_name, notify=self._notify)
            return self._store

    async def provider(self, name: str) -> Provider:
        """A provider, opened once. Raises NotFoundError (no account), ProviderAccountError."""
        if name not in self._providers:
            self._providers[name] = await self._open_provider(name)
        return self._providers[name]

    def makers(self) -> dict[str, Maker]:
        """The providers that can act here; one whose package is missing is none."""
        found = {}
        for name in self._names():
            try:
                known = provider_class(name)
            except ProviderAccountError:
                continue
            found[name] = Maker(known.version, known.kinds)
        return found

    def known_providers(self) -> list[KnownProvider]:
        """Every provider, whether it has an account here, and what it lacks."""
        names, found = self._names(), []
        for name, one in PROVIDERS.items():
            try:
                kinds, missing = provider_class(name).kinds, ""
            except ProviderAccountError as error:
                kinds, missing = frozenset[str](), f"{error.message}: {error.hint}"
            found.append(KnownProvider(name, one.title, name in names, kinds, missing))
        return found

    async def approvals(self) -> Approvals:
        """Who may approve here, and what was approved."""
        store = await self.store()
        return await asyncio.to_thread(self._approvals, store)

    def _approvals(self, store: StateStore) -> Approvals:
        trust = Trust(self.place.own, store.head().lineage, self._pins)
        return Approvals(store, trust, self.place.own, accepts_elicitation=self.choices.accepts_elicitation)

    # Plans

    async def plan(
        self,
        config: InfrastructureConfig | None,
        *,
        by: str,
        source: str = "",
        title: str = "",
        only: frozenset[str] = frozenset(),
        described: frozenset[str] = frozenset(),
        book: "PriceBook | None" = None,
        findings: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> Plan:
        """A plan towards a configuration, or (None) to destroy what is recorded; it is kept.

        With `only` and `described` nothing else is touched; what is `described` need not be recorded.

        Raises NotFoundError for an address of `only` that is neither wanted nor recorded.
        """
        store = await self.store()
        head, resources = await asyncio.to_thread(lambda: (store.head(), store.resources()))
        if only:
            await asyncio.to_thread(_require_known, only, config, resources)
        only |= described
        wish = self._wish("apply" if config is not None else "destroy", head, resources, by, book)
        gone = "destroy what is named" if only else "destroy everything that is recorded"
        said = title or (f"apply {source or config.name}" if config is not None else gone)
        return await self._kept(
            wish(title=said, config=config, source=source, only=only, findings=tuple(findings), notes=tuple(notes))
        )

    async def plan_back(self, to: str, *, by: str, book: "PriceBook | None" = None) -> Plan:
        """A plan back to an older serial, or to what was before an operation. Raises NotFoundError, InvalidInputError."""
        store = await self.store()
        serial = int(to) if to.isdecimal() else await asyncio.to_thread(_serial_before, store, to)
        head, resources, wanted = await asyncio.to_thread(lambda: (store.head(), store.resources(), store.resources(serial)))
        if serial >= head.serial:
            raise InvalidInputError(f"serial {serial} is not older than the state's ({head.serial})", hint="`prov state history`")
        wish = self._wish("rollback", head, resources, by, book)
        return await self._kept(wish(title=f"back to serial {serial}", config=None, to=wanted, targets={"serial": serial}))

    async def plan_workflow(self, id: str, given: Mapping[str, Any], *, by: str, workspace: Path) -> Plan:  # noqa: A002 - the word of the tools
        """A plan of what a workflow would do; it is kept. Raises NotFoundError, InvalidInputError, CycleError."""
        from provisioning.workflow.definitions import filled, find  # noqa: PLC0415 - only workflows need them
        from provisioning.workflow.definitions_plan import fragment, joined_sealed  # noqa: PLC0415 - as above

        definition = await asyncio.to_thread(find, id, workspace)
        parameters, tasks = filled(definition, given)
        config, origin = fragment(tasks, next(iter(self._names()), "aws"))
        store = await self.store()
        head, resources = await asyncio.to_thread(store.moment)
        made = self._wish("workflow", head, resources, by, None)
        wish = made(title=definition.name, config=config, only=frozenset(origin) or frozenset({"-"}), source="")
        made_plan = await make_plan(wish, self.secrets)
        return await self._keep(await joined_sealed(made_plan, definition, parameters, tasks, origin, self.secrets))

    async def find_plan(self, id: str) -> tuple[StoredPlan, Plan]:  # noqa: A002 - the word of the tools
        """A plan by its id or the beginning of it. Raises NotFoundError, PlanAlteredError."""
        store = await self.store()
        stored = await asyncio.to_thread(store.plan, id)
        return stored, opened(stored)

    def _wish(
        self, kind: Any, head: Any, resources: Sequence[Recorded], by: str, book: "PriceBook | None"
    ) -> Callable[..., Wish]:
        now = time.time()

        def made(**more: Any) -> Wish:
            return Wish(
                kind=kind,
                head=head,
                resources=resources,
                makers=self.makers(),
                now=now,
                today=datetime.now(UTC).date(),
                by=by,
                book=book,
                rolls_back_on_failure=self.choices.rolls_back_on_failure,
                seconds=self.choices.plan_seconds,
                **more,
            )

        return made

    async def _kept(self, wish: Wish) -> Plan:
        return await self._keep(await make_plan(wish, self.secrets))

    async def _keep(self, plan: Plan) -> Plan:
        store = await self.store()
        await asyncio.to_thread(store.keep_plan, StoredPlan(plan.id, plan.sha256, plan.body, plan.made_at, plan.expires_at))
        return plan

    # Operations

    async def submit(self, plan_id: str, *, by: str) -> Operation:
        """Begin to do a plan: it waits until a person has approved. The same plan again answers the operation that has it.

        Raises NotFoundError, PlanAlteredError, PlanSpentError (denied, or over), ApprovalDeniedError.
        """
        stored, plan = await self.find_plan(plan_id)
        if not stored.used_by:
            await asyncio.to_thread(require_open, stored, time.time())
        if not plan.steps:
            raise InvalidInputError(f"{plan.id} has nothing to do", hint="what is there is what is wanted")
        control = await self.control()
        operation = await asyncio.to_thread(control.submit, plan, by)
        if not operation.is_final and is_dead(operation.executor):
            await asyncio.to_thread(control.resume, operation.id)
        return operation

    async def find_operation(self, id: str | None, *, of: str | None = None) -> Operation:  # noqa: A002 - the word of the tools
        """An operation by its id or the beginning of it; the newest without one. With `of` only what that caller began.

        Raises NotFoundError.
        """
        store = await self.store()
        if id is not None:
            found = await asyncio.to_thread(store.operation, id)
            if of is not None and found.by != of:
                raise NotFoundError(f"there is no operation {id[:40]!r}", hint="give the id that apply_plan answered")
            return found
        newest = [one for one in await asyncio.to_thread(store.operations) if of is None or one.by == of]
        if not newest:
            raise NotFoundError("nothing was done here yet", hint="plan_config, then apply_plan")
        return newest[0]

    async def progress(self, operation: str) -> Progress:
        """How an operation stands; starts nothing."""
        control = await self.control()
        return await asyncio.to_thread(lambda: progress_of(control.status(operation), command=self.choices.command))

    async def wait(self, operation: str, seconds: float, report: Report) -> Progress:
        """How an operation stands once it has ended, or after that time; what happens meanwhile is reported."""
        deadline = time.monotonic() + seconds
        told = ""
        while True:
            found = await self.progress(operation)
            words = found.said
            if words != told:
                told = words
                await report(found.done, found.total or None, words)
            left = deadline - time.monotonic()
            if found.operation.is_final or left <= 0:
                return found
            await asyncio.sleep(min(POLL_SECONDS, left))

    async def cancel(self, operation: str, *, by: str, rolls_back: bool = False) -> None:
        """Ask an operation to end between two steps. Raises NotFoundError, ConflictError (it has ended)."""
        control = await self.control()
        await asyncio.to_thread(lambda: control.cancel(operation, by, rolls_back=rolls_back))

    async def resume(self, operation: str) -> None:
        """Go on with what a dead process left. Raises NotFoundError, ConflictError (it has ended)."""
        control = await self.control()
        await asyncio.to_thread(control.resume, operation)

    async def recover(self) -> list[Operation]:
        """Go on with every operation whose process is dead; for the start of a server. Opens nothing where nothing was done."""
        store = await self.store()
        if not await asyncio.to_thread(lambda: store.operations(is_open=True)):
            return []
        control = await self.control()
        return await asyncio.to_thread(control.recover_dead)

    async def control(self) -> Control:
        """The operations of this workspace."""
        store = await self.store()
        async with self._opening:
            if self._control is None:
                self._control = await asyncio.to_thread(self._controlled, store)
            return self._control

    def _controlled(self, store: StateStore) -> Control:
        from provisioning.workflow.tasks import TASKS  # noqa: PLC0415 - the workflows are paid by who does something

        equipment = Equipment(
            store=store,
            provider=self._provider_for_threads,
            secrets=self.secrets,
            approvals=GivenByPeople(self._approvals(store), lambda operation: self._read_at(store.operation(operation).by)),
            require_fresh=lambda plan: self._require_fresh(store, plan),
            tasks=TASKS,
            secrets_loop=self._loop,
            clean=self._clean,
            at_once=self.choices.parallel,
            ended=lambda: self._ended(store),
        )
        self._runtime = Runtime(equipment, self.place.workflows_url or self.place.folder)
        return Control(self._runtime)

    def _provider_for_threads(self, name: str) -> Provider:
        if name in self._providers:
            return self._providers[name]
        return asyncio.run_coroutine_threadsafe(self.provider(name), self._loop).result(OPEN_SECONDS)

    def _require_fresh(self, store: StateStore, plan: Plan) -> None:
        head = store.head()
        versions = {name: maker.version for name, maker in self.makers().items()}
        since = [one for one in reversed(store.serials()) if one.number > plan.basis.serial]
        require_fresh(plan, head, versions, since)

    async def refresh(self, *, everything: bool, by: str, report: Report) -> DriftReport:
        """Look at all that is recorded and note how it is; with `everything` also at what else the accounts have."""
        store = await self.store()
        providers = frozenset(self._names()) if everything else frozenset[str]()
        await report(0, None, "looking at what is recorded")
        return await asyncio.to_thread(
            lambda: look(store, self._provider_for_threads, everything=everything, providers=providers, by=by)
        )

    async def edits(self) -> Edits:
        """What puts the state right by hand."""
        return Edits(await self.store(), self.secrets, self.provider)

    async def aclose(self) -> None:
        """End what runs here (it goes on when it is resumed), and let go of the database."""
        if self._runtime is not None:
            await asyncio.to_thread(self._runtime.stop)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
        self._store = self._control = self._runtime = None


def _require_known(only: frozenset[str], config: InfrastructureConfig | None, resources: Sequence[Recorded]) -> None:
    known = {one.address for one in resources} | (set(things(config)) if config is not None else set())
    if unknown := sorted(only - known):
        raise NotFoundError(
            f"there is no {', '.join(unknown[:8])}", hint="an address is a kind and a name, such as server.web: `prov state list`"
        )


def _serial_before(store: StateStore, operation: str) -> int:
    """The serial before an operation's first change."""
    found = store.operation(operation)
    numbers = [one.number for one in store.serials() if one.operation == found.id]
    if not numbers:
        raise NotFoundError(f"{found.id} changed nothing", hint="`prov state history` shows which operation changed what")
    return min(numbers) - 1

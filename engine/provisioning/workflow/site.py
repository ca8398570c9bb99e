"""What the attempts of one operation share: the state, the clouds, the vault, the lease, and the journal so far."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from provisioning.errors import LeaseLostError, ProviderError
from provisioning.plan.model import PlanStep, RetryPolicy
from provisioning.providers.base import Provider
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded
from provisioning.state.model import Intent, Operation, StepRun
from provisioning.state.store import StateStore, Write
from provisioning.workflow.calls import InterruptedStepError, Journal, said
from provisioning.workflow.engine import Engine, Vault
from provisioning.workflow.running import failed, succeeded
from provisioning.workflow.tasks import is_permanent
from provisioning.workflow.watch import Watch
from stratumops.errors import NotFoundError


@dataclass(frozen=True)
class Done:
    """What a step did: JSON values for its record, and what the state shall have and lose.

    `was_there` is False when a look-up by tag found nothing of what earlier calls, that were cut off, might have made.
    """

    result: Mapping[str, Any] = field(default_factory=dict)
    changed: tuple[Recorded, ...] = ()
    removed: tuple[str, ...] = ()
    was_there: bool = True


class Site:
    """One operation at work in this process. Used from many threads; each step by one at a time."""

    def __init__(self, engine: Engine, vault: Vault, operation: Operation, watch: Watch, is_stopping: Callable[[], bool]) -> None:
        self.engine = engine
        self.vault = vault
        self.operation = operation
        self.watch = watch
        self._is_stopping = is_stopping
        self.lineage = engine.store.head().lineage
        self._runs = {run.step: run for run in engine.store.steps(operation.id)}
        self._cut_off = {intent.address for intent in engine.store.intents(is_open=True)}

    @property
    def store(self) -> StateStore:
        """The state."""
        return self.engine.store

    def provider(self, name: str) -> Provider:
        """The account of that name. Raises StratumErrors."""
        return self.engine.provider(name)

    def run_of(self, step: str) -> StepRun | None:
        """How a step of this operation went so far."""
        return self._runs.get(step)

    def is_done(self, step: str) -> bool:
        """Whether the journal has a step's success."""
        run = self.run_of(step)
        return run is not None and run.status == "succeeded"

    def write(self, step: str, reason: str = "") -> Write:
        """A write of a step, under the lease as it is now. Raises LeaseLostError."""
        return Write(self.watch.lease, self.operation.id, step, self.operation.by, reason)

    def recorded(self, address: str) -> Recorded | None:
        """A resource as the state has it now."""
        try:
            return self.store.resource(address)
        except NotFoundError:
            return None

    def note(self, run: StepRun) -> None:
        """Keep how a step goes."""
        self.store.put_step(run)
        self._runs[run.step] = run

    def attempt(
        self,
        begun: StepRun,
        number: int,
        retry: RetryPolicy,
        act: Callable[[StepRun, Journal], Done],
        *,
        provider: str,
        reason: str,
        before: Callable[[], Recorded | None] = lambda: None,
    ) -> Mapping[str, Any]:
        """One attempt of a step: its row, what it does, its result with what changed in one transaction.

        `begun` is the row of a step that begins, `before` gives the resource that it is about. Raises LeaseLostError and
        InterruptedStepError: those are no result.
        """
        earlier = self.run_of(begun.step)
        if earlier is not None and earlier.status == "succeeded":
            return succeeded()
        run = replace(earlier or begun, status="running", attempts=number, ended_at=0.0)
        try:
            if earlier is None:
                run = replace(run, started_at=time.time(), before=before())
            write = self.write(run.step, reason)
            self.note(run)
            journal = Journal(
                self.store,
                write,
                number,
                run.address,
                provider,
                is_stopping=self._is_stopping,
                wants_cancel=lambda: self.watch.is_cancelled,
                hear=self._hear(run),
                clean=self.engine.clean,
            )
            # Calls about it of which nobody knows what became of them, of whatever operation: we hold the lease.
            may_be = number > 1 or earlier is not None or run.address in self._cut_off
            cut_off = self.store.intents(address=run.address, is_open=True) if may_be and run.address else []
            done = act(run, journal)
            self._settle(cut_off, was_there=done.was_there)
            over = replace(run, status="succeeded", ended_at=time.time(), error="", said="", result=done.result)
            self.store.finish_step(over, done.changed, done.removed, self.write(run.step, reason))
        except (LeaseLostError, InterruptedStepError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a provider raises is this step's failure and no other's
            return self._failed(run, number, retry, error)
        self._runs[run.step] = over
        return succeeded()

    def _failed(self, run: StepRun, number: int, retry: RetryPolicy, error: Exception) -> Mapping[str, Any]:
        now, words = time.time(), said(error, self.engine.clean)
        self._require_lease()
        if self._is_stopping() and not is_permanent(error):
            raise InterruptedStepError from None
        if is_permanent(error) or number > retry.max_retries or self.watch.is_cancelled:
            self.note(replace(run, status="failed", ended_at=now, error=words, said=""))
            return failed(words)
        delay = retry.delay_ms(number) / 1000
        self.note(replace(run, status="waiting", error=words, said=f"trying again in {delay:g} s"))
        return failed(words, now + delay)

    def _hear(self, run: StepRun) -> Callable[[str], None]:
        heard = [""]

        def hear(words: str) -> None:
            if words != heard[0]:
                heard[0] = words
                self._require_lease()
                self.note(replace(run, said=words))

        return hear

    def _require_lease(self) -> None:
        """Raises LeaseLostError: words of a process that was taken over must not cover those of its successor."""
        now = self.store.lease()
        if now is None or now.token != self.watch.lease.token:
            raise LeaseLostError("another process goes on with this operation", hint="look at its status")

    def look_up(self, step: PlanStep, identity: str, region: str, kind: str) -> list[Found]:
        """What carries the tags of an identity at its provider. Raises ProviderErrors."""
        tags = {TAG_ADDRESS: identity, TAG_LINEAGE: self.lineage}
        found = self.provider(step.provider).find_by_tag(tags, region, frozenset({kind}))
        return [one for one in found if one.status != "gone"]

    def _settle(self, cut_off: list[Intent], *, was_there: bool) -> None:
        for intent in cut_off:
            if was_there:
                self.store.settle(intent.id, "done", "cut off; what it was for was found by its tag, or done again")
            else:
                self.store.settle(intent.id, "failed", "cut off; nothing was found by its tag")


def one_of(found: list[Found], address: str) -> Found | None:
    """The only one. Raises ProviderError when there are several: which of them is ours nobody can tell."""
    if len(found) > 1:
        ids = ", ".join(sorted(one.id for one in found))
        raise ProviderError(
            f"{len(found)} resources carry the tags of {address}: {ids}", hint="delete all but one of them, then try again"
        )
    return found[0] if found else None

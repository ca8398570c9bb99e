"""Many steps at once: each after what it needs, so many at a time, tried again as its policy says, and exact after a crash.

The attempts of a step are recorded one by one (`create:server.web#2`). Their places in the record are reserved in the order of
the graph before anything runs, so that they are the same in whichever order the steps end. A failed attempt records when the
next one is due, so that a process that takes over neither forgets a retry nor waits again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from provisioning.errors import LeaseLostError
from provisioning.plan.model import RetryPolicy
from provisioning.workflow.calls import InterruptedStepError
from provisioning.workflow.graph import in_order
from provisioning.workflow.watch import Watch

OnFailure = Literal["stop", "spare", "go_on"]
"""What becomes of the other steps when one fails for good: none starts any more, those that need it are spared, or all go on."""


class Slot(Protocol):
    """One reserved place in the durable record."""

    async def run(self, name: str, function: Callable[[], Awaitable[Any]]) -> Any:
        """Do it and record its JSON answer; after a crash the recorded answer comes back and nothing is done."""
        ...


class Recorder(Protocol):
    """The durable record of one run of a workflow."""

    def slot(self) -> Slot:
        """Reserve the next place. The same places must be reserved in the same order every time."""
        ...

    async def start_rollback(self, operation: str) -> None:
        """Start the workflow of a rollback; when it runs or ran already, nothing."""
        ...


@dataclass(frozen=True)
class Job:
    """One step as it is run. `attempt` is called in a thread with its number (from 1) and answers `succeeded` or `failed`.

    `is_done` tells that the journal has its success already.
    """

    id: str
    needs: Sequence[str]
    retry: RetryPolicy
    attempt: Callable[[int], Mapping[str, Any]]
    is_done: Callable[[], bool]


def succeeded() -> dict[str, Any]:
    """The answer of an attempt that did it."""
    return {"ok": True}


def failed(error: str, retry_at: float = 0.0) -> dict[str, Any]:
    """The answer of an attempt that did not; `retry_at` is when the next one is due (seconds since 1970), 0 for never."""
    return {"ok": False, "error": error, "retry_at": retry_at}


SPARED = "spared"
"""The outcome of a step that was never begun."""


async def run_all(
    jobs: Sequence[Job], recorder: Recorder, watch: Watch, *, at_once: int, on_failure: OnFailure
) -> dict[str, str]:
    """Run them; answers by id "" (done), SPARED, or the error. Raises CycleError, InvalidInputError.

    Raises asyncio.CancelledError when this process has to leave the operation to another one.
    """
    by_id = {job.id: job for job in jobs}
    order = in_order({job.id: job.needs for job in jobs})
    slots = {step: [recorder.slot() for _ in range(by_id[step].retry.max_retries + 1)] for step in order}
    gate, tasks, errors = asyncio.Semaphore(at_once), dict[str, asyncio.Task[str]](), list[str]()

    async def run(job: Job) -> str:
        needed = [await tasks[need] for need in job.needs]
        if on_failure != "go_on" and any(needed):
            return SPARED
        outcome, until = SPARED, 0.0
        for number, slot in enumerate(slots[job.id], 1):
            await _due(until, job.retry, watch)
            async with gate:
                if job.is_done():
                    return ""
                if watch.must_stop() or (errors and on_failure == "stop"):
                    return outcome
                answer = await _tried(job, number, slot)
            if answer["ok"]:
                return ""
            outcome, until = str(answer["error"]), float(answer["retry_at"])
            if not until:
                break
        errors.append(outcome)
        return outcome

    for step in order:
        tasks[step] = asyncio.create_task(run(by_id[step]), name=step)
    ended = await asyncio.gather(*tasks.values(), return_exceptions=True)
    if watch.is_interrupted or any(isinstance(one, asyncio.CancelledError) for one in ended):
        raise asyncio.CancelledError
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return {step: str(one) for step, one in zip(order, ended, strict=True)}


async def _tried(job: Job, number: int, slot: Slot) -> Mapping[str, Any]:
    async def attempt() -> Mapping[str, Any]:
        try:
            return await asyncio.to_thread(job.attempt, number)
        except (LeaseLostError, InterruptedStepError):
            # A cancelled attempt is not recorded: whoever goes on with the operation makes it again.
            raise asyncio.CancelledError from None

    answer: Mapping[str, Any] = await slot.run(f"{job.id}#{number}", attempt)
    return answer


async def _due(moment: float, retry: RetryPolicy, watch: Watch) -> None:
    # Never longer than the policy says, whatever was done to the clock since.
    left = min(moment - time.time(), retry.max_delay_ms / 1000)
    if left > 0:
        await watch.pause(left)

"""What the workflows work with, put together by the composition root."""

from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from provisioning.plan.model import Plan
from provisioning.providers.base import Provider
from provisioning.secrets import SEALED, Secrets, handles_in, has_sealed, unseal_values
from provisioning.state.store import LEASE_SECONDS, StateStore
from stratumops.errors import UnavailableError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine

    from provisioning.workflow.tasks import TaskType

T = TypeVar("T")
SECRETS_LIMIT = 60.0
"""Seconds that the vault may take for one question."""


class Approvals(Protocol):
    """Who allows an operation. An approval that this very operation has used already still counts for it."""

    async def wait(self, plan: Plan, operation: str) -> None:
        """Return once an approval of the plan holds. Raises ApprovalDeniedError, ApprovalInvalidError, PlanSpentError (over)."""
        ...

    def consume(self, plan: Plan, operation: str) -> None:
        """Verify it again, now, and mark it used. Raises ApprovalRequiredErrors."""
        ...

    def require_used(self, plan: Plan, operation: str) -> None:
        """Raises ApprovalRequiredErrors unless the operation used an approval of the plan that verifies, whatever rows say."""
        ...


@dataclass(frozen=True)
class Engine:
    """One workspace's state, clouds, vault and approvals.

    `provider` gives the account of a name (raises StratumErrors), safe to use from threads. `require_fresh` raises StalePlanError
    when a plan does not fit any more. `secrets_loop` is the event loop that the vault's client belongs to; without one the
    runtime's own is used. `at_once` is how many steps run at the same time, `lease_seconds` how long a lease holds unrenewed.
    `clean` takes secrets out of what is kept of errors. `asked` are the rollbacks of ended operations that this process was asked
    for: a row of the state is not enough to begin one. `ended` is called in a thread when an operation has come to an end.
    """

    store: StateStore
    provider: Callable[[str], Provider]
    secrets: Secrets
    approvals: Approvals
    require_fresh: Callable[[Plan], None]
    tasks: "Mapping[str, TaskType]" = field(default_factory=dict)
    secrets_loop: "asyncio.AbstractEventLoop | None" = None
    at_once: int = 8
    lease_seconds: float = LEASE_SECONDS
    clean: Callable[[str], str] = str
    asked: set[str] = field(default_factory=set)
    ended: Callable[[], None] = lambda: None


class Vault:
    """The vault for threads: asks the workspace's vault on the event loop that it belongs to."""

    def __init__(self, secrets: Secrets, loop: "asyncio.AbstractEventLoop") -> None:
        self._secrets = secrets
        self._loop = loop

    def opened(self, values: Mapping[str, Any], context: str) -> dict[str, Any]:
        """Values without sealed leaves. Raises StratumErrors."""
        return self._asked(unseal_values(values, self._secrets, context)) if has_sealed(values) else dict(values)

    def resolved(self, values: Mapping[str, Any]) -> dict[str, str]:
        """What the handles in values stand for, by handle. Raises StratumErrors."""
        return {handle: self._asked(self._secrets.resolve(handle)) for handle in sorted(handles_in(values))}

    def sealed(self, text: str, context: str) -> dict[str, str]:
        """A text as it may be stored. Raises StratumErrors."""
        return {SEALED: self._asked(self._secrets.seal(text, context))}

    def _asked(self, question: "Coroutine[Any, Any, T]") -> T:
        import asyncio  # noqa: PLC0415 - with the question; the values of this module are imported by programs without a loop

        answer = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return answer.result(SECRETS_LIMIT)
        except FutureTimeoutError:
            answer.cancel()
            raise UnavailableError("the vault did not answer", hint="look at `prov vault status`, then resume") from None

"""What the workflows ask of a workspace's approvals: wait for a person's, use it up, and go on with what it allowed."""

import time
from collections.abc import Callable

from provisioning.approval.approvals import Approvals
from provisioning.plan.model import Plan
from provisioning.state.model import StoredPlan


class GivenByPeople:
    """The approvals that people gave; see `workflow.engine.Approvals`.

    `read_at` says when the one who began an operation last read untrusted text: an approval given before that is none.
    """

    def __init__(self, approvals: Approvals, read_at: Callable[[str], float] = lambda _operation: 0.0) -> None:
        self._approvals = approvals
        self._read_at = read_at

    async def wait(self, plan: Plan, operation: str) -> None:
        """Return once somebody has approved. Raises ApprovalDeniedError, PlanSpentError."""
        seconds = max(0.0, plan.expires_at - time.time()) + 1.0
        await self._approvals.wait_for(plan.id, seconds, operation=operation, not_before=lambda: self._read_at(operation))

    def consume(self, plan: Plan, operation: str) -> None:
        """Verify the approval now and mark it used. Raises ApprovalRequiredErrors."""
        self._approvals.use(_stored(plan), operation, not_before=self._read_at(operation))

    def require_used(self, plan: Plan, operation: str) -> None:
        """Verify the approval that the operation used, except for its time. Raises ApprovalRequiredErrors, TrustAlteredError."""
        self._approvals.used(_stored(plan), operation)


def _stored(plan: Plan) -> StoredPlan:
    return StoredPlan(plan.id, plan.sha256, plan.body, plan.made_at, plan.expires_at)

"""What lets an operation begin, go on, and be taken back: an approval that verifies, and a state that is the plan's still.

Rows are never permission. Whoever can write into the database can write that a plan was used and that an operation runs; nobody
but an approver can sign.
"""

from provisioning.errors import StalePlanError
from provisioning.plan.model import Plan
from provisioning.state.model import Operation
from provisioning.state.store import StateStore
from provisioning.workflow.engine import Engine
from stratumops.errors import ApprovalRequiredError, ConflictError

MOST_TOLD = 8


def rollback_id(operation: str) -> str:
    """The id of the operation that takes another one back."""
    return f"{operation}-rollback"


def is_allowed(engine: Engine, plan: Plan, operation: str) -> bool:
    """Whether an approval that the operation used lets it go on."""
    try:
        engine.approvals.require_used(plan, operation)
    except ApprovalRequiredError:
        return False
    return True


def begin(engine: Engine, plan: Plan, operation: str) -> None:
    """Under the lease: somebody allowed the plan, it still fits, and nobody else takes it. Again: all of that holds still.

    Raises StalePlanError, ApprovalRequiredErrors, PlanSpentError.
    """
    store = engine.store
    if store.plan(plan.id).used_by == operation and is_allowed(engine, plan, operation):
        require_own(store, plan, operation)
        return
    if store.steps(operation):
        require_own(store, plan, operation)
    else:
        engine.require_fresh(plan)
    engine.approvals.consume(plan, operation)
    store.use_plan(plan.id, operation)
    engine.approvals.require_used(plan, operation)


def require_own(store: StateStore, plan: Plan, operation: str) -> None:
    """Raises StalePlanError when somebody but the operation or its rollbacks changed the state since the plan was made."""
    head = store.head()
    if head.lineage != plan.basis.lineage:
        raise StalePlanError(
            f"{plan.id} does not fit any more: it was made for another state", hint="make a new plan and look at it again"
        )
    if head.serial == plan.basis.serial:
        return
    back = rollback_id(operation)
    foreign = [
        one
        for one in store.serials()
        if one.number > plan.basis.serial and one.operation != operation and not one.operation.startswith(back)
    ]
    if foreign or head.serial < plan.basis.serial:
        told = ", ".join(
            f"{address} by {one.operation or one.by or 'somebody'}"
            for one in reversed(foreign)
            for address in list(one.changes)[:MOST_TOLD]
        )
        raise StalePlanError(
            f"{plan.id} does not fit any more: the state was changed while its operation stood still: {told or 'it went back'}",
            hint="look at what was done (`prov workflow status`), then make a new plan",
        )


def require_way_back(engine: Engine, row: Operation, parent: Operation, plan: Plan) -> None:
    """Whether a rollback may run: whoever approved the operation approved its way back, and nobody changed the state since.

    Raises ConflictError, ApprovalRequiredErrors, StalePlanError.
    """
    again = "make a plan back: prov rollback"
    if parent.id != row.parent or parent.kind == "rollback" or row.plan_id != parent.plan_id:
        raise ConflictError(f"{row.id} is no rollback of {parent.id}", hint=again)
    engine.approvals.require_used(plan, parent.id)
    if parent.status == "rolling_back":
        if not plan.rolls_back_on_failure:
            raise ConflictError(f"what was approved with {plan.id} stays as it is when it fails", hint=again)
        require_own(engine.store, plan, parent.id)
    elif row.id not in engine.asked:
        raise ConflictError(f"{parent.id} does not wait to be taken back ({parent.status})", hint=again)

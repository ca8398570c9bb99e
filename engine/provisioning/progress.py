"""How an operation stands, for people and assistants: a count, the last words, what went wrong, what to do next."""

from dataclasses import dataclass

from provisioning.state.holder import is_dead
from provisioning.state.model import Operation
from provisioning.workflow.control import OperationState

_OVER = frozenset({"succeeded", "failed", "skipped", "undone", "undo_failed"})


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps are over; `rollback` is how what undoes it stands, where something does."""

    operation: Operation
    state: OperationState
    done: int
    total: int
    said: str
    problems: list[str]
    next: str
    rollback: OperationState | None = None


def progress_of(state: OperationState, rollback: OperationState | None = None, *, command: str = "prov") -> Progress:
    """An operation with everything that is worth telling; `command` is what a person types first to reach its engine."""
    operation = state.operation
    done = sum(step.status in _OVER for step in state.steps)
    problems = [operation.error] if operation.error else []
    problems += [f"{step.id}: {step.error}" for step in state.steps if step.error and step.status != "succeeded"]
    return Progress(operation, state, done, len(state.steps), _said(state, done), problems, _next(operation, command), rollback)


def _said(state: OperationState, done: int) -> str:
    operation = state.operation
    match operation.status:
        case "waiting_for_approval":
            return f"waiting until a person approves {operation.plan_id}"
        case "running" | "rolling_back":
            running = [step.title for step in state.steps if step.status in {"running", "waiting"}]
            words = state.said or (running[0] if running else "")
            return f"{done} of {len(state.steps)} steps" + (f": {words}" if words else "")
        case "queued":
            return "waiting for another operation to end"
        case _:
            return f"{operation.status.replace('_', ' ')}: {operation.title}"


def _next(operation: Operation, command: str) -> str:
    if not operation.is_final and operation.executor and is_dead(operation.executor):
        return f"its process died: `prov workflow resume {operation.id}` (operation_status with action resume) goes on"
    match operation.status:
        case "waiting_for_approval":
            return f"a person runs, in a terminal: {command} approve {operation.plan_id}; it goes on by itself then"
        case "queued" | "running" | "rolling_back":
            return "ask again with operation_status"
        case "succeeded":
            return "nothing"
        case "failed":
            return "look at problems, then plan again"
        case _:
            return "plan again"

"""The order of steps: what waits for what, and nothing that waits for itself."""

from collections.abc import Mapping, Sequence

from provisioning.errors import CycleError
from stratumops.errors import InvalidInputError


def in_order(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """The ids of steps so that each comes after all that it needs; otherwise in the order given.

    Raises CycleError naming the circle, InvalidInputError for a need that is no step.
    """
    for step, wanted in needs.items():
        unknown = [need for need in wanted if need not in needs]
        if unknown:
            raise InvalidInputError(
                f"the step {step} needs {unknown[0]}, which is no step", hint="take it away or add that step", step=step
            )
    waiting = {step: set(wanted) for step, wanted in needs.items()}
    users: dict[str, list[str]] = {}
    for step, left in waiting.items():
        for need in left:
            users.setdefault(need, []).append(step)
    ready, found = [step for step, left in waiting.items() if not left], list[str]()
    for step in ready:
        found.append(step)
        for user in users.get(step, ()):
            waiting[user].discard(step)
            if not waiting[user]:
                ready.append(user)
    if len(found) < len(needs):
        raise _cycle({step: wanted for step, wanted in waiting.items() if wanted})
    return found


def _cycle(waiting: Mapping[str, set[str]]) -> CycleError:
    # Each of these waits for another of these, so following any of them comes round.
    seen: list[str] = []
    step = min(waiting)
    while step not in seen:
        seen.append(step)
        step = min(need for need in waiting[step] if need in waiting)
    circle = [*seen[seen.index(step) :], step]
    return CycleError(f"these steps wait for each other: {' -> '.join(circle)}", hint="take one of the needs away", circle=circle)

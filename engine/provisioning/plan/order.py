"""Steps in the order in which they can be done: circles are named, waves are counted."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from provisioning.errors import CycleError
from provisioning.plan.model import PlanStep


def require_order(steps: Iterable[PlanStep]) -> None:
    """Raises CycleError naming a circle of steps that wait for each other."""
    needs = {step.id: set(step.needs) for step in steps}
    while ready := [step for step, wanted in needs.items() if not wanted]:
        for step in ready:
            del needs[step]
        for wanted in needs.values():
            wanted.difference_update(ready)
    if not needs:
        return
    first = min(needs)
    circle = [first]
    while (following := min(need for need in needs[circle[-1]] if need in needs)) not in circle:
        circle.append(following)
    circle = [*circle[circle.index(following) :], following]
    raise CycleError(
        f"these steps wait for each other: {' -> '.join(circle)}", hint="take one of the references away", circle=circle
    )


def waved(steps: Sequence[PlanStep]) -> tuple[PlanStep, ...]:
    """The steps with their waves: 1 for what waits for nothing, else one more than the latest that it waits for.

    In the order of waves, and within a wave as they were given. Raises CycleError.
    """
    require_order(steps)
    users: dict[str, list[str]] = {step.id: [] for step in steps}
    open_needs = {step.id: len(set(step.needs)) for step in steps}
    for step in steps:
        for need in set(step.needs):
            users[need].append(step.id)
    wave = {step: 1 for step, count in open_needs.items() if not count}
    waiting = list(wave)
    while waiting:
        done = waiting.pop()
        for user in users[done]:
            wave[user] = max(wave.get(user, 1), wave[done] + 1)
            open_needs[user] -= 1
            if not open_needs[user]:
                waiting.append(user)
    return tuple(sorted((replace(step, wave=wave[step.id]) for step in steps), key=lambda step: step.wave))

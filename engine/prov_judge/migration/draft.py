"""A step before it has a wave, and how drafts become steps."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from prov_judge.changes.model import Action, Change
from prov_judge.changes.things import order
from prov_judge.migration.graph import Ordered, ordered
from prov_judge.migration.model import Phase, Step


@dataclass
class Draft:
    """A step to be. Where they go round in a circle `wishes` are given up first, then `needs`; `must` never."""

    id: str
    phase: Phase
    address: str
    action: Action
    title: str
    rollback: str
    needs: set[str] = field(default_factory=set)
    must: set[str] = field(default_factory=set)
    wishes: set[str] = field(default_factory=set)
    affects: tuple[str, ...] = ()
    downtime: str = ""
    data_loss: str = ""
    change: Change | None = None


def steps_of(drafts: Iterable[Draft]) -> tuple[tuple[Step, ...], Ordered]:
    """Drafts as steps, by wave and then by address. A backup is made as late as it can be: what was written since is lost."""
    every = {draft.id: draft for draft in drafts}
    found = ordered(
        {one.id: one.needs for one in every.values()},
        {one.id: one.must for one in every.values()},
        {one.id: one.wishes for one in every.values()},
    )
    waves = dict(found.waves)
    first_use: dict[str, int] = {}
    for step, needs in found.needs.items():
        for one in needs:
            first_use[one] = min(first_use.get(one, waves[step]), waves[step])
    for draft in every.values():
        if draft.phase == "backup" and draft.id in first_use:
            waves[draft.id] = first_use[draft.id] - 1
    steps = [_step(draft, waves[draft.id], found.needs[draft.id]) for draft in every.values()]
    return tuple(sorted(steps, key=lambda step: (step.wave, order(step.address), step.id))), found


def _step(draft: Draft, wave: int, needs: Iterable[str]) -> Step:
    return Step(
        id=draft.id,
        wave=wave,
        phase=draft.phase,
        address=draft.address,
        action=draft.action,
        title=draft.title,
        rollback=draft.rollback,
        needs=tuple(sorted(needs)),
        affects=draft.affects,
        downtime=draft.downtime,
        data_loss=draft.data_loss,
        change=draft.change,
    )

"""A step before it has a wave, and how drafts become steps."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from prov_judge.changes.model import Action, Change
from prov_judge.changes.things import order
from prov_judge.migration.graph import Ordered, ordered
from prov_judge.migration.model import Phase, Step


@dataclass
class Draft:
    """A step to be. Where they go round in a circle `wishes` are given up first, then `needs`; `must` never.

    `makes_way_for` is the id of the step whose way it clears: it comes just before that one, after all that it waits for.
    """

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
    makes_way_for: str = ""


def steps_of(drafts: Iterable[Draft]) -> tuple[tuple[Step, ...], Ordered]:
    """Drafts as steps, by wave and then by address.

    A backup is made as late as it can be, because what was written since is lost; and what makes way goes as late as it can,
    because it is missed from then on.
    """
    every = {draft.id: draft for draft in drafts}
    found = ordered(
        {one.id: one.needs for one in every.values()},
        {one.id: one.must for one in every.values()},
        {one.id: one.wishes for one in every.values()},
        {one.id: _before(every[one.makes_way_for], one) for one in every.values() if one.makes_way_for in every},
    )
    waves = dict(found.waves)
    users: dict[str, list[str]] = {}
    for step, needs in found.needs.items():
        for one in needs:
            users.setdefault(one, []).append(step)
    for draft in sorted(every.values(), key=lambda draft: waves[draft.id], reverse=True):
        if draft.id in users and (draft.phase == "backup" or draft.makes_way_for):
            waves[draft.id] = min(waves[user] for user in users[draft.id]) - 1
    steps = [_step(draft, waves[draft.id], found.needs[draft.id]) for draft in every.values()]
    return tuple(sorted(steps, key=lambda step: (step.wave, order(step.address), step.id))), found


def _before(successor: Draft, draft: Draft) -> set[str]:
    return (successor.needs | successor.must | successor.wishes) - {draft.id}


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

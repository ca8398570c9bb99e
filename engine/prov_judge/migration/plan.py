"""How to get from one configuration to another: ordered steps with their risks, their way back, and what they cost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.model import Action, Change
from prov_judge.changes.things import IS_NO_THING
from prov_judge.migration import across, judged
from prov_judge.migration.draft import steps_of
from prov_judge.migration.gates import GATES
from prov_judge.migration.graph import Ordered
from prov_judge.migration.mapping import mappings
from prov_judge.migration.model import Migration
from prov_judge.migration.scene import Scene
from prov_judge.migration.waves import drafts_within

if TYPE_CHECKING:
    from prov_judge.prices.book import PriceBook

MOST_NAMED = 4


def plan_migration(
    current: InfrastructureConfig, target: InfrastructureConfig, *, book: "PriceBook | None" = None, today: date
) -> Migration:
    """The plan from `current` (what runs) to `target` (what is wanted), the same whatever the order of their lists.

    With a price book it says what a month costs before and after; `today` decides which waivers still hold.
    """
    plan = plan_steps(current, target)
    before: Mapping[str, Decimal] = judged.cost_of(current, book, today) if book is not None else {}
    after: Mapping[str, Decimal] = judged.cost_of(target, book, today) if book is not None else {}
    now = {change.previous: change.address for change in plan.changes if change.previous}
    return replace(plan, cost_before=before, cost_after=after, compliance=judged.compliance_of(current, target, today, now))


def plan_steps(current: InfrastructureConfig, target: InfrastructureConfig) -> Migration:
    """The plan without cost and compliance."""
    return plan_scene(Scene.of(current, target))


def plan_scene(scene: Scene, *, moves: bool = True) -> Migration:
    """The plan of a scene that is known already. Without `moves` what goes to another provider is replaced like anything else."""
    moving = across.moved(scene) if moves else []
    drafts = across.drafts_across(scene) if moving else drafts_within(scene)
    steps, found = steps_of(drafts.values())
    counted = Counter(change.action for change in _of_things(scene))
    return Migration(
        changes=scene.changes,
        steps=steps,
        counts={action: counted[action] for action in get_args(Action)},
        blast_radius={address: scene.dependants(address) for address in scene.by_address},
        mappings=mappings(scene, moving),
        notes=tuple(_notes(scene, found)),
        is_across_providers=bool(moving),
    )


def _notes(scene: Scene, found: Ordered) -> list[str]:
    notes = []
    if _are_unrelated(scene):
        notes.append(
            "the two files have no resource in common and nothing alike: this plan builds all of the one and deletes all of the"
            " other; check that they belong together"
        )
    notes += [
        f"{change.previous} is taken for {change.address} under another name; if it is not, give both files the same names"
        for change in scene.changes
        if change.previous
    ]
    notes += _dangling(scene)
    notes += across.lacking(scene)
    circles = (tuple(step for step in circle if step not in GATES) for circle in found.circles)
    notes += [f"{_some(circle)} wait for each other: they are made first and joined afterwards" for circle in circles]
    return notes


def _are_unrelated(scene: Scene) -> bool:
    return {change.action for change in _of_things(scene)} == {"create", "delete"}


def _of_things(scene: Scene) -> list[Change]:
    return [change for change in scene.changes if change.address.partition(".")[0] not in IS_NO_THING]


def _dangling(scene: Scene) -> list[str]:
    """What stays as it is and names something that goes."""
    notes = []
    for change in scene.by_address.values():
        users = scene.named_before.get(change.address, ()) if change.action == "delete" else ()
        staying = tuple(user for user in users if user in scene.after and user not in scene.by_address)
        if staying:
            notes.append(f"{change.address} is deleted, and {_some(staying)} still names it: change or delete that too")
    return notes


def _some(names: tuple[str, ...]) -> str:
    addresses = list(dict.fromkeys(name.partition(":")[2] or name for name in names))
    more = f" and {len(addresses) - MOST_NAMED} more" if len(addresses) > MOST_NAMED else ""
    return f"{', '.join(addresses[:MOST_NAMED])}{more}"

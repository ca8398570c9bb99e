"""The steps of a migration as steps that the engine does: each with the resource as it shall be, and what it waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prov_gen.effective import region_of
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.masking import shown, shown_path
from prov_judge.changes.things import Thing
from prov_judge.migration.model import Migration, Step
from prov_judge.migration.scene import Scene
from provisioning.plan.joints import jointed, require_unprotected
from provisioning.plan.model import IMPORTED, PlanStep, StepAction, deposed
from provisioning.plan.order import waved
from provisioning.plan.stated import stated_fields
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Recorded


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps, still without the resources that they make: those are in `wanted`, to be sealed first."""

    steps: tuple[PlanStep, ...]
    wanted: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    def with_wanted(self, sealed: Sequence[Mapping[str, Any]]) -> tuple[PlanStep, ...]:
        """The steps with their sealed resources."""
        by_address = {one["address"]: one for one in sealed}
        made = {"create", "update"}
        return tuple(replace(step, wanted=by_address[step.address]) if step.action in made else step for step in self.steps)


def steps_of(scene: Scene, migration: Migration, recorded: Mapping[str, Recorded], lineage: str) -> Steps:
    """What the engine can do of a migration; what only a person can (copying data by hand) becomes a note.

    `recorded` are the state's resources by address, `lineage` is the state's. Raises CycleError, and ConflictError for what is
    protected against deletion.
    """
    done = [step for step in migration.steps if _is_ours(step)]
    by_hand = [step for step in migration.steps if not _is_ours(step)]
    needs = _needs(migration.steps, {step.id for step in done})
    steps = []
    for step in done:
        address = _address(step, scene)
        there = _there(step, recorded)
        steps.append(
            PlanStep(
                id=step.id,
                action=_action(step),
                address=address,
                provider=_provider(step, scene),
                title=step.title,
                wave=step.wave,
                needs=tuple(sorted(needs[step.id])),
                paths=tuple(sorted(one.path for one in step.change.fields)) if _action(step) == "update" and step.change else (),
                previous=(step.change.previous or "") if step.change and _action(step) == "update" else "",
                is_replacement=_is_beside(step, scene),
                why=(*(step.change.reasons if step.change else ()), *_not_ours(there, lineage)),
                fields=_fields(step, scene),
                affects=step.affects,
                downtime=step.downtime,
                data_loss=step.data_loss,
                rollback=step.rollback,
                id_there=there.id if there else "",
            )
        )
    require_unprotected(steps, scene.before)
    steps = jointed(steps, scene.before, scene.after)
    made = dict.fromkeys(step.address for step in steps if step.action in {"create", "update"})
    notes = tuple(f"by hand: {step.title}" for step in by_hand)
    return Steps(waved(steps), tuple(wanted_of(scene.after[address], scene.target) for address in made), notes)


def wanted_of(thing: Thing, config: InfrastructureConfig) -> dict[str, Any]:
    """A thing as JSON values: all that the state will record of it."""
    values = dict(thing.values)
    return {
        "address": thing.address,
        "kind": thing.kind,
        "name": thing.name,
        "provider": thing.provider,
        "region": str(values.get("region") or region_of(thing.item.record, config)),
        "values": values,
        "record": thing.item.record.model_dump(mode="json", by_alias=True),
        "model": type(thing.item.record).__name__,
        "path": list(thing.item.path),
        "names": [list(name) for name in thing.names],
    }


def _is_ours(step: Step) -> bool:
    return step.phase in {"backup", "change"}


def _action(step: Step) -> StepAction:
    if step.phase == "backup":
        return "backup"
    if step.id.startswith("create:"):
        return "create"
    return "delete" if step.id.startswith("delete:") else "update"


def _is_beside(step: Step, scene: Scene) -> bool:
    change = step.change
    return change is not None and change.action == "replace" and change.address not in scene.old_first and step.phase != "backup"


def _address(step: Step, scene: Scene) -> str:
    if _action(step) == "delete" and _is_beside(step, scene):
        return deposed(step.change.address if step.change else step.address)
    return step.address


def _provider(step: Step, scene: Scene) -> str:
    if _action(step) in {"create", "update"}:
        return scene.after[step.address].provider
    return scene.before[step.address].provider


def _needs(steps: Sequence[Step], ours: set[str]) -> dict[str, set[str]]:
    """What each step waits for; through what only a person can do to what came before that."""
    needs = {step.id: set(step.needs) for step in steps}
    found: dict[str, set[str]] = {}
    for step in steps:
        waiting, kept, seen = list(needs[step.id]), set[str](), set[str]()
        while waiting:
            need = waiting.pop()
            if need in seen or need not in needs:
                continue
            seen.add(need)
            if need in ours:
                kept.add(need)
            else:
                waiting.extend(needs[need])
        found[step.id] = kept
    return found


def _there(step: Step, recorded: Mapping[str, Recorded]) -> Recorded | None:
    """What the step touches, as it is recorded; a creation touches nothing."""
    if _action(step) == "create":
        return None
    previous = step.change.previous if step.change else None
    return recorded.get(previous or step.address) or recorded.get(step.address)


def _not_ours(there: Recorded | None, lineage: str) -> tuple[str, ...]:
    """A reason to look twice: an import may have given any object of the account any harmless name."""
    if there is None or (there.tags.get(TAG_ADDRESS) and there.tags.get(TAG_LINEAGE) == lineage):
        return ()
    return (f"{IMPORTED}: {there.id}",)


def _fields(step: Step, scene: Scene) -> tuple[tuple[str, Any, Any], ...]:
    if _action(step) == "create" and step.address not in scene.before and step.address in scene.after:
        return stated_fields(scene.after[step.address], scene.target)
    if step.change is None or _action(step) in {"backup", "delete"}:
        return ()
    return tuple((shown_path(one.path), shown(one.path, one.before), shown(one.path, one.after)) for one in step.change.fields)

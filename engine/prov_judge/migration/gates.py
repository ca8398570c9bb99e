"""The two gates of a migration to another provider, and what may not wait for them."""

from prov_judge.migration.draft import Draft
from prov_judge.migration.scene import Scene

WHOLE = "infrastructure.main"
GATES = FREEZE, APPROVE = "cut_over:writes", "verify:all"


def freeze_of(*, has_data: bool) -> Draft:
    """The gate before the cut-over: the new side is built, and every copy has caught up."""
    if not has_data:
        return Draft(
            id=FREEZE, phase="cut_over", address=WHOLE, action="no_op",
            title="Check that everything on the new side is built and answers", rollback="nothing to undo",
        )  # fmt: skip
    return Draft(
        id=FREEZE, phase="cut_over", address=WHOLE, action="no_op",
        title="Stop writes at the old side, and let every copy catch up", rollback="allow writes at the old side again",
        downtime="nothing can be written from here until its cut-over",
    )  # fmt: skip


def approval() -> Draft:
    """The gate before the old side goes."""
    return Draft(
        id=APPROVE, phase="verify", address=WHOLE, action="no_op",
        title="Run on the new side for at least a day, then decide that the old side may go",
        rollback="turn names and clients back to the old side; what was written on the new side since is copied back or lost",
    )  # fmt: skip


def free_old_first(scene: Scene, drafts: dict[str, Draft]) -> None:
    """Let what must go before its successor comes go before the gates, where the gates wait for the successor.

    What is deleted anyway and stands on it goes early too. What moves is retired late all the same, and a name is turned
    late: that a deletion waits for them is no more than a wish.
    """
    before_gates = _needed_by(APPROVE, drafts)
    waiting = {f"delete:{scene.old(scene.by_address[address]).address}": f"create:{address}" for address in scene.old_first}
    early = [step for step, successor in waiting.items() if successor in before_gates]
    seen = set(early)
    for step in waiting:
        _wish_for_the_late(drafts[step], scene, drafts)
    while early:
        draft = drafts[early.pop()]
        draft.phase = "change"
        draft.must.discard(APPROVE)
        _wish_for_the_late(draft, scene, drafts)
        stands = {need for need in draft.needs & drafts.keys() if drafts[need].action == "delete"} - seen
        seen |= stands
        early.extend(sorted(stands))


def _wish_for_the_late(draft: Draft, scene: Scene, drafts: dict[str, Draft]) -> None:
    for need in sorted(draft.needs & drafts.keys()):
        other = drafts[need]
        is_moved = other.change is not None and scene.is_moved(other.change)
        if other.phase == "cut_over" or (other.phase == "retire" and is_moved):
            draft.needs.discard(need)
            draft.wishes.add(need)


def _needed_by(step: str, drafts: dict[str, Draft]) -> set[str]:
    """Everything that comes before a step."""
    waiting, found = [step], set[str]()
    while waiting:
        draft = drafts[waiting.pop()]
        new = {need for need in draft.needs | draft.must | draft.wishes if need in drafts} - found
        found |= new
        waiting.extend(new)
    return found

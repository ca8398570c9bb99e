"""The steps of a migration to another provider: build, copy, cut over, verify, retire.

Nothing is retired before everything new was verified; writes stop once, between the copy and the cut-over; names are
answered for a short time only (TTL) before they change.
"""

from prov_judge.changes.model import Change
from prov_judge.changes.things import Thing
from prov_judge.migration import conversion, risk
from prov_judge.migration.conversion import copying
from prov_judge.migration.draft import Draft
from prov_judge.migration.gates import APPROVE, FREEZE, approval, free_old_first, freeze_of
from prov_judge.migration.mapping import table as mapping_table
from prov_judge.migration.scene import Scene
from prov_judge.migration.waves import backup_of, drafts_within

SHORT_TTL = 60
_OLD_ANSWER = f"up to {SHORT_TTL} seconds (TTL): resolvers keep the old answer"


def moved(scene: Scene) -> list[Change]:
    """The changes that take a thing to another provider."""
    return [change for change in scene.by_address.values() if scene.is_moved(change)]


def drafts_across(scene: Scene) -> dict[str, Draft]:
    """The steps within providers, with those of what moves taken apart into phases and held together by two gates."""
    drafts = drafts_within(scene)
    moving = moved(scene)
    freeze = freeze_of(has_data=any(risk.kept_by(change.before) for change in moving))
    approve = approval()
    for change in moving:
        _move(scene, change, drafts, freeze, approve)
    for draft in list(drafts.values()):
        if draft.action == "delete" and draft.phase == "change" and not _is_of_replacement(draft):
            draft.phase = "retire"
            draft.must.add(APPROVE)
        elif draft.action == "create" and draft.phase == "change":
            draft.phase = "build"
            freeze.must.add(draft.id)
        elif draft.phase == "change" and _is_cut_over(draft):
            _cut_over_name(draft, scene, drafts, approve)
    approve.must.add(FREEZE)
    drafts[FREEZE], drafts[APPROVE] = freeze, approve
    free_old_first(scene, drafts)
    _follow_phases(drafts)
    return drafts


def _move(scene: Scene, change: Change, drafts: dict[str, Draft], freeze: Draft, approve: Draft) -> None:
    old, new = scene.old(change), scene.after[change.address]
    build, retire = drafts[f"create:{change.address}"], drafts[f"delete:{old.address}"]
    build.phase, retire.phase = "build", "retire"
    build.title = f"Build {change.address} at {new.provider}"
    build.rollback = f"delete it at {new.provider}; the one at {old.provider} still serves"
    build.downtime, build.affects = "", ()
    retire.title = f"Retire {old.address} at {old.provider}"
    retire.downtime, retire.affects = "", (old.address,)
    if risk.kept_by(change.before) and not retire.rollback.startswith("irreversible"):
        retire.rollback = f"build {old.address} at {old.provider} again and copy the data back from {new.provider}"
    elif not retire.rollback.startswith("irreversible"):
        retire.rollback = f"build {old.address} at {old.provider} again"
    retire.must |= {build.id, APPROVE}
    freeze.must.add(build.id)
    backup = backup_of(scene, change)
    if risk.kept_by(change.before):
        copy = _copy(old, new, conversion.between(scene, change))
        copy.must |= {build.id} | ({backup.id} if backup else set())
        build.must.discard(backup.id if backup else "")
        copy.change = change
        freeze.must.add(copy.id)
        drafts[copy.id] = copy
    check = _verify(old, new, conversion.between(scene, change))
    check.change = change
    if risk.of_kind(new.kind).get("serves"):
        cut = _cut_over(scene, old, new)
        cut.change = change
        cut.must.add(FREEZE)
        check.must.add(cut.id)
        drafts[cut.id], drafts[check.id] = cut, check
    elif risk.kept_by(change.before):
        check.must.add(FREEZE)
        drafts[check.id] = check
    if check.id in drafts:
        approve.must.add(check.id)
    if new.kind == "dns_record":
        _shorten(old, drafts, freeze)


def _copy(old: Thing, new: Thing, engines: tuple[str, str] | None) -> Draft:
    how = copying()[old.kind]
    tool = how.get(old.values.get(how["by"]), {}) if "by" in how else how
    words = tool.get("tool", "a dump of everything, restored on the other side")
    catch_up = tool.get("catch_up", "a last copy once writes have stopped")
    does = f"Copy {old.address} ({risk.kept_by(old.item)}) from {old.provider} to {new.provider}"
    if engines is not None:
        row = conversion.words_of(old.kind, engines)
        words, catch_up = row["tool"], row["catch_up"]
        does = f"Convert the data of {old.address} from {engines[0]} at {old.provider} to {engines[1]} at {new.provider}"
    return Draft(
        id=f"copy:{new.address}", phase="copy", address=new.address, action="no_op",
        title=f"{does}: {words}; {catch_up}",
        rollback=f"empty the copy at {new.provider} and start again; the source is only read", affects=(new.address,),
    )  # fmt: skip


def _cut_over(scene: Scene, old: Thing, new: Thing) -> Draft:
    words = f"Turn clients of {new.address} from {old.provider} to {new.provider}"
    if turn := risk.of_kind(new.kind).get("turn"):
        words = f"{turn} {new.address} at {new.provider}"
    downtime = "a moment while clients turn to the new one"
    if new.kind == "dns_record":
        words, downtime = f"Answer {new.name} from {new.provider}", _OLD_ANSWER
    return Draft(
        id=f"cut_over:{new.address}", phase="cut_over", address=new.address, action="no_op", title=words, downtime=downtime,
        rollback=f"turn them back to {old.provider}: it is still there",
        affects=(new.address, *scene.dependants(new.address)),
    )  # fmt: skip


def _verify(old: Thing, new: Thing, engines: tuple[str, str] | None) -> Draft:
    how = copying().get(old.kind, {}).get("check") if risk.kept_by(old.item) else None
    how = conversion.words_of(old.kind, engines)["check"] if engines else how
    check = how or "it answers as the old one does, and its errors and times are no worse"
    return Draft(
        id=f"verify:{new.address}", phase="verify", address=new.address, action="no_op",
        title=f"Verify {new.address} at {new.provider}: {check}",
        rollback=f"nothing to undo; turn back to {old.provider} if it fails",
    )  # fmt: skip


def _is_cut_over(draft: Draft) -> bool:
    """A DNS record that stays where it is and answers with something that moves."""
    if draft.change is None or not draft.address.startswith("dns_record.") or draft.action != "update":
        return False
    return any(field.path.partition("[")[0] in {"values", "target"} for field in draft.change.fields)


def _cut_over_name(draft: Draft, scene: Scene, drafts: dict[str, Draft], approve: Draft) -> None:
    old = scene.before[draft.change.previous or draft.address] if draft.change else scene.before[draft.address]
    draft.phase = "cut_over"
    draft.downtime = _OLD_ANSWER
    draft.must.add(FREEZE)
    approve.must.add(draft.id)
    _shorten(old, drafts, None)
    draft.must |= {f"build:ttl:{old.address}"} & drafts.keys()


def _shorten(old: Thing, drafts: dict[str, Draft], freeze: Draft | None) -> None:
    """Lower the TTL long before the name changes: resolvers keep the old TTL for as long as it says."""
    ttl = old.values["ttl"]
    if ttl <= SHORT_TTL:
        return
    step = f"build:ttl:{old.address}"
    drafts[step] = Draft(
        id=step, phase="build", address=old.address, action="update",
        title=f"Lower the TTL of {old.name} from {ttl} to {SHORT_TTL} seconds, and wait {ttl} seconds",
        rollback=f"set the TTL back to {ttl}", affects=(old.address,),
    )  # fmt: skip
    if freeze is not None:
        freeze.must.add(step)


def _is_of_replacement(draft: Draft) -> bool:
    """Whether it deletes the old one of two at the same provider: its place is beside the new one, before or behind."""
    return draft.change is not None and draft.change.action == "replace"


def _follow_phases(drafts: dict[str, Draft]) -> None:
    """Ids say the phase; what waited for a step under its old id waits for the new one."""
    ids = {}
    for draft in drafts.values():
        verb, _, rest = draft.id.partition(":")
        if draft.phase in {"build", "retire", "cut_over"} and verb in {"create", "delete", "update"}:
            ids[draft.id] = f"{draft.phase}:{rest}"
    for draft in list(drafts.values()):
        draft.needs = {ids.get(one, one) for one in draft.needs}
        draft.must = {ids.get(one, one) for one in draft.must}
        draft.wishes = {ids.get(one, one) for one in draft.wishes}
        draft.makes_way_for = ids.get(draft.makes_way_for, draft.makes_way_for)
        if draft.id in ids:
            del drafts[draft.id]
            draft.id = ids[draft.id]
            drafts[draft.id] = draft


def lacking(scene: Scene) -> list[str]:
    """What the other side does not sell, one note a kind."""
    found: dict[tuple[str, str], list[str]] = {}
    for change in moved(scene):
        new = scene.after[change.address]
        if new.kind in mapping_table()["lacks"].get(new.provider, {}):
            found.setdefault((new.provider, new.kind), []).append(change.address)
    notes = []
    for (provider, kind), addresses in found.items():
        more = f" and {len(addresses) - 3} more" if len(addresses) > 3 else ""
        instead = mapping_table()["lacks"][provider][kind]
        notes.append(f"{provider} sells nothing like {', '.join(addresses[:3])}{more}: {instead}")
    return notes

"""The steps within a provider: create in the order of references, delete in reverse, update after what is needed."""

from prov_judge.changes.masking import shown_path
from prov_judge.changes.model import Change
from prov_judge.changes.things import IS_NO_THING
from prov_judge.migration import conversion, risk, rollback
from prov_judge.migration.draft import Draft
from prov_judge.migration.scene import Scene

MOST_FIELDS = 3


def drafts_within(scene: Scene) -> dict[str, Draft]:
    """The steps of every change, by id; their needs follow from what names what."""
    drafts: dict[str, Draft] = {}
    steps = [change for change in scene.by_address.values() if change.address.partition(".")[0] not in IS_NO_THING]
    for change in steps:
        for draft in _drafts(scene, change):
            drafts[draft.id] = draft
    for change in steps:
        _connect(scene, change, drafts)
    return drafts


def backup_of(scene: Scene, change: Change) -> Draft | None:
    """The backup before data is in danger: before a deletion, a replacement, and an update that cannot be taken back."""
    if change.before is None:
        return None
    old = scene.old(change)
    saved = [one for one in risk.in_danger(change, old.provider) if one.save]
    if not saved:
        return None
    words = "; ".join(f"{one.what} ({old.address}): {one.save}" for one in saved)
    return Draft(
        id=f"backup:{old.address}", phase="backup", address=old.address, action="no_op",
        title=f"Save {words}", rollback=rollback.BACKUP, change=change,
    )  # fmt: skip


def _drafts(scene: Scene, change: Change) -> list[Draft]:
    backup = backup_of(scene, change)
    found = [backup] if backup else []
    saved = backup.id if backup else ""
    if change.action == "create":
        found.append(_creation(change))
    elif change.action == "update":
        found.append(_update(scene, change, saved))
    elif change.action == "delete":
        found.append(deletion(scene, change, saved))
    elif change.action == "replace":
        found += [_successor(scene, change, saved), deletion(scene, change, saved)]
        found += conversion.drafts_of(scene, change, saved)
    for draft in found[1:] if backup else ():
        draft.must.add(saved)
    return found


def _creation(change: Change) -> Draft:
    assert change.after is not None
    return Draft(
        id=f"create:{change.address}", phase="change", address=change.address, action="create", change=change,
        title=f"Create {change.address}", rollback=rollback.of_creation(change.after, change.address),
    )  # fmt: skip


def _update(scene: Scene, change: Change, saved: str) -> Draft:
    downtime = risk.downtime_of_update(change)
    paths = list(dict.fromkeys(shown_path(field.path) for field in change.fields))
    more = f" and {len(paths) - MOST_FIELDS} more" if len(paths) > MOST_FIELDS else ""
    title = f"Change {', '.join(paths[:MOST_FIELDS])}{more} of {change.address}"
    if change.previous:
        title = f"Rename {change.previous} to {change.address}" + (
            "" if paths == ["name"] else f"; {title[0].lower()}{title[1:]}"
        )
    return Draft(
        id=f"update:{change.address}", phase="change", address=change.address, action="update", title=title, change=change,
        rollback=rollback.of_update(change, scene.old(change).provider, saved), downtime=downtime,
        data_loss=risk.loss_of_update(change),
        affects=(change.address, *(scene.dependants(change.address) if downtime else ())),
    )  # fmt: skip


def _successor(scene: Scene, change: Change, saved: str) -> Draft:
    why = scene.old_first.get(change.address)
    place = f"in the place of the old one ({why})" if why else "beside the old one"
    filled = f", and fill it from {saved}" if saved and not conversion.between(scene, change) else ""
    return Draft(
        id=f"create:{change.address}", phase="change", address=change.address, action="replace", change=change,
        title=f"Create the new {change.address} {place}{filled}",
        rollback=rollback.of_successor(change.address, backup=saved, is_old_first=bool(why)),
        downtime=risk.downtime_of_replacement(change, is_old_first=bool(why)),
        affects=(change.address, *scene.dependants(change.address)),
    )  # fmt: skip


def deletion(scene: Scene, change: Change, saved: str) -> Draft:
    """The step that deletes a thing, or the old one of two."""
    old = scene.old(change)
    is_old = change.action == "replace"
    locked = getattr(old.item.record, "deletion_protection", False)
    unlock = " (turn its deletion protection off first)" if locked else ""
    after_successor = is_old and change.address not in scene.old_first
    return Draft(
        id=f"delete:{old.address}", phase="change", address=old.address, action="delete", change=change,
        title=f"Delete {'the old ' if is_old else ''}{old.address}{unlock}",
        rollback=rollback.of_deletion(old.item, old.address, saved),
        downtime="" if after_successor else risk.downtime_of_deletion(old.item),
        data_loss=risk.loss_of_deletion(old.item),
        affects=(old.address, *(() if after_successor else scene.dependants(scene.now.get(old.address, old.address)))),
    )  # fmt: skip


def _connect(scene: Scene, change: Change, drafts: dict[str, Draft]) -> None:
    if change.after is not None:
        made = drafts.get(f"create:{change.address}") or drafts[f"update:{change.address}"]
        for _, named in scene.after[change.address].names:
            made.needs |= {f"create:{named}"} & drafts.keys()
            made.wishes |= {f"update:{named}"} & drafts.keys()
    if change.action == "replace":
        first, second = f"create:{change.address}", f"delete:{scene.old(change).address}"
        if change.address in scene.old_first:
            first, second = second, first
            drafts[first].makes_way_for = second
        drafts[second].must.add(first)
        if change.address not in scene.old_first and (check := drafts.get(f"verify:{change.address}")):
            drafts[second].must.add(check.id)
    if change.action in {"replace", "delete"}:
        connect_deletion(scene, change, drafts)


def connect_deletion(scene: Scene, change: Change, drafts: dict[str, Draft]) -> None:
    """A deletion waits until nobody names the thing any more."""
    gone = scene.old(change)
    draft = drafts[f"delete:{gone.address}"]
    is_old_first = change.address in scene.old_first
    for user in scene.named_before.get(change.address, ()):
        other = scene.by_address.get(user)
        if other is None:
            continue
        if other.action in {"delete", "replace"}:
            draft.needs.add(f"delete:{scene.old(other).address}")
        elif not is_old_first:
            draft.needs.add(f"update:{user}")
        elif change.address not in {name for _, name in scene.after[user].names}:
            # It lets go of the thing, and had better do so before; what it turns to may have to wait for this deletion.
            draft.wishes.add(f"update:{user}")

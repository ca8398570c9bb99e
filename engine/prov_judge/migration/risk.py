"""What a change risks, in words: who notices it and for how long, what is lost, and how that is saved before."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from prov_gen.model.kinds import Item
from prov_judge.changes.masking import shown_path
from prov_judge.changes.model import Change
from prov_judge.changes.replacement import EVERY, Rule, rule_of
from prov_judge.migration.words import value as said

TABLE = Path(__file__).parent / "risks.toml"


@cache
def risks() -> dict[str, dict[str, Any]]:
    """What is known of each kind. Treat as read-only."""
    content = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {kind: entry for kind, entry in content.items() if isinstance(entry, dict)}


def of_kind(kind: str) -> dict[str, Any]:
    """What is known of a kind; nothing for one that keeps and serves nothing."""
    return risks().get(kind, {})


def kept_by(item: Item | None) -> str:
    """What is lost with a thing, or "" for one that keeps nothing."""
    return "" if item is None else _inside(item, "keeps")


def contents(item: Item) -> str:
    """What is lost with it and worth no backup, in a sentence; "" for what holds nothing of the sort."""
    return _inside(item, "contents")


def _inside(item: Item, what: str) -> str:
    entry = of_kind(item.kind.name)
    when = entry.get("keeps_when")
    return "" if when and not getattr(item.record, when) else str(entry.get(what, ""))


def is_used(item: Item | None) -> bool:
    """Whether anybody can notice that it is away: a volume that no server has is missed by nobody."""
    field = None if item is None else of_kind(item.kind.name).get("used_when")
    return field is None or item is None or bool(getattr(item.record, field))


@dataclass(frozen=True, slots=True)
class Loss:
    """What an update deletes, such as "logs older than 7 days", and how it is saved before ("" where it cannot be)."""

    what: str
    save: str


def losses(change: Change) -> tuple[Loss, ...]:
    """What a change in place deletes: the first row of `loses` that fits each field."""
    return tuple(dict.fromkeys(_losses(change, of_kind(change.address.partition(".")[0]))))


def _losses(change: Change, entry: dict[str, Any]) -> Iterator[Loss]:
    for field in change.fields:
        for row in (*entry.get("loses", ()), *of_kind(EVERY)["loses"]):
            rule = Rule(tuple(row["fields"]), "none", when=row["when"])
            if rule.covers(_pattern(field.path)) and rule.holds("", field.before, field.after):
                days = "1 day" if field.after == 1 else f"{field.after} days"
                yield Loss(row["what"].format(days=days), row.get("save") or entry.get("backup", ""))
                break


def in_danger(change: Change, provider: str) -> list[Loss]:
    """What a change may lose and how each is saved: all of it before a deletion, a replacement, and an update that cannot be
    taken back in place; else what the update deletes."""
    found = list(losses(change)) if change.action == "update" else []
    kept = kept_by(change.before)
    if kept and (change.action in {"delete", "replace"} or (change.action == "update" and way_back(change, provider)[1])):
        save = of_kind(change.address.partition(".")[0])["backup"]
        found = [one for one in found if one.save != save]
        found.insert(0, Loss(kept, save))
    return found


def downtime_of_update(change: Change) -> str:
    """What people notice of a change in place; "" where nobody notices."""
    item = change.after or change.before
    assert item is not None
    if item.kind.name == "dns_record":
        return ttl_words(change)
    if not is_used(change.before):
        return ""
    why = list(dict.fromkeys(field.why for field in change.fields if field.impact == "restart"))
    entry = of_kind(item.kind.name)
    if not why or (entry.get("many") and getattr(item.record, entry["many"]) > 1):
        return ""
    standby: str | None = entry.get("standby")
    has_standby = standby is not None and all(getattr(one.record, standby) for one in (change.before, change.after) if one)
    words = entry.get("restart_with_standby") if has_standby else entry.get("restart")
    return f"{words or 'it is away for a moment'} ({'; '.join(why)})"


def downtime_of_replacement(change: Change, *, is_old_first: bool) -> str:
    """What people notice when another one takes its place."""
    if not is_used(change.before):
        return ""
    if is_old_first:
        return "from the deletion of the old one until the new one runs"
    if kept_by(change.before):
        return "writes stop from the backup until the new one is filled and takes over"
    if of_kind(change.address.partition(".")[0]).get("gone"):
        return "a moment while clients turn to the new one"
    return ""


def downtime_of_deletion(item: Item) -> str:
    """What people notice when it is gone."""
    return str(of_kind(item.kind.name).get("gone", "")) if is_used(item) else ""


def ttl_words(change: Change) -> str:
    """How long old answers live on after a DNS record has changed; "" where its answer stays the same."""
    if change.before is None or all(field.path == "ttl" for field in change.fields):
        return ""
    ttl = change.before.record.ttl
    return f"up to {ttl} seconds (TTL): resolvers keep the old answer"


def loss_of_deletion(item: Item) -> str:
    """What is lost with it, in a sentence."""
    kept = kept_by(item)
    if kept:
        return f"{kept} would be lost without the backup"
    return contents(item)


def loss_of_update(change: Change) -> str:
    """What a change in place deletes, in a sentence; "" where it deletes nothing."""
    return "; ".join(
        f"{one.what} would be lost without the backup" if one.save else f"{one.what} are lost" for one in losses(change)
    )


def way_back(change: Change, provider: str) -> tuple[list[str], Rule | None]:
    """The fields that an update sets back, as words, and the rule that forbids setting one of them back in place."""
    kind = change.address.partition(".")[0]
    words = []
    barred = None
    for field in change.fields:
        path, pattern = shown_path(field.path), _pattern(field.path)
        rule = rule_of(kind, provider, pattern, field.after, field.before)
        if rule.impact == "replace" and field.before != field.after:
            barred = barred or rule
        words.append(
            f"{path} back to {_told(field.path, field.before)}" if field.before != field.after else f"{path} to the old one"
        )
    return words, barred


def _pattern(path: str) -> str:
    """The path as rules write it: `node_groups[gpu].plan` is `node_groups[].plan`."""
    head, bracket, rest = path.partition("[")
    return path if not bracket else f"{head}[]{rest.rpartition(']')[2]}"


def _told(path: str, value: Any) -> str:
    return "nothing" if value is None else said(path, value)

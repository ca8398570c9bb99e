"""How each step is undone, in words, or why it cannot be."""

from prov_gen.model.kinds import Item
from prov_judge.changes.model import Change
from prov_judge.migration.risk import contents, kept_by, losses, of_kind, way_back

MOST_FIELDS = 4
BACKUP = "nothing to undo; delete the backup when it is no longer needed"


def of_creation(item: Item, address: str) -> str:
    """Undoing a creation."""
    lost = "; what was written into it meanwhile is lost" if kept_by(item) else ""
    return f"delete {address} again{lost}"


def of_successor(address: str, *, backup: str, is_old_first: bool) -> str:
    """Undoing the creation of what takes another's place."""
    if not is_old_first:
        return f"delete the new {address}; the old one is still there"
    source = f" and restore {backup}" if backup else ""
    return f"delete it, create {address} as it was before{source}"


def of_update(change: Change, provider: str, backup: str) -> str:
    """Undoing a change in place."""
    words, barred = way_back(change, provider)
    if barred is not None:
        way = f"; the way back is a new one, filled from {backup}" if backup else "; the way back is a new one"
        return f"irreversible: {barred.why}{way}"
    if lost := losses(change):
        way = f"; what was saved is in {backup}" if backup else ""
        return f"irreversible: {', '.join(one.what for one in lost)} are deleted{way}"
    more = f" and {len(words) - MOST_FIELDS} more" if len(words) > MOST_FIELDS else ""
    told = f"set {', '.join(words[:MOST_FIELDS])}{more}"
    return f"{told}; it restarts again" if any(field.impact == "restart" for field in change.fields) else told


def of_deletion(item: Item, address: str, backup: str) -> str:
    """Undoing a deletion."""
    entry = of_kind(item.kind.name)
    if entry.get("lost"):
        return f"irreversible: {entry['lost']}"
    if inside := contents(item):
        return f"create {address} again; {inside}"
    again = f"; {entry['again']}" if entry.get("again") else ""
    if backup:
        return f"create {address} again and restore {backup}; what was written after it is lost{again}"
    return f"create {address} again as it was{again}"

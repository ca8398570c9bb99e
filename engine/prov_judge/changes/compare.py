"""What is different between two configurations, and why something must be replaced.

Things are matched by address, then by `renames`. Values are compared as they hold, not as they are written: a default that
somebody wrote out is no change. What is built on something replaced points at a new thing, and changes or is replaced too,
as Terraform's references make it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.leaves import Leaf, leaves
from prov_judge.changes.masking import shown_path
from prov_judge.changes.model import Action, Change, FieldChange
from prov_judge.changes.renames import renames
from prov_judge.changes.replacement import rule_of
from prov_judge.changes.things import Thing, order, things

_SILENT = frozenset({"infrastructure"})
"""What is told only when it changes: the configuration itself is no resource."""


def compare(current: InfrastructureConfig, target: InfrastructureConfig) -> tuple[Change, ...]:
    """Every thing of both configurations with what happens to it, in the order of `things.ORDER`, then by address."""
    return changes_of(things(current), things(target))


def changes_of(before: Mapping[str, Thing], after: Mapping[str, Thing]) -> tuple[Change, ...]:
    """As `compare`, for things that are known already."""
    gone = [thing for address, thing in before.items() if address not in after]
    new = [thing for address, thing in after.items() if address not in before]
    previous = renames(gone, new)
    renamed = {old: now for now, old in previous.items()}
    found: dict[str, list[FieldChange]] = {}
    for address, thing in after.items():
        old = before.get(previous.get(address, address))
        if old is not None:
            found[address] = list(_fields(old, thing, renamed))
    _follow_replacements(after, found)
    changes = [_changed(before[previous.get(address, address)], after[address], fields) for address, fields in found.items()]
    changes += [Change(thing.address, "create", None, thing.item) for thing in new if thing.address not in previous]
    changes += [Change(thing.address, "delete", thing.item, None) for thing in gone if thing.address not in renamed]
    told = [change for change in changes if change.action != "no_op" or change.address.partition(".")[0] not in _SILENT]
    return tuple(sorted(told, key=lambda change: order(change.address)))


def _fields(old: Thing, new: Thing, renamed: Mapping[str, str]) -> Sequence[FieldChange]:
    """The fields that differ; names of renamed things are followed and are no change."""
    before = _followed(old, renamed).leaves if any(address in renamed for _, address in old.names) else old.leaves
    after = new.leaves
    if before == after:
        return ()
    nothing = Leaf("", None)
    found = []
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path, nothing), after.get(path, nothing)
        if was.value != now.value:
            rule = rule_of(new.kind, old.provider, now.pattern or was.pattern, was.value, now.value)
            found.append(FieldChange(path, was.value, now.value, rule.impact, rule.why))
    return found


def _followed(thing: Thing, renamed: Mapping[str, str]) -> Thing:
    """The thing as if what it names had had its new names already."""
    names = {field: {} for field, _ in thing.names}  # type: dict[str, dict[str, str]]
    for field, address in thing.names:
        if address in renamed:
            names[field][_last(address)] = _last(renamed[address])
    values = dict(thing.values)
    for field, mapping in names.items():
        if mapping:
            values = _renamed_at(values, field.split("."), mapping)
    return Thing(thing.address, thing.item, values, leaves(values), thing.names)


def _last(address: str) -> str:
    return address.split(".", 1)[1].rpartition("/")[2] if address.startswith("subnet.") else address.split(".", 1)[1]


def _renamed_at(values: Any, steps: list[str], mapping: Mapping[str, str]) -> Any:
    if not steps:
        return mapping.get(values, values)
    step = steps[0].removesuffix("[]")
    inner = values.get(step)
    if inner is None:
        return values
    if steps[0].endswith("[]"):
        return {**values, step: [_renamed_at(element, steps[1:], mapping) for element in inner]}
    return {**values, step: _renamed_at(inner, steps[1:], mapping)}


def _follow_replacements(after: Mapping[str, Thing], found: dict[str, list[FieldChange]]) -> None:
    """What names a replaced thing is pointed at the new one; where that cannot be done in place it is replaced as well."""
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for address, thing in after.items():
        for field, target in thing.names:
            users[target].append((address, field))
    waiting = [address for address, fields in found.items() if _is_replaced(fields)]
    done = set(waiting)
    while waiting:
        target = waiting.pop()
        for address, field in users[target]:
            if address not in found or address == target:
                continue
            thing, name = after[address], _last(target)
            if any(one.path.partition("[")[0] == field.partition("[")[0] and one.impact == "replace" for one in found[address]):
                continue
            # Neither grown nor shrunk, only another: the conditions of rules about amounts do not hold.
            rule = rule_of(thing.kind, thing.provider, field.removesuffix("[]"), "its old one", "its new one")
            why = f"{target} is replaced" + (f", and {rule.why}" if rule.why else "")
            found[address].append(FieldChange(field, name, name, rule.impact, why))
            if rule.impact == "replace" and address not in done:
                done.add(address)
                waiting.append(address)


def _is_replaced(fields: Sequence[FieldChange]) -> bool:
    return any(field.impact == "replace" for field in fields)


def _changed(old: Thing, new: Thing, fields: Sequence[FieldChange]) -> Change:
    action: Action = "replace" if _is_replaced(fields) else "update" if fields else "no_op"
    ordered = tuple(sorted(fields, key=lambda field: (field.path, field.why)))
    reasons = tuple(dict.fromkeys(_reason(field) for field in ordered if field.impact == "replace"))
    previous = old.address if old.address != new.address else None
    return Change(new.address, action, old.item, new.item, ordered, reasons, previous)


def _reason(field: FieldChange) -> str:
    return field.why if field.before == field.after else f"{shown_path(field.path)}: {field.why}"

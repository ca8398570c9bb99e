"""Waivers: failed results that somebody accepted, with a reason, until a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from prov_corpus.similar import nearest
from prov_gen.layers.waivers import LONGEST
from prov_gen.model.security import Waiver
from prov_judge.compliance.evidence import counted
from prov_judge.compliance.model import Check, Result, Waived

MAX_NOTES = 100
"""Notes about waivers in one assessment."""

MAX_SUGGESTIONS = 5
"""Notes that get likely names; searching thousands of names costs milliseconds each time."""

Key = tuple[str, str | None]


def waive(
    results: Sequence[Result],
    waivers: Sequence[Waiver],
    *,
    known: Sequence[Check],
    mine: Sequence[Check],
    addresses: Iterable[str],
    today: date,
) -> tuple[tuple[Result, ...], tuple[str, ...]]:
    """The results with those marked that a waiver holds for, and notes about waivers that do nothing or too much.

    `known` are all checks, `mine` those of the framework: a waiver for another framework's check is left alone. The first
    waiver in the list that fits a result holds for it.
    """
    if not waivers:
        return tuple(results), ()
    failing = _failing(results)
    ids, own = {check.id for check in known}, {check.id for check in mine}
    names = {name for address in addresses for name in _names(address)}
    held: dict[Key, tuple[int, Waived]] = {}
    notes: list[str] = []
    for index, waiver in enumerate(waivers):
        if waiver.check in ids and waiver.check not in own:
            continue
        fitting = failing.get((waiver.check, waiver.resource), ())
        last = last_day(waiver)
        is_early = len(notes) < MAX_SUGGESTIONS
        if waiver.check not in ids:
            problem = f"there is no such check{_likely(waiver.check, ids) if is_early else ''}"
        elif last is None:
            problem = f"{waiver.expires} is no day of the calendar, so it does not hold"
        elif last < today:
            problem = f"expired on {last}, so it does not hold" + (f" for {counted(len(fitting), 'failure')}" if fitting else "")
        elif fitting:
            held.setdefault((waiver.check, waiver.resource), (index, Waived(waiver.reason, last, waiver.approved_by or "")))
            problem = _warning(waiver, fitting, last, today)
        elif waiver.resource is None or waiver.resource in names:
            problem = "nothing fails that it could hold for; take it out"
        else:
            problem = f"there is no resource {waiver.resource[:64]}{_likely(waiver.resource, names) if is_early else ''}"
        if problem:
            notes.append(f"waivers[{index}] ({waiver.check[:64]}): {problem}")
    return tuple(_marked(result, held) for result in results), tuple(notes[:MAX_NOTES])


def _warning(waiver: Waiver, fitting: Sequence[Result], last: date, today: date) -> str:
    """What is doubtful about a waiver that holds; empty for nothing."""
    said = []
    if last - today > LONGEST:
        said.append(f"it holds until {last}, for more than {LONGEST.days} days; choose a nearer day")
    addresses = sorted({result.address for result in fitting})
    if waiver.resource is not None and len(addresses) > 1:
        said.append(f"{waiver.resource[:64]} names {' and '.join(addresses[:3])}; write the address of the one that is meant")
    return "; ".join(said)


def last_day(waiver: Waiver) -> date | None:
    """The last day on which it holds; None when what it says is no day of the calendar."""
    try:
        return date.fromisoformat(waiver.expires)
    except ValueError:
        return None


def _names(address: str) -> tuple[str, ...]:
    """What a waiver may call a resource: its address, and its name."""
    name = address.partition(".")[2]
    return (address, name) if name else (address,)


def _keys(result: Result) -> tuple[Key, ...]:
    return ((result.check, None), *((result.check, name) for name in _names(result.address)))


def _failing(results: Sequence[Result]) -> dict[Key, list[Result]]:
    """The failures by what a waiver may say of them."""
    failing: dict[Key, list[Result]] = {}
    for result in results:
        if result.status == "fail":
            for key in _keys(result):
                failing.setdefault(key, []).append(result)
    return failing


def _marked(result: Result, held: Mapping[Key, tuple[int, Waived]]) -> Result:
    if result.status != "fail":
        return result
    fitting = [held[key] for key in _keys(result) if key in held]
    return replace(result, waived=min(fitting, key=lambda one: one[0])[1]) if fitting else result


def _likely(name: str, names: Iterable[str]) -> str:
    near = nearest(name, names)
    return f"; did you mean {', '.join(near)}?" if near else ""

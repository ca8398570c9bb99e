"""A migration as Markdown for a pull request: the sentence, the risks, each wave, and the fields behind it.

GitHub takes comments of 65,536 characters; the document is shorter whatever the plan, and says what is left out.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from prov_judge.migration.model import Migration, Step
from prov_judge.migration.words import compliance_words, field_words, summary, told_compliance, told_costs
from stratumops.markdown import code, folded, table, text

LONGEST = 60_000
"""Characters of the document."""
MOST_FIELDS = 6
"""Fields of a resource in its cell."""
MOST_TOUCHED = 6
"""Addresses in a cell."""
MOST_NOTES = 20
_NOTES, _MAPPINGS, _RADIUS, _LAST = 10_000, 10_000, 8_000, 400
_LEAST = 3_000
"""Room that a wave needs: a heading and a row of the longest texts."""


def as_markdown(migration: Migration) -> str:
    """The plan, in at most `LONGEST` characters; what is left out is counted, and stands in `document.as_json`."""
    parts = [f"## Migration: {summary(migration)}", *_money(migration), *_notes(migration.notes)]
    if migration.mappings:
        body = table(
            ("resource", "before", "after", "why"),
            migration.mappings,
            lambda one: (code(one.address), code(one.before), code(one.after), text(one.why)),
            room=_MAPPINGS,
        )
        parts += ["### What stands for what", body]
    parts += _waves(migration.steps, LONGEST - _RADIUS - _LAST - sum(len(part) + 2 for part in parts))
    if migration.blast_radius:
        body = table(
            ("changed", "depends on it"),
            sorted(migration.blast_radius.items()),
            lambda row: (code(row[0]), _addresses(row[1]) or "nothing"),
            room=_RADIUS - _LAST,
        )
        parts.append(folded("Blast radius", body))
    return "\n\n".join(parts) + "\n"


def _notes(notes: Sequence[str]) -> Iterator[str]:
    room, shown = _NOTES, 0
    for note in notes[:MOST_NOTES]:
        line = f"> {text(note, 400)}"
        room -= len(line)
        if room < 0:
            break
        yield line
        shown += 1
    if len(notes) > shown:
        yield f"> ... and {len(notes) - shown:,} more notes."


def _waves(steps: Sequence[Step], room: int) -> Iterator[str]:
    waves = [(number, list(group)) for number, group in groupby(steps, key=lambda step: step.wave)]
    head = ("step", "why", "what differs", "touches", "risk", "way back")
    for index, (number, group) in enumerate(waves):
        title = f"### Wave {number}"
        if room < _LEAST:
            left = sum(len(others) for _, others in waves[index:])
            yield f"... and {left:,} steps more in {len(waves) - index:,} waves: the whole plan is in the JSON report."
            return
        body = table(head, group, _cells, room=room - len(title))
        room -= len(title) + len(body) + 4
        yield title
        yield body


def _money(migration: Migration) -> Iterator[str]:
    lines = []
    for currency, before, after in told_costs(migration):
        lines.append(f"- a month costs **{after - before:+,.2f} {currency}** ({before:,.2f} -> {after:,.2f})")
    lines += [f"- {one.framework}: {compliance_words(one)}" for one in told_compliance(migration)]
    if lines:
        yield "\n".join(lines)


def _cells(step: Step) -> tuple[str, ...]:
    # A replaced resource has several steps; what differs is told with the one that makes the new thing.
    change = step.change if step.phase in {"change", "build"} and step.action != "delete" else None
    fields = [field_words(one) for one in change.fields[:MOST_FIELDS]] if change else []
    if change and len(change.fields) > MOST_FIELDS:
        fields.append(f"... {len(change.fields) - MOST_FIELDS} more")
    risks = [f"**{word}**: {text(said)}" for word, said in (("downtime", step.downtime), ("data", step.data_loss)) if said]
    return (
        text(step.title),
        text("; ".join(step.change.reasons)) if step.change and (change or step.action == "delete") else "",
        "<br>".join(map(text, fields)),
        _addresses(step.affects),
        "<br>".join(risks),
        text(step.rollback),
    )


def _addresses(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - MOST_TOUCHED:,} more" if len(addresses) > MOST_TOUCHED else ""
    return f"{', '.join(map(code, addresses[:MOST_TOUCHED]))}{more}"

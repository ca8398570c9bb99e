"""A migration as Markdown for a pull request: the sentence, the risks, each wave, and the fields behind it."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from prov_judge.migration.model import Migration, Step
from prov_judge.migration.words import field_words, summary
from stratumops.markdown import code, folded, table, text

MOST_FIELDS = 6
"""Fields of a resource in its cell."""


def as_markdown(migration: Migration) -> str:
    """The whole plan."""
    parts = [f"## Migration: {summary(migration)}", *_money(migration)]
    parts += [f"> {text(note, 600)}" for note in migration.notes]
    if migration.mappings:
        parts += [
            "### What stands for what",
            table(
                ("resource", "before", "after", "why"),
                migration.mappings,
                lambda one: (code(one.address), code(one.before), code(one.after), text(one.why)),
            ),
        ]
    for wave, steps in groupby(migration.steps, key=lambda step: step.wave):
        parts += [f"### Wave {wave}", table(("step", "why", "what differs", "touches", "risk", "way back"), steps, _cells)]
    if migration.blast_radius:
        body = table(
            ("changed", "depends on it"),
            sorted(migration.blast_radius.items()),
            lambda row: (code(row[0]), ", ".join(map(code, row[1])) or "nothing"),
        )
        parts.append(folded("Blast radius", body))
    return "\n\n".join(parts) + "\n"


def _money(migration: Migration) -> Iterator[str]:
    lines = []
    for currency in sorted({*migration.cost_before, *migration.cost_after}):
        before, after = migration.cost_before.get(currency, Decimal(0)), migration.cost_after.get(currency, Decimal(0))
        lines.append(f"- a month costs **{after - before:+,.2f} {currency}** ({before:,.2f} -> {after:,.2f})")
    lines += [f"- {one.framework}: {one.before} -> {one.after} failed checks" for one in migration.compliance]
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
        text("; ".join(change.reasons)) if change else "",
        "<br>".join(map(text, fields)),
        ", ".join(map(code, step.affects)),
        "<br>".join(risks),
        text(step.rollback),
    )

"""A migration in a terminal: a tree of waves, steps and fields in colours, then the risks in one line."""

from functools import partial
from itertools import groupby

from rich.text import Text
from rich.tree import Tree

from prov_judge.migration.document import as_json
from prov_judge.migration.markdown import as_markdown
from prov_judge.migration.model import Migration, Step
from prov_judge.migration.picture import as_svg
from prov_judge.migration.words import MARKS, compliance_words, field_words, summary, told_compliance, told_costs
from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.views.documents import Documents, show_document, write_document

STYLES = {"create": "good", "update": "warning", "replace": "error", "delete": "error", "no_op": "quiet"}
MOST_TOUCHED = 6


def act(answer: Answer) -> None:
    """Write what `--output` asks for."""
    write_document(answer, _documents(answer))


def show(answer: Answer) -> None:
    """Print the plan."""
    if show_document(answer, _documents(answer)):
        return
    migration = _migration(answer)
    out = answer.session.out
    for mapped in migration.mappings:
        words = f"{mapped.address}: {mapped.before} becomes {mapped.after}"
        out.print(Text.assemble(("≈ ", "info"), visible(words), (f"  {visible(mapped.why)}", "quiet")), soft_wrap=True)
    for wave, steps in groupby(migration.steps, key=lambda step: step.wave):
        tree = Tree(Text(f"wave {wave}", "heading"), guide_style="quiet")
        for step in steps:
            _add(tree, step)
        out.print(tree)
    for line in _lines(migration):
        out.print(line, soft_wrap=True)


def _add(tree: Tree, step: Step) -> None:
    does = Text.assemble(
        (f"{MARKS[step.action]} ", STYLES[step.action]), (visible(step.address), "name"), "  ", visible(step.title)
    )
    branch = tree.add(does)
    if step.change is not None and step.phase == "change":
        for reason in step.change.reasons:
            branch.add(Text.assemble(("because ", "quiet"), visible(reason)))
        for field in step.change.fields if step.action in {"update", "replace"} else ():
            branch.add(Text(visible(field_words(field)), "error" if field.impact == "replace" else ""))
    if step.affects:
        named = ", ".join(step.affects[:MOST_TOUCHED])
        more = f" and {len(step.affects) - MOST_TOUCHED} more" if len(step.affects) > MOST_TOUCHED else ""
        branch.add(Text.assemble(("touches ", "quiet"), visible(named), more))
    for style, word, said in (("warning", "downtime: ", step.downtime), ("error", "data: ", step.data_loss)):
        if said:
            branch.add(Text.assemble((word, style), visible(said)))
    branch.add(Text.assemble(("way back: ", "quiet"), (visible(step.rollback), "error" if step.is_irreversible else "quiet")))


def _lines(migration: Migration) -> list[Text]:
    lines = [Text(visible(note), "info") for note in migration.notes]
    deltas = []
    for currency, before, after in told_costs(migration):
        deltas.append(f"{after - before:+,.2f} {currency} a month ({before:,.2f} -> {after:,.2f})")
    if deltas:
        lines.append(Text.assemble(("cost        ", "heading"), "; ".join(deltas)))
    for index, delta in enumerate(told_compliance(migration)):
        head = "compliance  " if index == 0 else " " * 12
        style = "warning" if delta.newly_failing or delta.worse else ""
        lines.append(Text.assemble((head, "heading"), f"{delta.framework} ", (compliance_words(delta), style)))
    return [*lines, Text(summary(migration), "heading")]


def _documents(answer: Answer) -> Documents:
    migration = _migration(answer)
    return {
        "markdown": partial(as_markdown, migration),
        "svg": partial(as_svg, migration),
        "json": partial(as_json, migration),
    }


def _migration(answer: Answer) -> Migration:
    whole = getattr(answer.output, "whole", None)
    assert isinstance(whole, Migration)
    return whole

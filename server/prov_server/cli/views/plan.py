"""A plan in a terminal: a tree of waves and steps with their risks, then money, checks, and what to do next."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.writing import write_new, write_new_bytes
from provisioning.plan.model import Plan, PlanStep
from provisioning.plan.words import MARKS, as_text, blast_radius, cost_words, field_words, summary

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {"create": "good", "update": "warning", "delete": "error", "backup": "info", "task": "info"}
MOST_TOUCHED = 6
MOST_FIELDS = 6


def act(answer: Answer) -> None:
    """Draw and write what `--graph` and `--output` ask for."""
    plan = _plan(answer)
    force = bool(answer.extras.get("force"))
    written = []
    if graph := answer.extras.get("graph"):
        from provisioning.plan.picture import as_svg

        svg = as_svg(plan)
        if PurePath(graph).suffix.lower() == ".png":
            from stratumops.pictures.png import png

            written += write_new_bytes({graph: png(svg)}, force=force)
        else:
            written += write_new({graph: svg}, force=force)
    if output := answer.extras.get("output"):
        text = plan.body.decode() + "\n" if PurePath(output).suffix.lower() == ".json" else as_text(plan)
        written += write_new({output: text}, force=force)
    for path in written:
        answer.session.notes.print(Text.assemble(("wrote ", "good"), visible(str(path))), soft_wrap=True)


def show(answer: Answer) -> None:
    """Print the plan."""
    plan = _plan(answer)
    show_plan(answer.session.out, plan)
    if plan.steps:
        told = f"\nNext:\n  {answer.session.command} apply {plan.id}     shows it again, asks you, and does it"
        answer.session.notes.print(told, soft_wrap=True)


def show_plan(out: "Console", plan: Plan) -> None:
    """A plan as a person reads it."""
    for wave, steps in groupby(plan.steps, key=lambda step: step.wave):
        tree = Tree(Text(f"wave {wave}", "heading"), guide_style="quiet")
        for step in steps:
            _add(tree, step)
        out.print(tree)
    for line in _lines(plan):
        out.print(line, soft_wrap=True)


def _add(tree: Tree, step: PlanStep) -> None:
    is_new = step.is_replacement and step.action == "create"
    mark, style = ("±", "error") if is_new else (MARKS[step.action], STYLES[step.action])
    line = Text.assemble((f"{mark} ", style), (visible(step.address), "name"), "  ", visible(step.title))
    if step.provider:
        line.append(f"  {step.provider}", "quiet")
    branch = tree.add(line)
    for why in step.why if step.action != "delete" else ():
        branch.add(Text.assemble(("because ", "quiet"), visible(why)))
    told = field_words(step)
    for field in told[:MOST_FIELDS]:
        branch.add(Text(visible(field)))
    if len(told) > MOST_FIELDS:
        branch.add(Text(f"and {len(told) - MOST_FIELDS} more fields", "quiet"))
    if step.affects:
        named = ", ".join(step.affects[:MOST_TOUCHED])
        more = f" and {len(step.affects) - MOST_TOUCHED} more" if len(step.affects) > MOST_TOUCHED else ""
        branch.add(Text.assemble(("touches ", "quiet"), visible(named), more))
    for risk_style, word, said in (("warning", "downtime: ", step.downtime), ("error", "data: ", step.data_loss)):
        if said:
            branch.add(Text.assemble((word, risk_style), visible(said)))
    if step.rollback.startswith("irreversible"):
        branch.add(Text.assemble(("way back: ", "quiet"), (visible(step.rollback), "error")))


def _lines(plan: Plan) -> Iterator[Text]:
    yield from (Text(visible(note), "info") for note in plan.notes)
    yield from (Text.assemble(("left out    ", "warning"), visible(f"{one}: {why}")) for one, why in plan.left_out.items())
    yield from (Text.assemble(("warning     ", "warning"), visible(finding)) for finding in plan.findings)
    if costs := cost_words(plan):
        yield Text.assemble(("cost        ", "heading"), "; ".join(costs))
    for index, (framework, said) in enumerate(plan.compliance.items()):
        head = "compliance  " if index == 0 else " " * 12
        yield Text.assemble(
            (head, "heading"), f"{framework} ", (said, "warning" if "new:" in said or "more places" in said else "")
        )
    if radius := blast_radius(plan):
        more = f" and {len(radius) - MOST_TOUCHED} more" if len(radius) > MOST_TOUCHED else ""
        yield Text.assemble(("touches     ", "heading"), visible(", ".join(radius[:MOST_TOUCHED])), more)
    yield Text.assemble((f"{plan.id}  ", "name"), (summary(plan), "heading"))


def _plan(answer: Answer) -> Plan:
    whole = getattr(answer.output, "whole", None)
    assert isinstance(whole, Plan)
    return whole

"""A plan in a terminal: a tree of waves and steps with their risks, then money, checks, and what to do next."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from prov_server.cli.console import one_line
from prov_server.cli.views import Answer
from prov_server.cli.writing import write_new, write_new_bytes
from provisioning.plan.model import Plan, PlanStep
from provisioning.plan.words import (
    MARKS,
    as_text,
    blast_radius,
    cost_words,
    field_words,
    imported_words,
    origin_words,
    sent_words,
    summary,
)

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
        answer.session.notes.print(Text.assemble(("wrote ", "good"), one_line(str(path))), soft_wrap=True)


def show(answer: Answer) -> None:
    """Print the plan."""
    plan = _plan(answer)
    is_cut = show_plan(answer.session.out, plan)
    for said in getattr(answer.output, "guidelines", None) or []:
        answer.session.out.print(Text.assemble(("guideline ", "heading"), one_line(said)), soft_wrap=True)
    if is_cut:
        told = f"\nEvery field: {answer.session.command} plan ... --output plan.txt, or what `apply` shows before it asks you"
        answer.session.notes.print(told, soft_wrap=True)
    if plan.steps:
        told = f"\nNext:\n  {answer.session.command} apply {plan.id}     shows it again, asks you, and does it"
        answer.session.notes.print(told, soft_wrap=True)


def show_plan(out: "Console", plan: Plan, *, is_whole: bool = False, accounts: Mapping[str, str] = {}) -> bool:
    """A plan as a person reads it; answers whether fields of steps were left out.

    `is_whole` is for a person who approves: with who made it from what, and nothing cut. `accounts` says what is not usual about
    a provider's account.
    """
    is_cut = False
    if is_whole:
        for label, said in origin_words(plan, accounts):
            out.print(Text.assemble((f"{one_line(label):<12}", "heading"), one_line(said)), soft_wrap=True)
    for wave, steps in groupby(plan.steps, key=lambda step: step.wave):
        tree = Tree(Text(f"wave {wave}", "heading"), guide_style="quiet")
        for step in steps:
            is_cut |= _add(tree, step, is_whole=is_whole)
        out.print(tree)
    for line in _lines(plan, is_whole=is_whole):
        out.print(line, soft_wrap=True)
    return is_cut


def _add(tree: Tree, step: PlanStep, *, is_whole: bool) -> bool:
    is_new = step.is_replacement and step.action == "create"
    mark, style = ("±", "error") if is_new else (MARKS[step.action], STYLES[step.action])
    line = Text.assemble((f"{mark} ", style), (one_line(step.address), "name"), "  ", one_line(step.title))
    if step.provider:
        line.append(f"  {one_line(step.provider)}", "quiet")
    if step.id_there:
        line.append(f"  {one_line(step.id_there)}", "name")
    branch = tree.add(line)
    if step.task:
        branch.add(Text.assemble(("does ", "quiet"), one_line(step.task)))
    imported = imported_words(step)
    for why in step.why if step.action != "delete" else ():
        if why not in imported:
            branch.add(Text.assemble(("because ", "quiet"), one_line(why)))
    for said in imported:
        branch.add(Text(one_line(said), "warning"))
    told = field_words(step, is_whole=is_whole)
    most = len(told) if is_whole else MOST_FIELDS
    for field in told[:most]:
        branch.add(Text(one_line(field)))
    if len(told) > most:
        branch.add(Text(f"and {len(told) - most} more field{'' if len(told) - most == 1 else 's'}", "quiet"))
    for said in sent_words(step):
        branch.add(Text(one_line(said), "info"))
    if step.affects:
        named, more = _named(step.affects, is_whole=is_whole)
        branch.add(Text.assemble(("touches ", "quiet"), one_line(named), more))
    for risk_style, word, said in (("warning", "downtime: ", step.downtime), ("error", "data: ", step.data_loss)):
        if said:
            branch.add(Text.assemble((word, risk_style), one_line(said)))
    if step.rollback.startswith("irreversible"):
        branch.add(Text.assemble(("way back: ", "quiet"), (one_line(step.rollback), "error")))
    return len(told) > most


def _named(addresses: Sequence[str], *, is_whole: bool) -> tuple[str, str]:
    """Addresses, and how many more there are."""
    most = len(addresses) if is_whole else MOST_TOUCHED
    return ", ".join(addresses[:most]), f" and {len(addresses) - most} more" if len(addresses) > most else ""


def _lines(plan: Plan, *, is_whole: bool) -> Iterator[Text]:
    yield from (Text(one_line(note), "info") for note in plan.notes)
    yield from (Text.assemble(("left out    ", "warning"), one_line(f"{one}: {why}")) for one, why in plan.left_out.items())
    yield from (Text.assemble(("warning     ", "warning"), one_line(finding)) for finding in plan.findings)
    if costs := cost_words(plan):
        yield Text.assemble(("cost        ", "heading"), "; ".join(costs))
    for index, (framework, said) in enumerate(plan.compliance.items()):
        head = "compliance  " if index == 0 else " " * 12
        yield Text.assemble(
            (head, "heading"), f"{framework} ", (said, "warning" if "new:" in said or "more places" in said else "")
        )
    if radius := blast_radius(plan):
        named, more = _named(radius, is_whole=is_whole)
        yield Text.assemble(("touches     ", "heading"), one_line(named), more)
    yield Text.assemble((f"{plan.id}  ", "name"), (summary(plan), "heading"))


def _plan(answer: Answer) -> Plan:
    whole = getattr(answer.output, "whole", None)
    assert isinstance(whole, Plan)
    return whole

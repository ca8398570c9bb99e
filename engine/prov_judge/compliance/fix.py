"""A changed configuration that passes more checks: written into the user's own text, with the difference, judged again."""

import asyncio
from dataclasses import dataclass
from datetime import date

from prov_gen.edit import REVEALING, CannotEditError, Edit, edit_in_place, write_anew
from prov_gen.findings import Path
from prov_gen.layers.limits import Pricer
from prov_gen.load import Loaded
from prov_gen.nickel import Nickel
from prov_judge.compliance.choice import Choice, choose
from prov_judge.compliance.model import Assessment, Result
from stratumops.workspace import Workspace

SECRET = f"SEC-01: {REVEALING}; keep it in a vault first"
"""Why a failure beside a secret is left."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The changed configuration as `text` of the file `name` (None when nothing can be changed), and a unified diff to it.

    `fixed` are the failures that pass then, `left` the others with the reason; `after` is the judgement on the changed text.
    `rewritten` says why the text was written anew instead of in place; empty when it was not. No diff shows a secret.
    """

    text: str | None
    diff: str
    fixed: tuple[Result, ...]
    left: tuple[tuple[Result, str], ...]
    after: Assessment
    name: str = ""
    rewritten: str = ""


async def propose(
    loaded: Loaded,
    assessment: Assessment,
    *,
    nickel: Nickel,
    workspace: Workspace | None,
    today: date,
    pricer: Pricer | None = None,
) -> Proposal:
    """A proposal for what fails in `assessment`, the judgement on `loaded`. Raises UnavailableError (no evaluator).

    What cannot be edited in place, or would show a secret, is left; the text is written anew only where nothing else can be
    done. With a `pricer`, a change that breaks the configuration's budget is left too.
    """
    refused: dict[Path, str] = {}

    async def chosen() -> Choice:
        return await asyncio.to_thread(choose, loaded.config, assessment, today=today, pricer=pricer, refused=refused)

    first = choice = await chosen()
    while choice.edits:
        try:
            edited = await edit_in_place(loaded, choice.edits, nickel=nickel, workspace=workspace)
        except CannotEditError as error:
            refused |= _told(error, choice.edits)
            choice = await chosen()
        else:
            return Proposal(edited.text, edited.diff, choice.fixed, choice.left, choice.after, edited.name)
    if not first.edits or all(reason == SECRET for reason in refused.values()):
        return Proposal(None, "", (), choice.left, assessment)
    try:
        edited = await write_anew(loaded, first.edits, nickel=nickel, workspace=workspace)
    except CannotEditError:
        left = tuple((result, SECRET if result in first.fixed else reason) for result, reason in choice.left)
        return Proposal(None, "", (), left, assessment)
    reason = next(reason for reason in refused.values() if reason != SECRET)
    return Proposal(edited.text, edited.diff, first.fixed, first.left, first.after, edited.name, reason)


def _told(error: CannotEditError, edits: tuple[Edit, ...]) -> dict[Path, str]:
    """What is in the way with its reason; all of it where nobody can tell."""
    told = error.refused or {edit.path: str(error) for edit in edits}
    return {path: SECRET if reason == REVEALING else reason for path, reason in told.items()}

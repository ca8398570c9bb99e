"""A configuration's text with some fields changed: in place where that is safe, else written anew; evaluation proves either."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from prov_gen.edit.change import CannotEditError, Edit, changed, written_value
from prov_gen.edit.data import EDITORS
from prov_gen.edit.nickel import edit_nickel
from prov_gen.layers.pipeline import FORMATS, evaluated
from prov_gen.layers.rendered import check_rendered, contract_of
from prov_gen.load import Loaded, load_config
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import INFRASTRUCTURE, Kind
from prov_gen.nickel import Nickel, NickelSource, nickel_string
from prov_gen.render import render
from prov_gen.source import ConfigSource
from prov_gen.stated import INDENT
from stratumops.errors import InternalError, InvalidInputError, UnavailableError
from stratumops.workspace import Workspace

DIFFERS = "edited in place, the text would mean something else"


@dataclass(frozen=True, slots=True)
class Edited:
    """The changed configuration and its text, which belongs into the file `name`.

    `rewritten` says why the text had to be written anew, without the user's own layout and comments; empty when it was not.
    """

    config: InfrastructureConfig
    text: str
    name: str
    rewritten: str = ""


async def edit_config(loaded: Loaded, edits: Sequence[Edit], *, nickel: Nickel, workspace: Workspace | None) -> Edited:
    """The configuration with these fields changed, as text that evaluates to exactly that, under its contract too.

    Raises InvalidInputError (the models do not take the change) and UnavailableError (no evaluator).
    """
    wanted = await asyncio.to_thread(changed, loaded.config, edits)
    source = loaded.source
    reason = DIFFERS
    candidates = _candidates(loaded, edits, wanted)
    while True:
        try:
            text = await asyncio.to_thread(next, candidates, None)
        except CannotEditError as error:
            reason = str(error)
            break
        if text is None:
            break
        if await _means(_source_of(text, source), wanted, nickel, workspace):
            return Edited(wanted, text, source.name)
    return await _anew(wanted, source, reason, nickel, workspace)


def _candidates(loaded: Loaded, edits: Sequence[Edit], wanted: InfrastructureConfig) -> Iterator[str]:
    """Texts that may be it, the plainest first. Raises CannotEditError when there is none (left) to try."""
    source, bare = loaded.source, loaded.bare
    text, written = source.text, [replace(edit, path=loaded.written(edit.path)) for edit in edits]
    if bare is not None and any(new.path == old.path for new, old in zip(written, edits, strict=True)):
        if not source.is_nickel:
            raise CannotEditError(f"it is one {bare.title.lower()}, and the change is about the whole configuration")
        text, edits = _surrounded(text, bare), [*_outer(loaded.config), *edits]
        written = list(edits)
    if source.is_nickel:
        fields = [(new.path, written_value(wanted, old.path)) for new, old in zip(written, edits, strict=True)]
        plain = edit_nickel(text, fields)
        yield plain
        forced = edit_nickel(text, fields, forced=True)
        if forced != plain:
            yield forced
        return
    suffix = source.path.suffix.lower() if source.path else ""
    if suffix not in EDITORS:
        raise CannotEditError(f"{suffix} files are not changed in place")
    yield EDITORS[suffix](text, written)


def _surrounded(text: str, bare: Kind) -> str:
    """A bare record as the whole configuration that it stands for."""
    opening, closing = ("[", "]") if bare.is_list else ("(", ")")
    return f"{{\n{INDENT}{bare.field} = {opening}\n{text.strip()}\n{INDENT}{closing},\n}}\n"


def _outer(config: InfrastructureConfig) -> list[Edit]:
    """What a configuration takes over from the bare record that it is made of."""
    return [Edit(("provider",), config.provider)] if "provider" in config.model_fields_set else []


async def _anew(
    wanted: InfrastructureConfig, source: ConfigSource, reason: str, nickel: Nickel, workspace: Workspace | None
) -> Edited:
    rendered = await asyncio.to_thread(render, wanted)
    name = source.name if source.is_nickel else str(PurePosixPath(source.name).with_suffix(".ncl"))
    if not await _means(ConfigSource(rendered.text, name), wanted, nickel, workspace):
        raise InternalError("the changed configuration does not read as it was meant", hint="report this, with the configuration")
    return Edited(wanted, rendered.text, name, reason)


def _source_of(text: str, source: ConfigSource) -> ConfigSource:
    """The text in the place of the source's; a file of data, which would be read from the disk, as a text that holds the data."""
    if source.is_nickel or source.path is None:
        return replace(source, text=text)
    return ConfigSource(f"std.deserialize '{FORMATS[source.path.suffix.lower()]} {nickel_string(text)}", source.name)


async def _means(source: ConfigSource, wanted: InfrastructureConfig, nickel: Nickel, workspace: Workspace | None) -> bool:
    try:
        again = await load_config(source, nickel=nickel, workspace=workspace)
    except UnavailableError:
        raise
    except InvalidInputError:
        return False
    if again.config != wanted:
        return False
    text = NickelSource(source.text, source.name, source.path.parent if source.path else None)
    contracted = await evaluated(nickel.contracted(text, contract_of(again.bare or INFRASTRUCTURE), workspace=workspace))
    return not await asyncio.to_thread(check_rendered, contracted, wanted, again.bare)

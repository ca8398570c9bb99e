"""A configuration's text with some fields changed: in place, or written anew where it cannot be; evaluation proves either."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from prov_gen.edit.change import CannotEditError, Edit, changed, written_value
from prov_gen.edit.difference import CONTEXT, unified_diff
from prov_gen.edit.json_text import edit_json
from prov_gen.edit.nickel import edit_nickel
from prov_gen.edit.plaintext import secret_lines
from prov_gen.edit.splices import Lines, Splice, spliced
from prov_gen.edit.toml_text import edit_toml, toml_places
from prov_gen.findings import Path
from prov_gen.layers.pipeline import FORMATS, evaluated
from prov_gen.layers.rendered import check_rendered, contract_of
from prov_gen.load import Loaded, load_config
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import INFRASTRUCTURE, Kind
from prov_gen.nickel import Nickel, NickelSource, nickel_string
from prov_gen.render import render
from prov_gen.source import PASTED, ConfigSource
from prov_gen.stated import INDENT
from stratumops.errors import InternalError, InvalidInputError, UnavailableError
from stratumops.workspace import Workspace

DIFFERS = "edited in place, the text would mean something else"
REVEALING = "the difference would show a line that holds a secret in plain text"
MAX_TRIES = 24
"""Evaluations that it may cost to find out which of many changes is in the way."""

EDITORS: Mapping[str, Callable[[str, Sequence[Edit]], list[Splice]]] = {".json": edit_json, ".toml": edit_toml}
"""By the file's ending."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The changed configuration and its text, which belongs into the file `name`; `diff` leads to it (`git apply` takes it)."""

    config: InfrastructureConfig
    text: str
    name: str
    diff: str


async def edit_in_place(loaded: Loaded, edits: Sequence[Edit], *, nickel: Nickel, workspace: Workspace | None) -> Edited:
    """The configuration with these fields changed, as the user's text that evaluates to exactly that, under its contract too.

    Raises CannotEditError (its `refused` are the fields that are in the way: all others can be changed together),
    InvalidInputError (the models do not take the change) and UnavailableError (no evaluator).
    """
    try:
        return await _edited(loaded, edits, nickel, workspace)
    except CannotEditError as error:
        if error.refused:
            raise
        reason = str(error)
    refused = await _in_the_way(loaded, edits, nickel, workspace)
    raise CannotEditError(reason, dict.fromkeys(refused, reason))


async def write_anew(loaded: Loaded, edits: Sequence[Edit], *, nickel: Nickel, workspace: Workspace | None) -> Edited:
    """The configuration with these fields changed as Nickel of our own, without the user's layout, comments and imports.

    Raises CannotEditError (the difference would show a secret), InvalidInputError and UnavailableError as above.
    """
    wanted = await asyncio.to_thread(changed, loaded.config, edits)
    source = loaded.source
    rendered = await asyncio.to_thread(render, wanted)
    name = source.name if source.is_nickel else str(PurePosixPath(source.name).with_suffix(".ncl"))
    if not await _means(ConfigSource(rendered.text, name), wanted, nickel, workspace):
        raise InternalError("the changed configuration does not read as it was meant", hint="report this, with the configuration")
    return await asyncio.to_thread(_told, loaded, wanted, rendered.text, name, edits)


async def _edited(loaded: Loaded, edits: Sequence[Edit], nickel: Nickel, workspace: Workspace | None) -> Edited:
    """Raises CannotEditError, with what is refused where that can be told from the text alone."""
    wanted = await asyncio.to_thread(changed, loaded.config, edits)
    source = loaded.source
    candidates = _candidates(loaded, edits, wanted)
    while (text := await asyncio.to_thread(next, candidates, None)) is not None:
        if await _means(_source_of(text, source), wanted, nickel, workspace):
            return await asyncio.to_thread(_told, loaded, wanted, text, source.name, edits)
    raise CannotEditError(DIFFERS)


async def _in_the_way(loaded: Loaded, edits: Sequence[Edit], nickel: Nickel, workspace: Workspace | None) -> list[Path]:
    """The fields without which all others can be changed, found by halves."""
    taken: list[Edit] = []
    refused: list[Path] = []
    waiting, tries = [list(edits)], 0
    while waiting:
        more = waiting.pop()
        tries += 1
        if tries <= MAX_TRIES and await _can_be_edited(loaded, [*taken, *more], nickel, workspace):
            taken += more
        elif len(more) == 1 or tries > MAX_TRIES:
            refused += [edit.path for edit in more]
        else:
            middle = len(more) // 2
            waiting += [more[middle:], more[:middle]]
    return refused


async def _can_be_edited(loaded: Loaded, edits: Sequence[Edit], nickel: Nickel, workspace: Workspace | None) -> bool:
    try:
        await _edited(loaded, edits, nickel, workspace)
    except CannotEditError:
        return False
    return True


def _told(loaded: Loaded, wanted: InfrastructureConfig, text: str, name: str, edits: Sequence[Edit]) -> Edited:
    """The edited text beside its difference. Raises CannotEditError when that would show a secret."""
    source = loaded.source
    shown, own = (one if one != PASTED else "main.ncl" for one in (name, source.name))
    diff = unified_diff(source.text if shown == own else None, text, shown)
    told = "\n".join(line[1:] for line in diff.split("\n"))
    if secret_lines(told, wanted):
        raise CannotEditError(REVEALING, {edit.path: REVEALING for edit in edits})
    return Edited(wanted, text, shown, diff)


def _candidates(loaded: Loaded, edits: Sequence[Edit], wanted: InfrastructureConfig) -> Iterator[str]:
    """Texts that may be it, the plainest first. Raises CannotEditError when there is none (left) to try."""
    source, bare = loaded.source, loaded.bare
    text, written = source.text, [replace(edit, path=loaded.written(edit.path)) for edit in edits]
    whole = {new.path for new, old in zip(written, edits, strict=True) if new.path == old.path} if bare is not None else set()
    names = {new.path: old.path for new, old in zip(written, edits, strict=True)}
    if bare is not None and whole:
        if not source.is_nickel:
            reason = f"it is one {bare.title.lower()}, and the change is about the whole configuration"
            raise CannotEditError(reason, dict.fromkeys(whole, reason))
        text, edits = _surrounded(text, bare), [*_outer(loaded.config), *edits]
        written = list(edits)
        names = {edit.path: edit.path for edit in edits}
    suffix = source.path.suffix.lower() if source.path else ""
    if not source.is_nickel and suffix not in EDITORS:
        reason = f"{suffix} files are not changed in place"
        raise CannotEditError(reason, {edit.path: reason for edit in edits})
    try:
        if source.is_nickel:
            fields = [(new.path, written_value(wanted, old.path)) for new, old in zip(written, edits, strict=True)]
            plain = edit_nickel(text, fields)
            _require_no_secret(text, plain, loaded.config, whole)
            yield spliced(text, plain)
            forced = edit_nickel(text, fields, forced=True)
            if forced != plain:
                yield spliced(text, forced)
            return
        splices = EDITORS[suffix](text, written)
        places = toml_places(text, written) if suffix == ".toml" and len(written) > 1 else splices
        _require_no_secret(text, places, loaded.config, set())
        yield spliced(text, splices)
    except CannotEditError as error:
        raise CannotEditError(str(error), {names[path]: reason for path, reason in error.refused.items()}) from None


def _require_no_secret(text: str, splices: Sequence[Splice], config: InfrastructureConfig, whole: set[Path]) -> None:
    """Refuse the changes whose hunk would show a secret: all that `whole` names where there is any, as they frame the text.

    Raises CannotEditError.
    """
    secret = secret_lines(text, config)
    if not secret:
        return
    touched = Lines(text).around(splices, CONTEXT)
    refused = {path: REVEALING for path, lines in touched.items() if path in whole or not secret.isdisjoint(lines)}
    if refused:
        raise CannotEditError(REVEALING, refused)


def _surrounded(text: str, bare: Kind) -> str:
    """A bare record as the whole configuration that it stands for."""
    opening, closing = ("[", "]") if bare.is_list else ("(", ")")
    return f"{{\n{INDENT}{bare.field} = {opening}\n{text.strip()}\n{INDENT}{closing},\n}}\n"


def _outer(config: InfrastructureConfig) -> list[Edit]:
    """What a configuration takes over from the bare record that it is made of."""
    return [Edit(("provider",), config.provider)] if "provider" in config.model_fields_set else []


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

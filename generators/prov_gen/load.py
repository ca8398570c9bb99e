"""A configuration argument as a model, for whoever prices, judges, compares or exports it.

`validate` says everything that is wrong; here the first reason why there is no model is an error, and findings that leave
the model readable (an unknown plan, a missing reference) are left to those who meet them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prov_gen.findings import Finding, Path
from prov_gen.layers.pipeline import as_written, evaluated, locate_findings, nickel_source, placed, unreadable
from prov_gen.layers.shape import check_shape
from prov_gen.layers.suggest import Suggestions
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import Kind, wrap
from prov_gen.nickel import Nickel
from prov_gen.source import ConfigSource
from stratumops.errors import InvalidInputError, UnavailableError
from stratumops.workspace import Workspace

MAX_TOLD = 20
"""Findings in the details of an error."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and the text that it came from. `bare` is the kind of the one record that the text is, if it is one."""

    config: InfrastructureConfig
    source: ConfigSource
    bare: Kind | None = None

    def written(self, path: Path) -> Path:
        """A path in the configuration as it stands in the text."""
        return as_written(path, self.bare)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands; line and column count from 1, `file` is None for a text that came from no file."""

    line: int
    column: int
    file: str | None


async def load_config(source: ConfigSource, *, nickel: Nickel, workspace: Workspace | None) -> Loaded:
    """The model of a configuration. Raises InvalidInputError (its `details` hold the findings) or UnavailableError."""
    text = nickel_source(source)
    outcome = await evaluated(nickel.checked_value(text, workspace=workspace))
    if outcome.diagnostics or not isinstance(outcome.value, dict):
        found = [placed(one, (), None, source) for one in unreadable(outcome)]
        raise _unusable(source, found, len(found))
    wrapped = wrap(outcome.value)
    shape = await asyncio.to_thread(check_shape, wrapped.value, Suggestions())
    if shape.config is None or shape.findings:
        first = sorted(shape.findings, key=lambda one: one.order)[:MAX_TOLD]
        located = await locate_findings(first, wrapped.bare, text, source, nickel, workspace)
        raise _unusable(source, located, len(shape.findings))
    return Loaded(shape.config, source, wrapped.bare)


async def places(loaded: Loaded, paths: Sequence[Path], *, nickel: Nickel, workspace: Workspace | None) -> dict[Path, Place]:
    """Where the values at these paths of the configuration stand; a value that nobody wrote (a default) has no place."""
    try:
        written = [loaded.written(path) for path in paths]
        found = await nickel.locate_many(nickel_source(loaded.source), written, workspace=workspace)
    except (InvalidInputError, UnavailableError):
        return {}
    own = None if loaded.source.path is None else loaded.source.name
    return {
        path: Place(position.line, position.column, own if position.file == loaded.source.name else position.file)
        for path, position in zip(paths, found, strict=True)
        if position is not None and loaded.source.is_nickel
    }


def _unusable(source: ConfigSource, findings: list[Finding], count: int) -> InvalidInputError:
    """The first of `count` findings as an error, and where the others are told."""
    first = findings[0]
    # A path finds its place on the line; a text that does not parse has a column only.
    place = (source.name, first.line, None if first.where else first.column)
    at = ":".join(str(part) for part in place if part is not None)
    others = f" (and {count - 1} more)" if count > 1 else ""
    listing = "`prov validate` (validate_config) lists them all" if others else ""
    return InvalidInputError(
        f"{at}: {_said(first)}{others}",
        hint="; ".join(filter(None, (first.fix, listing))) or "`prov validate` (validate_config) shows the place",
        findings=[_told(one) for one in findings[:MAX_TOLD]],
    )


def _said(one: Finding) -> str:
    """The message with the whole path, which its first word is often the end of."""
    if not one.where:
        return one.message
    first, _, rest = one.message.partition(" ")
    return f"{one.path} {rest}" if first == str(one.where[-1]) else f"{one.path}: {one.message}"


def _told(one: Finding) -> dict[str, Any]:
    told = {
        "code": one.code,
        "path": one.path,
        "message": one.message,
        "fix": one.fix or None,
        "line": one.line,
        "file": one.file,
    }
    return {key: value for key, value in told.items() if value is not None}

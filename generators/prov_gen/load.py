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
        raise _unusable(source, [placed(one, (), None, source) for one in unreadable(outcome)])
    wrapped = wrap(outcome.value)
    shape = await asyncio.to_thread(check_shape, wrapped.value, Suggestions())
    if shape.config is None or shape.findings:
        first = sorted(shape.findings, key=lambda one: one.order)[:MAX_TOLD]
        raise _unusable(source, await locate_findings(first, wrapped.bare, text, source, nickel, workspace))
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


def _unusable(source: ConfigSource, findings: list[Finding]) -> InvalidInputError:
    first = findings[0]
    at = f"{source.name}:{first.line}" if first.line else source.name
    where = f"{first.path}: " if first.where else ""
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return InvalidInputError(
        f"{at}: {where}{first.message}{more}",
        hint=first.fix or "`validate_config` lists everything that is wrong with it",
        findings=[_told(one) for one in findings[:MAX_TOLD]],
    )


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

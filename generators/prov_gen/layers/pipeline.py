"""All seven layers over a configuration, with every finding pointing into the text."""

import asyncio
import itertools
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from prov_gen.codes import Severity
from prov_gen.findings import Finding, Path, finding
from prov_gen.layers.catalogue import check_catalogue
from prov_gen.layers.limits import Pricer, check_limits
from prov_gen.layers.network import check_network
from prov_gen.layers.references import check_references
from prov_gen.layers.rendered import check_rendered, contract_of, diagnostic_finding
from prov_gen.layers.security import check_security
from prov_gen.layers.shape import Shape, check_shape
from prov_gen.layers.suggest import Suggestions
from prov_gen.layers.waivers import check_waivers
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import INFRASTRUCTURE, Kind, resources, wrap
from prov_gen.nickel import Nickel, NickelRunawayError, NickelSource, Outcome, Position, nickel_string
from prov_gen.source import ConfigSource
from stratumops.errors import InvalidInputError, UnavailableError
from stratumops.progress import Report, silent
from stratumops.workspace import Workspace

OURS = "<import>"
"""What the evaluator calls the text that we write around a file of data."""

MAX_FINDINGS = 5_000

FORMATS = {".json": "Json", ".yaml": "Yaml", ".yml": "Yaml", ".toml": "Toml"}
"""What Nickel calls the formats of data files, by their ending."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the layers said. `config` is None when the text has no readable configuration in it."""

    valid: bool
    findings: list[Finding]
    config: InfrastructureConfig | None
    resources: dict[str, int] = field(default_factory=dict)

    def count(self, severity: Severity) -> int:
        """How many findings are this bad."""
        return sum(finding.severity == severity for finding in self.findings)


async def validate(
    source: ConfigSource,
    *,
    nickel: Nickel,
    workspace: Workspace | None,
    today: date,
    strict: bool = True,
    pricer: Pricer | None = None,
    monthly_budget: float = 0.0,
    report: Report = silent,
) -> Verdict:
    """Judge a configuration. Findings are sorted: errors first, then by layer and line.

    Raises InvalidInputError and UnavailableError only where the text could not be looked at (too large, no worker); a text that
    is wrong, runs away or crashes the evaluator is a finding.
    """
    text = nickel_source(source)
    await report(0, 3, "evaluating")
    outcome = await evaluated(nickel.checked_value(text, workspace=workspace))
    if outcome.diagnostics or not isinstance(outcome.value, dict):
        return _verdict([placed(one, (), None, source) for one in unreadable(outcome)], None, strict)
    await report(1, 3, "checking")
    # In threads: a large configuration with many faults takes seconds, and the server answers others meanwhile.
    judged = await asyncio.to_thread(_first_layers, outcome.value, today, pricer, monthly_budget)
    findings, config, bare = judged.findings, judged.shape.config, judged.bare
    if config is not None and not judged.shape.findings:
        contracted = await evaluated(nickel.contracted(text, contract_of(bare or INFRASTRUCTURE), workspace=workspace))
        findings += await asyncio.to_thread(check_rendered, contracted, config, bare)
    await report(2, 3, "locating")
    located = await locate_findings(findings, bare, text, source, nickel, workspace)
    return await asyncio.to_thread(_verdict, located, config, strict)


def nickel_source(source: ConfigSource) -> NickelSource:
    """What the evaluator gets: the text itself, or an import of a file that holds data."""
    if source.is_nickel or source.path is None:
        return NickelSource(source.text, source.name, source.path.parent if source.path else None)
    # The format is named, because Nickel knows the endings in lower case only.
    form = FORMATS[source.path.suffix.lower()]
    return NickelSource(f"import {nickel_string(source.path.name)} as '{form}", OURS, source.path.parent)


async def evaluated(asked: Awaitable[Outcome]) -> Outcome:
    """An outcome; that a text runs away is one too."""
    try:
        return await asked
    except NickelRunawayError as error:
        return Outcome(diagnostics=tuple(error.diagnostics))


def unreadable(outcome: Outcome) -> list[Finding]:
    if outcome.diagnostics:
        return [diagnostic_finding(found, 1) for found in outcome.diagnostics]
    kinds = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    message = f"a configuration is a record, not {kinds.get(type(outcome.value), 'null')}"
    return [finding("shape_type", (), message, '{ servers = [{ name = "web" }] } is a whole configuration')]


@dataclass(frozen=True, slots=True)
class _Judged:
    """What layers 1 to 6 said, and the kind of the bare record that the configuration was made of."""

    shape: Shape
    findings: list[Finding]
    bare: Kind | None


def _first_layers(value: dict[str, Any], today: date, pricer: Pricer | None, monthly_budget: float) -> _Judged:
    """Layers 1 to 6. Findings are at most `MAX_FINDINGS`: past that a configuration is wrong as a whole."""
    wrapped = wrap(value)
    suggestions = Suggestions()
    shape = check_shape(wrapped.value, suggestions)
    findings = shape.findings[:MAX_FINDINGS]
    if shape.config is not None:
        inner = _inner_layers(shape.config, today, pricer, monthly_budget, suggestions)
        for found in itertools.islice(inner, MAX_FINDINGS - len(findings)):
            where = shape.restore(found.where)
            findings.append(found if where == found.where else found.model_copy(update={"where": where}))
    return _Judged(shape, findings, wrapped.bare)


def _inner_layers(
    config: InfrastructureConfig, today: date, pricer: Pricer | None, monthly_budget: float, suggestions: Suggestions
) -> Iterator[Finding]:
    yield from check_catalogue(config, today, suggestions)
    yield from check_network(config)
    yield from check_references(config, suggestions)
    yield from check_security(config)
    yield from check_waivers(config, today, suggestions)
    yield from check_limits(config, pricer, monthly_budget)


async def locate_findings(
    findings: list[Finding],
    bare: Kind | None,
    text: NickelSource,
    source: ConfigSource,
    nickel: Nickel,
    workspace: Workspace | None,
) -> list[Finding]:
    """Findings with paths as they stand in the text (a bare record has no list around it), and with lines and columns."""
    written = [as_written(one.where, bare) for one in findings]
    wanted = [index for index, one in enumerate(findings) if one.line is None]
    positions: dict[int, Position | None] = {}
    if wanted:
        try:
            found = await nickel.locate_many(text, [written[index] for index in wanted], workspace=workspace)
        except (InvalidInputError, UnavailableError):
            # Findings without places are worth more than none.
            found = [None] * len(wanted)
        positions = dict(zip(wanted, found, strict=True))
    return await asyncio.to_thread(
        lambda: [placed(one, written[index], positions.get(index), source) for index, one in enumerate(findings)]
    )


def placed(one: Finding, where: Path, position: Position | None, source: ConfigSource) -> Finding:
    """A finding with its path as written and its place. A pasted text has no file; our own import of a data file is no place."""
    update: dict[str, Any] = {} if where == one.where else {"where": where}
    name = None if source.path is None else source.name
    if position is not None and position.file != OURS:
        file = name if position.file == source.name else position.file
        update |= {"line": position.line, "column": position.column, "end_column": position.end_column, "file": file}
    elif one.file == OURS:
        update |= {"line": None, "column": None, "end_column": None, "file": name}
    elif one.file is None:
        update |= {"file": name}
    return one.model_copy(update=update) if update else one


def as_written(where: Path, bare: Kind | None) -> Path:
    if bare is None:
        return where
    outer = (bare.field, 0) if bare.is_list else (bare.field,)
    return where[len(outer) :] if where[: len(outer)] == outer else where


def _verdict(findings: list[Finding], config: InfrastructureConfig | None, strict: bool) -> Verdict:
    fatal = {"error", "warning"} if strict else {"error"}
    counted: dict[str, int] = {}
    for item in resources(config) if config else ():
        if item.kind.is_resource:
            counted[item.kind.name] = counted.get(item.kind.name, 0) + 1
    ordered = sorted(findings, key=lambda finding: finding.order)
    return Verdict(not any(finding.severity in fatal for finding in findings), ordered, config, counted)

"""All seven layers over a configuration, with every finding pointing into the text."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from prov_gen.findings import Finding, Path, Severity
from prov_gen.layers.catalogue import check_catalogue
from prov_gen.layers.limits import Pricer, check_limits
from prov_gen.layers.network import check_network
from prov_gen.layers.references import check_references
from prov_gen.layers.rendered import check_rendered, contract_of, diagnostic_finding
from prov_gen.layers.security import check_security
from prov_gen.layers.shape import Shape, check_shape
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import INFRASTRUCTURE, Kind, resources, wrap
from prov_gen.nickel import Checked, Nickel, NickelRunawayError, NickelSource, Outcome
from prov_gen.source import ConfigSource
from stratumops.errors import InvalidInputError
from stratumops.workspace import Workspace

MAX_FINDINGS = 5_000

Report = Callable[[float, float | None, str], Awaitable[None]]


async def unheard(done: float, total: float | None, words: str) -> None:
    """A report of progress that nobody hears."""


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
    report: Report = unheard,
) -> Verdict:
    """Judge a configuration. Findings are sorted: errors first, then by layer and line.

    Raises InvalidInputError and UnavailableError only where the text could not be looked at (too large, no worker); a text that
    is wrong, runs away or crashes the evaluator is a finding.
    """
    text = nickel_source(source)
    await report(0, 3, "evaluating")
    try:
        value = await _evaluate(text, nickel, workspace)
    except NickelRunawayError as error:
        return _verdict([diagnostic_finding(found, 1) for found in error.diagnostics], None, strict)
    if isinstance(value, list):
        return _verdict(value, None, strict)
    wrapped = wrap(value.plain)
    await report(1, 3, "checking")
    # In a thread: a large configuration with many faults takes seconds, and the server answers others meanwhile.
    shape, findings = await asyncio.to_thread(_first_layers, wrapped.value, today, pricer, monthly_budget)
    if shape.config is not None and not shape.findings:
        findings += await _last_layer(value, text, shape.config, wrapped.bare, nickel, workspace)
    await report(2, 3, "locating")
    located = await _locate(findings, wrapped.bare, text, source, nickel, workspace)
    return _verdict(located, shape.config, strict)


@dataclass(frozen=True, slots=True)
class _Evaluated:
    """The text's value as it is, and under the contract of a whole configuration."""

    plain: dict[str, Any]
    contracted: Outcome


def nickel_source(source: ConfigSource) -> NickelSource:
    """What the evaluator gets: the text itself, or an import of a file that holds data."""
    if source.is_nickel or source.path is None:
        return NickelSource(source.text, source.name, source.path.parent if source.path else None)
    return NickelSource(f'import "{source.path.name}"', source.name, source.path.parent)


async def _evaluate(text: NickelSource, nickel: Nickel, workspace: Workspace | None) -> "_Evaluated | list[Finding]":
    checked = await nickel.check(text, contract=contract_of(INFRASTRUCTURE), workspace=workspace)
    for outcome in (checked.syntax, checked.value):
        if outcome.diagnostics:
            return [diagnostic_finding(found, 1) for found in outcome.diagnostics]
    plain = checked.value.value
    if not isinstance(plain, dict):
        kind = {list: "an array", str: "a string", bool: "a boolean"}.get(
            type(plain), "a number" if plain is not None else "null"
        )
        fix = '{ servers = [{ name = "web" }] } is a whole configuration'
        return [
            Finding(layer=1, code="shape_type", severity="error", message=f"a configuration is a record, not {kind}", fix=fix)
        ]
    return _Evaluated(plain, _contracted(checked))


def _contracted(checked: Checked) -> Outcome:
    """The outcome under the contract that was asked for."""
    assert checked.contracted is not None
    return checked.contracted


def _first_layers(
    value: dict[str, Any], today: date, pricer: Pricer | None, monthly_budget: float
) -> tuple[Shape, list[Finding]]:
    """Layers 1 to 6. Findings are at most `MAX_FINDINGS`: past that a configuration is wrong as a whole."""
    shape = check_shape(value)
    findings = list(itertools.islice(shape.findings, MAX_FINDINGS))
    if shape.config is not None:
        found = itertools.islice(_inner_layers(shape.config, today, pricer, monthly_budget), MAX_FINDINGS)
        findings += [one.model_copy(update={"where": shape.restore(one.where)}) for one in found]
    return shape, findings


def _inner_layers(config: InfrastructureConfig, today: date, pricer: Pricer | None, monthly_budget: float) -> Iterator[Finding]:
    yield from check_catalogue(config, today)
    yield from check_network(config)
    yield from check_references(config)
    yield from check_security(config)
    yield from check_limits(config, pricer, monthly_budget)


async def _last_layer(
    value: _Evaluated,
    text: NickelSource,
    config: InfrastructureConfig,
    bare: Kind | None,
    nickel: Nickel,
    workspace: Workspace | None,
) -> list[Finding]:
    contracted = value.contracted
    if bare is not None:
        contracted = _contracted(await nickel.check(text, contract=contract_of(bare), workspace=workspace))
    return check_rendered(contracted, config, bare)


async def _locate(
    findings: list[Finding],
    bare: Kind | None,
    text: NickelSource,
    source: ConfigSource,
    nickel: Nickel,
    workspace: Workspace | None,
) -> list[Finding]:
    """Findings with paths as they stand in the text (a bare record has no list around it), and with lines and columns."""
    written = [one.model_copy(update={"where": _as_written(one.where, bare)}) for one in findings]
    if not source.is_nickel:
        return written
    wanted = [index for index, one in enumerate(written) if one.line is None]
    try:
        positions = await nickel.locate_many(text, [written[index].where for index in wanted], workspace=workspace)
    except InvalidInputError:
        return written
    name = None if source.path is None else source.name
    for index, position in zip(wanted, positions, strict=True):
        if position is not None:
            update = {
                "line": position.line,
                "column": position.column,
                "file": position.file if position.file != text.name else name,
            }
            written[index] = written[index].model_copy(update=update)
    return written


def _as_written(where: Path, bare: Kind | None) -> Path:
    if bare is None:
        return where
    outer = (bare.field, 0) if bare.is_list else (bare.field,)
    return where[len(outer) :] if where[: len(outer)] == outer else where


def _verdict(findings: list[Finding], config: InfrastructureConfig | None, strict: bool) -> Verdict:
    fatal = {"error", "warning"} if strict else {"error"}
    counted: dict[str, int] = {}
    for item in resources(config) if config else ():
        counted[item.kind.name] = counted.get(item.kind.name, 0) + 1
    ordered = sorted(findings, key=lambda finding: finding.order)
    return Verdict(not any(finding.severity in fatal for finding in findings), ordered, config, counted)

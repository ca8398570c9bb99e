"""Layer 7: the text itself. It parses, its types fit, it satisfies the Nickel contract, and it means what the model says.

Layers 1 to 6 read a value; only this one looks at the text that is handed out and applied.
"""

from typing import Any

from pydantic import ValidationError

from prov_gen.findings import Finding, finding
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import INFRASTRUCTURE, Kind
from prov_gen.nickel import Diagnostic, Outcome


def contract_of(kind: Kind) -> str:
    """The Nickel expression of a kind's contract."""
    return f'(import "schemas/{kind.name}.ncl").{kind.contract}'


def diagnostic_finding(diagnostic: Diagnostic, layer: int) -> Finding:
    """What Nickel said, as a finding."""
    said = finding(diagnostic.code, (), diagnostic.message, diagnostic.fix, severity="error", layer=layer)
    place = {name: getattr(diagnostic, name) for name in ("line", "column", "end_column", "file")}
    return said.model_copy(update=place)


def check_rendered(contracted: Outcome, config: InfrastructureConfig, bare: Kind | None) -> list[Finding]:
    """Findings about the text under its contract.

    `contracted` is the text evaluated under `contract_of(bare or INFRASTRUCTURE)`; `config` is what layer 1 read from it.
    """
    if contracted.diagnostics:
        return [diagnostic_finding(diagnostic, 7) for diagnostic in contracted.diagnostics]
    value: Any = contracted.value
    if bare is not None:
        value = _wrapped(value, bare)
    try:
        again = InfrastructureConfig.model_validate(value)
    except ValidationError:
        again = None
    if again == config:
        return []
    message = "under its contract the text means something else than without it"
    fix = "a field is computed from another one that the contract fills in; write it out"
    return [finding("rendered_differs", (), message, fix)]


def _wrapped(value: dict[str, Any], bare: Kind) -> dict[str, Any]:
    outer = {"provider": value["provider"]} if "provider" in value and bare is not INFRASTRUCTURE else {}
    return outer | {bare.field: [value] if bare.is_list else value}

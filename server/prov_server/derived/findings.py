"""`docs/reference/findings.md`: every finding that a validation or a generation can make, from the table of codes."""

from collections.abc import Iterable

from prov_gen.codes import codes
from prov_gen.findings import LAYERS, WORDS
from prov_server.derived.page import cell, code, page, table

INTRODUCTION = (
    "`validate_config` answers with all findings at once, errors first. A code is stable: programs may match on it. "
    "In strict mode warnings fail too; an info never does. A finding names what it is about and says how to mend just that."
)
HEAD = ("code", "severity", "what is wrong", "how to mend it")


def findings_page() -> str:
    """All of them, layer by layer; those about the words of a description come last."""
    parts = [INTRODUCTION]
    for layer, name in LAYERS.items():
        parts.append(f"## Layer {layer}: {name}\n\n{_rows(layer)}")
    parts.append(f"## Words\n\n`generate_config` reads a description; these are about what it says.\n\n{_rows(WORDS)}")
    return page("Findings", "`findings.toml` and `layers/security_rules.toml` of `prov_gen`", *parts)


def _rows(layer: int) -> str:
    own = sorted((one for one in codes().values() if layer in one.layers), key=lambda one: one.code)
    return table(HEAD, ((code(one.code), ", ".join(one.severities), _lines(one.titles), _lines(one.fixes)) for one in own))


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(cell(text) for text in texts)

"""`docs/reference/findings.md`: every finding that a validation or a generation can make."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prov_gen.findings import LAYERS
from prov_gen.layers.security import field_rules
from prov_server.derived import source_findings
from prov_server.derived.page import cell, code, page, table
from prov_server.derived.source_findings import FOLDER, SEVERITIES
from stratumops.errors import InternalError

INTRODUCTION = (
    "`validate_config` answers with all findings at once, errors first. A code is stable: programs may match on it. "
    "In strict mode warnings fail too; an info never does. Words in braces stand for what the message names."
)
WORDS = Path(__file__).with_name("findings.toml")


@dataclass(frozen=True, slots=True)
class Documented:
    """A finding's code in one layer, with every severity, message and fix that it can have."""

    code: str
    layer: int
    severities: tuple[str, ...]
    messages: tuple[str, ...]
    fixes: tuple[str, ...]


def documented() -> list[Documented]:
    """Every code by layer: from the layers' source, from the table of security rules, and from `findings.toml`.

    Raises InternalError when a code has no words, or `findings.toml` has words for a code that the source does not name.
    """
    found: dict[tuple[int, str], Documented] = {}

    def add(one: Documented) -> None:
        old = found.get((one.layer, one.code), Documented(one.code, one.layer, (), (), ()))
        found[one.layer, one.code] = Documented(
            one.code,
            one.layer,
            tuple(name for name in SEVERITIES if name in (*old.severities, *one.severities)),
            _distinct((*old.messages, *one.messages)),
            _distinct((*old.fixes, *one.fixes)),
        )

    for one in _worded():
        add(one)
    for place in source_findings.places():
        if (place.layer, place.code) not in found or place.layer != 1:
            add(Documented(place.code, place.layer, place.severities, place.messages, place.fixes))
    for rules in field_rules().values():
        for rule in rules:
            add(Documented(rule.code, 5, (rule.severity,), (rule.message,), (rule.fix,)))
    silent = sorted(one.code for one in found.values() if not one.messages or not one.severities)
    if silent:
        raise InternalError(f"no words for the findings {', '.join(silent)}", hint=f"write them into {WORDS.name}")
    return sorted(found.values(), key=lambda one: (one.layer, one.code))


def _worded() -> Iterable[Documented]:
    """The codes whose words are made at run time; the source must name exactly those that the file describes."""
    named = (
        source_findings.constants(FOLDER / "layers" / "shape.py", "shape_")
        | source_findings.constants(FOLDER / "nickel" / "diagnostics.py", "nickel_")
        | source_findings.first_arguments(FOLDER / "nickel" / "errors.py", "NickelRunawayError")
    )
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    if named != set(words):
        raise InternalError(
            f"{WORDS.name} and the source differ: {', '.join(sorted(named ^ set(words)))}", hint=f"correct {WORDS.name}"
        )
    for name, told in words.items():
        for layer in told["layers"]:
            yield Documented(name, layer, ("error",), (told["message"],), (told["fix"],))


def findings_page() -> str:
    """All of them, layer by layer."""
    parts = [INTRODUCTION]
    rows = documented()
    for layer, name in LAYERS.items():
        own = [
            (code(one.code), ", ".join(one.severities), _lines(one.messages), _lines(one.fixes))
            for one in rows
            if one.layer == layer
        ]
        parts.append(f"## Layer {layer}: {name}\n\n{table(('code', 'severity', 'what is wrong', 'how to mend it'), own)}")
    return page("Findings", "the source of `prov_gen`, its `security_rules.toml` and `findings.toml`", *parts)


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(cell(text) for text in texts)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))

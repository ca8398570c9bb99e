"""Evidence: what a condition found, where, and how it is said. Values in words never show a secret."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from prov_gen.layers.plaintext import what_secret
from prov_judge.compliance.model import Path

LONGEST = 120
"""Characters of a value that are shown."""

IS_DEFAULT = " (the default)"


@dataclass(frozen=True, slots=True)
class Evidence:
    """`holds` is None where nobody can tell. `value` is what was found in words, `words` the sentence about it."""

    holds: bool | None
    path: Path
    value: str
    words: str


def holding(path: Path, value: str, words: str) -> Evidence:
    """Evidence that a condition holds."""
    return Evidence(holds=True, path=path, value=value, words=words)


def failing(path: Path, value: str, words: str) -> Evidence:
    """Evidence that it does not."""
    return Evidence(holds=False, path=path, value=value, words=words)


def unknown(path: Path, value: str, words: str) -> Evidence:
    """Evidence that nobody can tell from the configuration."""
    return Evidence(holds=None, path=path, value=value, words=words)


def counted(number: int, what: str) -> str:
    """Such as "1 rule" and "2 rules"; `what` is the word for one."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def value_in_words(value: Any, *, is_default: bool = False) -> str:
    """A value of a configuration for a reader; text that looks like a secret is not shown."""
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = _text(value)
    elif isinstance(value, list):
        text = counted(len(value), "element")
        if not value:
            text = "empty"
        elif all(isinstance(element, str) for element in value):
            text = _text(", ".join(value))
    elif isinstance(value, int | float):
        text = f"{value:g}" if isinstance(value, float) else str(value)
    else:
        text = "stated"
    return f"{text}{IS_DEFAULT}" if is_default else text


@lru_cache(4096)
def _text(text: str) -> str:
    if what_secret("", text):
        return "(not shown: it looks like a secret)"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

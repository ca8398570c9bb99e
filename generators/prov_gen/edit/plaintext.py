"""Which lines of a text hold a secret in plain text, so that no difference shows them.

The configuration says which values are secrets; a comment, or a value that is not used, is known by its form or its name.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from prov_gen.edit.splices import Lines
from prov_gen.layers.plaintext import announces, check_plaintext, what_secret
from prov_gen.model.infrastructure import InfrastructureConfig, dump_stated
from prov_gen.nickel import nickel_string

LEAST_LENGTH = 8
"""Characters from which on a secret is looked for within words; a shorter one must stand between other signs."""

# A name and its value: a field in any of the formats, a variable of a script, or words of a comment. Lengths are bounded and
# names begin at their first sign, so that no text makes the search slow.
_NAMED = re.compile(r'(?<![\w.-])([\w.-]{1,200})"?[ \t]{0,40}(?:\|[^=\n"]{0,80})?[=:][ \t]{0,40}"((?:[^"\\\n]|\\.)*)"')
_IN_COMMENT = re.compile(r"#[^\n]*")
_SAID = re.compile(r"(?<![\w.-])([\w.-]{1,200})[ \t]{0,40}[=:][ \t]{0,40}([^\s\"']+)")


def secret_lines(text: str, config: InfrastructureConfig) -> frozenset[int]:
    """The lines (from 0) of a text that hold a secret: one of the configuration's, or what looks like one."""
    places = {found.start() for found in _NAMED.finditer(text) if what_secret(found[1], found[2])}
    for comment in _IN_COMMENT.finditer(text):
        places |= {comment.start() for found in _SAID.finditer(comment[0]) if what_secret(found[1], found[2])}
    for form in {form for secret in _secrets(config) for form in _forms(secret)}:
        places.update(_occurrences(form, text))
    lines = Lines(text)
    by_form = (number for number, line in enumerate(text.split("\n")) if what_secret("", line))
    return frozenset([*map(lines.number, places), *by_form])


def _secrets(config: InfrastructureConfig) -> Iterator[str]:
    """The texts that must not be shown: whole values, and of a value of several lines each line that tells."""
    value = dump_stated(config)
    seen: set[tuple[str, str]] = set()
    for finding in check_plaintext(config):
        key, text = _at(value, finding.where)
        if (key, text) in seen:
            continue
        seen.add((key, text))
        yield text
        rows = [row.strip() for row in text.split("\n") if row.strip()]
        telling = [row for row in rows if what_secret(key, row)]
        # A private key has no line that may be shown; where no line tells by itself, all of them together do.
        yield from rows if announces(key) or "-----BEGIN" in text or not telling else telling


def _at(value: Any, where: tuple[str | int, ...]) -> tuple[str, str]:
    """The name of the value at a path (that of the list, for an element), and the text there."""
    key = ""
    for step in where:
        value = value[step]
        key = step if isinstance(step, str) else key
    return key, str(value)


def _forms(secret: str) -> set[str]:
    """A text as the formats write it: as it is, and with JSON's, TOML's or Nickel's escapes."""
    return {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], nickel_string(secret)[1:-1]}


def _occurrences(form: str, text: str) -> Iterator[int]:
    """Where a form begins, and where each of its further lines does."""
    if not form.strip():
        return
    start = text.find(form)
    while start != -1:
        end = start + len(form)
        if len(form) >= LEAST_LENGTH or not (text[max(start - 1, 0) : start].isalnum() or text[end : end + 1].isalnum()):
            yield start
            yield from (start + index + 1 for index, char in enumerate(form) if char == "\n")
        start = text.find(form, end)

"""Values of the command line: `key=value`, `key=@file`, `key=-` (stdin), `@file` and `-` for JSON, a prompt for `key` alone."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from svault.cli.failure import CommandError


def read_values(words: Sequence[str], *, required: bool = True) -> dict[str, Any]:
    """The values by name; a name given twice becomes a list. Raises CommandError, without a value."""
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if word == "-":
            values |= _json(_stdin(), "standard input")
        elif word.startswith("@") and not equals:
            values |= _json(_file(word[1:]), f"the file {word[1:]}")
        elif not name:
            raise CommandError("a value is written key=value")
        else:
            value: Any = _value(text) if equals else _asked(name)
            if name in values:
                before = values[name]
                value = [*before, value] if isinstance(before, list) else [before, value]
            values[name] = value
    if required and not values:
        if not sys.stdin.isatty():
            raise CommandError("there is nothing to write", hint="give key=value, key=@file, key=- or @file.json")
        name = click.prompt("Key", err=True)
        values[name] = _asked(name)
    return values


def _value(text: str) -> str:
    if text == "-":
        return _stdin()
    if text.startswith("@"):
        return _file(text[1:])
    return text.removeprefix("\\") if text.startswith("\\@") else text


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        raise CommandError(f"{name!r} has no value", hint=f"write {name}=value, {name}=@file or {name}=-")
    return str(click.prompt(f"{name} (not shown)", hide_input=True, err=True))


def ask_hidden(what: str) -> str:
    """A secret from the terminal without echo, or a line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(f"{what} (not shown)", hide_input=True, err=True)).strip()
    line = sys.stdin.readline().strip()
    if not line:
        raise CommandError(f"{what} is missing", hint="give it on standard input, or run this on a terminal")
    return line


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError("standard input is not text in UTF-8", hint="encode it as base64") from None


def _file(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise CommandError(f"the file {path} is not text in UTF-8", hint="encode it as base64") from None
    except OSError as error:
        raise CommandError(f"the file {path} cannot be read: {error.strerror}") from None


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise CommandError(f"{where} holds no JSON") from None
    if not isinstance(found, dict):
        raise CommandError(f"{where} must hold a JSON object")
    return found

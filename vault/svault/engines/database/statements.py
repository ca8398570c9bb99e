"""The SQL statements of users with `{{name}}`, `{{username}}`, `{{password}}` and `{{expiration}}` in them.

A value is put in as its place asks for: inside `'...'` and `"..."` with the quotes doubled, on its own as a quoted identifier (a
name) or a quoted text. So no value can end the text that it stands in, whatever a user of the database is called.
Source: PostgreSQL's manual, "Lexical Structure"; Vault's API, "PostgreSQL Database Secrets Engine".
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence

from svault.errors import BadRequestError
from svault.logical import Fields

NAMES = frozenset({"name", "username"})
_TOKEN = re.compile(
    r"""
    (?P<escape>[eE]'(?:[^'\\]|\\.|'')*')      # E'...', where a backslash escapes
  | (?P<text>'(?:[^']|'')*')
  | (?P<identifier>"(?:[^"]|"")*")
  | (?P<dollar>(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag))
  | (?P<comment>--[^\n]*|/\*.*?\*/)
  | (?P<bare>\{\{\s*\w+\s*\}\})
  | .
    """,
    re.VERBOSE | re.DOTALL,
)
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def statements_field(fields: Fields, name: str) -> list[str]:
    """Statements as clients send them: a list, one text, or a JSON list as text. Raises BadRequestError."""
    value = fields.raw.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else [value]
        except ValueError:
            value = [value]
    value = [] if value is None else value
    if not isinstance(value, list) or not all(isinstance(statement, str) for statement in value):
        raise BadRequestError(f'Field validation failed: error converting input for field "{name}": a list of texts is expected')
    return [statement for statement in value if statement.strip()]


def filled(statements: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The statements with the values in their places; a placeholder of another name stays as it is."""
    if any("\0" in value for value in values.values()):
        raise BadRequestError("a value for the statements has a NUL character")
    return [_fill(statement, values) for statement in statements]


def _fill(statement: str, values: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda token: _filled_token(token, values), statement)


def _filled_token(token: re.Match[str], values: Mapping[str, str]) -> str:
    text = token[0]
    match token.lastgroup:
        case "escape":
            return _replace(text, values, lambda _, value: value.replace("\\", "\\\\").replace("'", "''"))
        case "text":
            return _replace(text, values, lambda _, value: value.replace("'", "''"))
        case "identifier":
            return _replace(text, values, lambda _, value: value.replace('"', '""'))
        case "bare":
            return _replace(text, values, _quoted)
        case "dollar":
            return _filled_body(text, token["tag"], values)
    return text


def _filled_body(text: str, tag: str, values: Mapping[str, str]) -> str:
    """A `$$...$$` text holds code with quotes of its own; a value that could end it has no place there."""
    body = text[len(tag) : -len(tag)]
    if any("$" in values.get(name, "") for name in _PLACEHOLDER.findall(body)):
        raise BadRequestError("a value with a '$' cannot stand in a $$ text of a statement")
    return tag + _fill(body, values) + tag


def _quoted(name: str, value: str) -> str:
    if name in NAMES:
        return '"' + value.replace('"', '""') + '"'
    return "'" + value.replace("'", "''") + "'"


def _replace(text: str, values: Mapping[str, str], quote: Callable[[str, str], str]) -> str:
    return _PLACEHOLDER.sub(lambda found: quote(found[1], values[found[1]]) if found[1] in values else found[0], text)

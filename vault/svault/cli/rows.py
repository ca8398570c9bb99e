"""Most commands are one request: a row of a table says which, and this makes the commands."""

import string
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import click

from svault.cli import output
from svault.cli.session import AskingCommand, AskingGroup, Session, absent
from svault.cli.values import read_values

Kind = Literal["text", "flag", "integer", "list", "pairs"]
Show = Literal["secret", "data", "names", "said", "mounts", "devices"]


class Opt(NamedTuple):
    """An option that becomes a field of the body, when it is given."""

    name: str
    """With dashes, as on the command line."""
    help: str
    kind: Kind = "text"
    field: str = ""
    """The field's name, `config.max_lease_ttl` for one inside; the option's with underscores when left out."""
    default: str = ""
    """What stands in the path when it is left out; may name an argument in braces."""


class Row(NamedTuple):
    """One command. A word in capitals is an argument; `[NAME]` may be left out, `[DATA...]` are values (`key=value`)."""

    words: str
    help: str
    request: str
    """`METHOD path`, with arguments in braces."""
    options: Sequence[Opt] = ()
    body: Mapping[str, Any] = MappingProxyType({})
    """Fields that are always sent; texts may name arguments in braces."""
    show: Show = "secret"
    said: str = ""
    """What is printed when the answer has no content."""
    data_in: str = ""
    """The field that holds the values; the body itself when empty."""


def group(name: str, text: str, rows: Sequence[Row], inner_help: Mapping[str, str] = MappingProxyType({})) -> click.Group:
    """A group with a command for each row; rows of two words make a group inside it, of which `inner_help` says what it is for.

    Raises KeyError for a group inside it of which nothing is said.
    """
    made: click.Group = AskingGroup(name, help=text)
    for row in rows:
        words = [word for word in row.words.split() if not _is_argument(word)]
        at = made
        for word in words[:-1]:
            inner = at.commands.get(word)
            if not isinstance(inner, click.Group):
                inner = AskingGroup(word, help=inner_help[word])
                at.add_command(inner)
            at = inner
        at.add_command(command(words[-1], row))
    return made


def _is_argument(word: str) -> bool:
    return word.strip("[].").isupper()


def command(name: str, row: Row) -> click.Command:
    """The command of a row."""
    params: list[click.Parameter] = []
    for word in row.words.split():
        if _is_argument(word):
            plain = word.strip("[].")
            params.append(
                click.Argument(
                    [plain.lower()], metavar=word.strip("[]"), required=not word.startswith("["), nargs=-1 if "..." in word else 1
                )
            )
    params += [_option(option) for option in row.options]
    return AskingCommand(name, params=params, help=row.help, callback=lambda **given: _run(row, given))


def _option(option: Opt) -> click.Option:
    names = [f"--{option.name}"]
    match option.kind:
        case "flag":
            return click.Option(names, is_flag=True, default=None, help=option.help)
        case "integer":
            return click.Option(names, type=int, default=None, help=option.help)
        case "list" | "pairs":
            return click.Option(names, multiple=True, help=option.help)
        case _:
            return click.Option(names, default=None, help=option.help)


def _run(row: Row, given: dict[str, Any]) -> int:
    session = Session.current()
    method, _, template = row.request.partition(" ")
    words = {name: value for name, value in given.items() if isinstance(value, str)}
    defaults = {option.name.replace("-", "_"): option.default for option in row.options}
    words |= {name: defaults.get(name, "").format(**words) for name, value in given.items() if value is None}
    path = template.format(**words).rstrip("/")
    body = _body(row, given, words)
    if row.show == "names":
        return session.show_names(session.listed(path))
    answer = session.vault.ask(method, path, body if method not in {"GET", "LIST", "DELETE"} else None)
    said = row.said.format(**words)
    match row.show:
        case "mounts" | "devices":
            return _mounts(session, answer.get("data") or {}, row.show)
        case "data":
            return session.show_data(answer.get("data") or answer, said)
        case "said":
            return session.show({} if not session.is_json else answer, said)
        case _:
            if method == "GET" and not answer.get("data"):
                raise absent(path)
            return session.show(answer, said)


def _body(row: Row, given: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in row.body.items():
        filled = value.format(**words) if isinstance(value, str) and "{" in value else value
        if filled != "":
            body[name] = filled
    for option in row.options:
        value = given.get(option.name.replace("-", "_"))
        if value is None or value == ():
            continue
        if option.kind == "pairs":
            value = read_values(value)
        elif option.kind == "list":
            value = [part for one in value for part in one.split(",")]
        name = option.name.replace("-", "_")
        if f"{{{name}}}" in row.request:
            continue
        field = option.field or name
        at = body
        *outer, last = field.split(".")
        for part in outer:
            at = at.setdefault(part, {})
        at[last] = value
    if "data" in given:
        values = read_values(given["data"], required=False)
        body |= {row.data_in: values} if row.data_in else values
    return body


def _mounts(session: Session, data: Mapping[str, Any], show: str) -> int:
    if session.is_json:
        output.as_json(data)
        return 0
    if show == "mounts":
        table = [(path, one["type"], one["accessor"], one["description"] or "n/a") for path, one in sorted(data.items())]
        output.rows(table, ("Path", "Type", "Accessor", "Description"))
        return 0
    if not data:
        click.echo("No audit devices are enabled.", err=True)
        return 2
    table = [(path, one["type"], one["description"] or "n/a", _options_of(one)) for path, one in sorted(data.items())]
    output.rows(table, ("Path", "Type", "Description", "Options"))
    return 0


def _options_of(device: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted((device.get("options") or {}).items())) or "n/a"


def arguments_of(row: Row) -> set[str]:
    """The names in braces of a row's request and sentence: each must be an argument or option."""
    return {name for _, name, _, _ in string.Formatter().parse(row.request + row.said) if name}

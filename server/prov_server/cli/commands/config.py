"""`prov config`: read and write the settings in `prov.toml`; every key, default and description comes from the settings tree."""

import contextlib
import json
import os
import tomllib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command, Group
from prov_server.cli.session import Session
from prov_server.cli.writing import replace_text
from prov_server.engine.addresses import without_password
from stratumops.errors import InvalidInputError, PermissionDeniedError

if TYPE_CHECKING:
    from pathlib import Path

    from stratumops.settings import Accessor, Settings
    from stratumops.settings_text import Problem


class SettingKey(click.ParamType[Any]):
    """A key such as `server.port`; shells complete it."""

    name = "key"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002 - click's signature
        """Every key that begins so, with its description."""
        from click.shell_completion import CompletionItem

        from stratumops.settings import accessors

        return [CompletionItem(one.key, help=one.description) for one in accessors() if one.key.startswith(incomplete)]


def _get(key: str) -> None:
    from stratumops.settings import accessor

    one = accessor(key)
    session = Session.current()
    value = one.read(session.settings())
    if session.as_json:
        session.say_json(_row(one, value, session))
    else:
        click.echo(_text(value))


def _list(changed: bool) -> None:
    from rich.table import Table

    from stratumops.settings import accessors

    session = Session.current()
    settings, problems = _survey(session)
    rows = [_row(one, one.read(settings), session) for one in accessors()]
    if changed:
        rows = [row for row in rows if row["source"] != "default"]
    wrong = {one.key: one for one in problems}
    rows = [row | {"problem": wrong.pop(row["key"]).said} if row["key"] in wrong else row for row in rows]
    rows += [
        {"key": one.key, "value": None, "default": None, "source": "file", "description": "", "problem": one.said}
        for one in wrong.values()
    ]
    if session.as_json:
        session.say_json(rows)
        return
    table = Table(box=None, header_style="quiet", pad_edge=False)
    for heading in ("key", "value", "default", "from", "description"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"key", "from"})
    for row in rows:
        is_default = row["source"] == "default"
        table.add_row(
            Text(row["key"], "name"),
            Text(visible(_text(row["value"])), "" if is_default else "heading"),
            Text(_text(row["default"]), "quiet"),
            Text(row["source"], "quiet" if is_default else "good"),
            Text(visible(str(row["problem"])), "error") if "problem" in row else str(row["description"]),
        )
    session.out.print(table)
    if problems:
        session.notes.print(_repair(problems[0]), style="warning", soft_wrap=True)


def _set(key: str, value: str) -> None:
    from stratumops.settings import accessor

    one = accessor(key)
    session = Session.current()
    parsed = parse_value(one, value)
    text = _edited(session, key, parsed)
    rest = _require_better(text, key)
    replace_text(_file(session), text)
    if session.as_json:
        session.say_json(_row(one, one.read(_survey(session)[0]), session))
        return
    session.notes.print(Text.assemble((key, "name"), f" = {visible(_text(parsed))}"), soft_wrap=True)
    if os.environ.get(one.variable):
        session.notes.print(f"{one.variable} is set and wins over prov.toml", style="warning", soft_wrap=True)
    _tell(session, rest)


def _unset(key: str) -> None:
    from stratumops.settings import accessor

    session = Session.current()
    text = _edited(session, key, None)
    is_foreign = _file(session).exists() and text != _text_of(session) and not _is_setting(key)
    # A key that there is not may still stand in the file, and is what somebody wants to be rid of.
    one = None if is_foreign else accessor(key)
    rest = _require_better(text, key)
    if _file(session).exists():
        replace_text(_file(session), text)
    if one is None and session.as_json:
        session.say_json({"key": key, "removed": True})
    elif one is None:
        session.notes.print(Text.assemble((visible(key), "name"), " is removed; there is no such setting"), soft_wrap=True)
    elif session.as_json:
        session.say_json(_row(one, one.read(_survey(session)[0]), session))
    else:
        session.notes.print(Text.assemble((key, "name"), f" is back at its default, {_text(one.default)}"), soft_wrap=True)
    _tell(session, rest)


def _validate() -> None:
    from prov_server.install.agreement import disagreements

    session = Session.current()
    found = disagreements(session.settings())
    if found:
        raise InvalidInputError(
            f"settings: {found[0].key}: {found[0].message}", hint=found[0].hint, problems=[asdict(one) for one in found]
        )
    if session.as_json:
        session.say_json({"valid": True, "file": str(_file(session)) if _file(session).exists() else None})
    else:
        where = _file(session) if _file(session).exists() else "no prov.toml: defaults and environment"
        session.out.print(Text.assemble(("valid", "good"), f": {visible(str(where))}"), soft_wrap=True)


def _path() -> None:
    session = Session.current()
    if session.as_json:
        session.say_json({"path": str(_file(session)), "exists": _file(session).exists()})
    else:
        click.echo(str(_file(session)))


def parse_value(one: "Accessor", text: str) -> Any:
    """A word from the command line as the setting's type: JSON where it is JSON, commas for lists, else text.

    Raises InvalidInputError with the setting's type and reason.
    """
    from pydantic import TypeAdapter, ValidationError

    adapter: TypeAdapter[Any] = TypeAdapter(one.field.rebuild_annotation())
    candidates: list[Any] = [text]
    if str(one.field.annotation).startswith("list"):
        candidates = [[word.strip() for word in text.split(",") if word.strip()]]
    with contextlib.suppress(ValueError, RecursionError):
        candidates.insert(0, json.loads(text))
    reason = ""
    for candidate in candidates:
        try:
            return adapter.validate_python(candidate)
        except ValidationError as error:
            reason = error.errors(include_url=False, include_input=False)[0]["msg"]
    raise InvalidInputError(f"{one.key}: {reason}", hint=f"{one.description} ({one.type_name}; default {_text(one.default)})")


def _edited(session: Session, key: str, value: Any) -> str:
    """The file's text with one key set (or removed, for None); comments and order stay."""
    import tomlkit
    from tomlkit.exceptions import ParseError

    path = _file(session)
    try:
        document = tomlkit.parse(_text_of(session))
    except ParseError as error:
        raise InvalidInputError(f"prov.toml is not TOML: {error}", hint=f"correct {path}") from None
    *tables, leaf = key.split(".")
    table: Any = document
    for name in tables:
        if name not in table:
            if value is None:
                return tomlkit.dumps(document)
            table[name] = tomlkit.table()
        table = table[name]
        if not hasattr(table, "items"):
            raise InvalidInputError(f"prov.toml: {name} is not a table", hint=f"correct {path}")
    if value is None:
        table.pop(leaf, None)
    else:
        table[leaf] = value
    return tomlkit.dumps(document)


def _require_better(text: str, key: str) -> list["Problem"]:
    """Raises InvalidInputError when this key would be wrong in the new text, or would not fit the other settings.

    Answers what else is wrong: one who repairs a file does it key by key. Nothing has been written yet.
    """
    from prov_server.install.agreement import disagreements
    from stratumops.settings import survey

    settings, problems = survey(text)
    problems = problems + disagreements(settings)
    for one in problems:
        if one.key == key or one.key.startswith(f"{key}."):
            raise InvalidInputError(f"prov.toml would not be valid: {one.key}: {one.message}", hint=one.hint)
    return problems


def _tell(session: Session, problems: list["Problem"]) -> None:
    for one in problems:
        session.notes.print(f"still wrong: {visible(one.said)}", style="warning", soft_wrap=True)


def _repair(problem: "Problem") -> str:
    return f"what is wrong is left out; `prov config unset {visible(problem.key)}` removes it, `prov config set` corrects it"


def _survey(session: Session) -> "tuple[Settings, list[Problem]]":
    """The settings as far as they are valid, and what in the file is not."""
    from stratumops.settings import survey

    return survey(_text_of(session))


def _text_of(session: Session) -> str:
    """The text of `prov.toml`; empty when there is none. Raises InvalidInputError or PermissionDeniedError."""
    path = _file(session)
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"prov.toml is not UTF-8 text (byte {error.start})", hint=f"correct {path}") from None
    except OSError as error:
        raise PermissionDeniedError(f"{path} cannot be read: {error.strerror}", hint="check the file's owner and mode") from None


def _is_setting(key: str) -> bool:
    from stratumops.settings import accessors

    return any(one.key == key for one in accessors())


def _row(one: "Accessor", value: Any, session: Session) -> dict[str, Any]:
    return {
        "key": one.key,
        "value": without_password(value),
        "default": one.default,
        "source": _source(one, session),
        "variable": one.variable,
        "type": one.type_name,
        "description": one.description,
    }


def _source(one: "Accessor", session: Session) -> str:
    """Where a value comes from: env, file or default, in the order in which they win."""
    if os.environ.get(one.variable):
        return "env"
    path = _file(session)
    table: Any = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for part in one.key.split("."):
        if not isinstance(table, dict) or part not in table:
            return "default"
        table = table[part]
    return "file"


def _file(session: Session) -> "Path":
    from stratumops.settings import FILE_NAME

    return session.workspace.root / FILE_NAME


def _text(value: Any) -> str:
    value = without_password(value)
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _key() -> click.Parameter:
    return RichArgument(["key"], type=SettingKey(), help="Such as server.port")


def config() -> Group:
    """The group `prov config`."""
    value = RichArgument(["value"], help="Its new value")
    changed = RichOption(["--changed"], is_flag=True, default=False, help="Only what is not at its default")
    return Group(
        "config",
        help="Read and write the settings (prov.toml)",
        commands=[
            Command("get", callback=_get, params=[_key()], help="Print one setting."),
            Command("set", callback=_set, params=[_key(), value], help="Set one in prov.toml; its comments and order stay."),
            Command("list", callback=_list, params=[changed], help="List every setting: value, default, where it comes from."),
            Command("validate", callback=_validate, help="Check prov.toml and the environment."),
            Command("unset", callback=_unset, params=[_key()], help="Remove one from prov.toml: back to its default."),
            Command("path", callback=_path, help="Print where prov.toml is."),
        ],
    )

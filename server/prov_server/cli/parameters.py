"""Fields of a tool's input as arguments and options: types, choices, defaults and help come from the model."""

import json
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich_click import RichArgument, RichOption

from prov_server.cli.completers import completer
from prov_tools.arguments import ConfigArgument
from stratumops.errors import InvalidInputError


class JsonValue(click.ParamType[Any]):
    """A nested value, written as JSON."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The parsed value."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            self.fail("this is not JSON", param, ctx)


class ConfigPath(click.ParamType[Any]):
    """A configuration: text, a path, or `-`; shells complete paths."""

    name = "config"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002 - click's signature
        """Let the shell complete file names."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


def parameters(tool: str, model: type[BaseModel]) -> list[click.Parameter]:
    """Required fields of a tool's input as positional arguments, the others as options.

    A required field after the first may be given by name as well: `prov compliance check main.ncl --framework soc2`.
    The first field of a model without required ones may be given either way (`prov schema show server`), and after
    it the words of its first list: `prov mcp toolsets enable config`.
    """
    fields = model.model_fields
    made: list[click.Parameter] = []
    if fields and not any(info.is_required() for info in fields.values()):
        first = next(iter(fields))
        made.append(_argument(tool, first, fields[first], required=False))
        made.append(_option(tool, first, fields[first], hidden=True))
        fields = {name: info for name, info in fields.items() if name != first}
        words = next((name for name, info in fields.items() if _is_many(info)), None)
        if words is not None:
            made.append(_argument(tool, words, fields[words], required=False))
            made.append(_option(tool, words, fields.pop(words), hidden=True))
    is_first = True
    for name, info in fields.items():
        if not info.is_required():
            made.append(_option(tool, name, info))
            continue
        made.append(_argument(tool, name, info, required=is_first))
        if not is_first:
            made.append(_option(tool, name, info, hidden=True))
        is_first = False
    return made


def is_config(info: FieldInfo) -> bool:
    """Whether a field is the configuration argument that all tools share."""
    return any(isinstance(mark, ConfigArgument) for mark in info.metadata)


def arguments_of(model: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """What a person gave, as the tool's arguments; what was left out is left to the model's defaults.

    Raises InvalidInputError for a required one that was given neither by place nor by name.
    """
    arguments: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        # An option that was given wins over the same field's optional place.
        value = given.get(f"{name}__option")
        if value is None or value == ():
            value = given.get(name)
        if value is None or value == ():
            if info.is_required():
                raise InvalidInputError(f"missing argument {name.upper()}", hint=f"add it, or --{name.replace('_', '-')} ...")
            continue
        kind = _plain(info.annotation)
        arguments[name] = _many(value, _item(kind)) if _is_many(info) else value
    return arguments


def _argument(tool: str, name: str, info: FieldInfo, *, required: bool) -> click.Argument:
    kind, many = _plain(info.annotation), _is_many(info)
    return RichArgument(
        [name],
        type=_type(_item(kind) if many else kind, info),
        nargs=-1 if many else 1,
        required=required,
        help=_help(info) + (f" [required; also as --{name.replace('_', '-')}]" if info.is_required() and not required else ""),
        shell_complete=completer(tool, name),
    )


def _option(tool: str, name: str, info: FieldInfo, *, hidden: bool = False) -> click.Option:
    kind = _plain(info.annotation)
    flag = f"--{name.replace('_', '-')}"
    destination = f"{name}__option" if hidden else name
    default = info.get_default(call_default_factory=True)
    words = _help(info)
    if kind is bool:
        if default is not None:
            words += f" [default: {'' if default else 'no-'}{flag[2:]}]"
        return RichOption([f"{flag}/--no-{flag[2:]}", destination], default=None, help=words, hidden=hidden)
    if default not in (None, "", [], {}):
        words += f" [default: {default if isinstance(default, str) else json.dumps(default, default=str)}]"
    many = _is_many(info)
    if many:
        words += " (repeat it, or separate with commas)"
    what = _type(_item(kind) if many else kind, info, loose=many)
    return RichOption(
        [flag, destination],
        type=what,
        multiple=many,
        default=None,
        help=words,
        hidden=hidden,
        shell_complete=completer(tool, name),
    )


def _is_many(info: FieldInfo) -> bool:
    kind = _plain(info.annotation)
    return get_origin(kind) is list and not _is_nested(_item(kind))


def _plain(annotation: Any) -> Any:
    """The type without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [one for one in get_args(annotation) if one is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _item(kind: Any) -> Any:
    return _plain((get_args(kind) or (str,))[0])


def _choices(kind: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in get_args(kind)) if get_origin(kind) is Literal else ()


def _is_nested(kind: Any) -> bool:
    return not (_choices(kind) or kind in (str, int, float, bool))


def _type(kind: Any, info: FieldInfo, *, loose: bool = False) -> click.ParamType[Any]:
    if is_config(info):
        return ConfigPath()
    if loose:
        return click.STRING  # may hold several values, separated by commas
    if choices := _choices(kind):
        return click.Choice(choices)
    simple: dict[Any, click.ParamType[Any]] = {str: click.STRING, int: click.INT, float: click.FLOAT, bool: click.BOOL}
    return simple.get(kind) or JsonValue()


def _many(value: Any, item: Any) -> list[Any]:
    """Repeated and comma-separated values as one list, each of the item's type."""
    parts = value if isinstance(value, tuple) else (value,)
    words = [word.strip() for part in parts for word in str(part).split(",") if word.strip()]
    simple: dict[Any, click.ParamType[Any]] = {int: click.INT, float: click.FLOAT, bool: click.BOOL}
    kind = simple.get(item)
    return [kind.convert(word, None, None) for word in words] if kind else words


def _help(info: FieldInfo) -> str:
    return info.description or ""

"""The reference pages about errors, settings and schemas, from the classes and models that declare them."""

import json
from collections.abc import Iterator
from inspect import cleandoc
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from prov_gen.model.kinds import BY_NAME
from prov_gen.schema import describe
from prov_server.approval import terminal
from prov_server.derived.page import cell, code, page, table
from prov_server.http import errors as http_errors
from prov_tools.vault.failures import translated
from provisioning import errors as engine_errors
from provisioning.approval import errors as approval_errors
from provisioning.workflow import tasks as task_errors
from stratumops import errors, settings
from stratumops.settings import Accessor
from svault import errors as vault_errors

ABOUT_SCHEMAS = (
    "A configuration is a record, `infrastructure`; each of its lists holds records of one kind. `[]` stands for each "
    "element of a list. `prov schema show KIND` prints the same; `--format nickel` prints the contract and `--format json` "
    "the JSON Schema."
)


def errors_page() -> str:
    """Every code with its HTTP status and exit code."""
    rows = [
        (code(one.code), str(one.http_status), str(one.exit_code), cell(cleandoc(one.__doc__ or "")))
        for one in sorted(error_classes(errors), key=lambda one: one.exit_code)
    ]
    of_engine = [
        (code(one.code), str(one.http_status), str(one.exit_code), cell(cleandoc(one.__doc__ or "")))
        for module in (engine_errors, approval_errors, task_errors, terminal)
        for one in sorted(error_classes(module), key=lambda one: one.exit_code)
    ]
    of_http = [
        (code(one.code), str(one.http_status), cell(cleandoc(one.__doc__ or "")))
        for one in sorted(error_classes(http_errors), key=lambda one: one.http_status)
    ]
    shape = {"error": {"code": "not_found", "message": "what was wrong", "hint": "what to do next", "details": {}}}
    return page(
        "Errors",
        "the classes of `stratumops.errors`, `provisioning.errors` and `prov_server.http.errors`",
        "Every face tells an error by its stable `code`; nobody needs to read the message to find out which one it is. "
        f"REST and `prov --json` answer {code(json.dumps(shape))}; "
        "over MCP the result has `isError` and the same JSON as its text.",
        table(("code", "HTTP status", "exit code", "meaning"), rows),
        "Exit code 0 means that a command worked, 1 that it worked and the verdict is negative (findings), "
        "130 that it was interrupted, 141 that nobody read its output any more.",
        "## Of plans, approvals, applies and state",
        "Closer words than those above, for what a program or an assistant treats in a way of its own.",
        table(("code", "HTTP status", "exit code", "meaning"), of_engine),
        "## Over HTTP only",
        "These are about the request itself, before any tool is asked.",
        table(("code", "HTTP status", "meaning"), of_http),
        "## Over Vault's API only",
        f"`/v1` answers as Vault does: {code(json.dumps({'errors': ['a sentence']}))} with a status, without codes. The "
        "last column is the code that our own tools answer with when the vault answers them so.",
        table(("HTTP status", "meaning", "code of our tools"), _of_the_vault()),
    )


def _of_the_vault() -> list[tuple[str, str, str]]:
    kinds = [one for one in error_classes(vault_errors) if one is not vault_errors.VaultError]
    return [
        (str(one.http_status), cell(cleandoc(one.__doc__ or "")), code(translated(one(""), "").code))
        for one in sorted(kinds, key=lambda one: one.http_status)
        if issubclass(one, vault_errors.VaultError)
    ]


def error_classes(module: ModuleType) -> Iterator[type[errors.StratumError]]:
    """The classes of a module that callers can meet: all but the base class."""
    own = (one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__)
    yield from (one for one in own if issubclass(one, errors.StratumError) and one is not errors.StratumError)


def settings_page() -> str:
    """Every accessor."""
    rows = [
        (code(one.key), cell(setting_type(one)), setting_default(one.default), code(one.variable), cell(one.description))
        for one in settings.accessors()
    ]
    return page(
        "Settings",
        "the models of `stratumops.settings`",
        f"Later sources win: defaults, `{settings.FILE_NAME}` in the workspace, environment variables, flags. "
        f"In `{settings.FILE_NAME}` the part before the dot is a table: `server.port` is `port` in `[server]`. "
        "`prov config list` shows the values in force, `prov config set KEY VALUE` writes one, `prov config validate` "
        "checks all. "
        "A variable that holds a list is JSON.",
        table(("key", "type", "default", "variable", "description"), rows),
    )


def setting_type(one: Accessor) -> str:
    """An accessor's type and range in a reader's words."""
    annotation = one.field.annotation
    limits = [
        f"{sign} {value:,}"
        for sign, name in ((">=", "ge"), (">", "gt"), ("<=", "le"), ("<", "lt"))
        for value in (getattr(item, name, None) for item in one.field.metadata)
        if value is not None
    ]
    return f"{_type(annotation)} ({', '.join(limits)})" if limits else _type(annotation)


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(map(str, get_args(annotation)))
    if get_origin(annotation) is list:
        return f"list of {_type(get_args(annotation)[0])}"
    words = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return words.get(annotation, str(annotation))


def setting_default(value: Any) -> str:
    """A setting's default as a cell."""
    return "(empty)" if value in ("", []) else code(json.dumps(value, ensure_ascii=False))


def schemas_page() -> str:
    """Every kind with its fields."""
    parts = [ABOUT_SCHEMAS]
    for name, kind in BY_NAME.items():
        described = describe(name, "fields")
        rows = [(code(f.path), cell(f.type), field_default(f.default), cell(f.description)) for f in described.fields]
        about = cleandoc(kind.model.__doc__ or "")
        parts += [f"## {name}", about, table(("field", "type", "default", "description"), rows)]
    return page("Schemas", "the models of `prov_gen.model`", *parts)


def field_default(text: str) -> str:
    """A field's default as a cell."""
    return {"(required)": "required", "(none)": ""}.get(text, code(text))

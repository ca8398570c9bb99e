"""`docs/reference/svault.md`: the commands of `svault`, the keys of `svault.toml`, what a check of it can find, the backends."""

import re
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from prov_server.derived.commands import option_row, section, walk
from prov_server.derived.page import cell, code, page, table
from svault.cli.root import root
from svault.cli.session import AskingCommand
from svault.config import vault_json
from svault.config.check import LIBRARIES
from svault.config.findings import KINDS
from svault.config.model import Address, EngineSection, Seconds, Settings
from svault.crypto.choice import LOADERS
from svault.crypto.unavailable import INSTALL
from svault.storage import choice as storage

SOURCE = "`svault.cli`, `svault.config`, `svault.storage.choice` and `svault.crypto`"
INTRODUCTION = (
    "SecretumVault as a server of its own; [how to run one](../howto/svault-server.md). `svault COMMAND --help` shows the same "
    "in a terminal. Long options may be written with one dash, as Vault's (`-address`, `-format=json`)."
)
ABOUT_KEYS = (
    "`svault server --config FILE` and `svault config check FILE` read it. An unknown key is an error. A text `env:NAME` stands "
    "for an environment variable, `file:PATH` for the first line of a file, seen from the folder of the configuration. Other "
    "relative paths begin where the server was started."
)
ABOUT_VAULTS = (
    "A file whose name ends in `.json`, or that begins with `{`, is read as Vault's configuration in its JSON form. HCL is not "
    "read. Such a file names no engines and no audit devices: `svault secrets enable` and `svault audit enable` make them."
)
ABOUT_CHECKS = (
    "`svault config check FILE` tells all of them at once, the worst first; a server does not start with an error and logs the "
    "warnings. Words in capitals stand for what the file says."
)
_PLACEHOLDER = re.compile(r"\{(\w+)(?:![rsa])?\}")
_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Address: "HOST:PORT",
    SecretStr: "text (secret)",
}


def svault_page() -> str:
    """The whole page."""
    return page(
        "svault",
        SOURCE,
        INTRODUCTION,
        "## svault.toml",
        ABOUT_KEYS,
        table(("key", "type", "default", "description"), configuration()),
        "## Vault's configuration",
        ABOUT_VAULTS,
        table(("Vault's key", "key of svault.toml"), _translations()),
        "These have no meaning here; the check says why:",
        table(("Vault's key", "why"), ((code(key), cell(why)) for key, why in vault_json.WITHOUT_MEANING.items())),
        "## What the check finds",
        ABOUT_CHECKS,
        table(("code", "severity", "what is wrong", "what to do"), _findings()),
        "## Storage backends",
        table(("backend", "libraries", "how to install them"), _storages()),
        "## Crypto backends",
        "They compute ML-KEM and ML-DSA; everything else is `cryptography`'s. `svault crypto` says which are here.",
        table(("backend", "how to install it"), ((code(name), cell(INSTALL[name])) for name in LOADERS)),
        *_commands(),
    )


def _commands() -> Iterator[str]:
    with click.Context(root, info_name="svault") as ctx:
        found = list(walk(root, ctx))
        yield "## Commands"
        yield table(
            ("command", "what it does"), [(code(one.command_path), cell(one.command.get_short_help_str(200))) for one in found]
        )
        yield "Commands that ask a server take these options too:"
        shared = [one for one in AskingCommand("").params if isinstance(one, click.Option)]
        yield table(("option", "meaning"), [option_row(one, ctx) for one in shared])
        names = {one.name or "" for one in shared}
        for one in found:
            yield "#" + section(one, {"help"} | names if isinstance(one.command, AskingCommand) else {"help"})


def configuration() -> Iterator[tuple[str, str, str, str]]:
    """Every key of the file: its dotted name, its type, its default, its description."""
    return _walk(Settings, "")


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in model.model_fields.items():
        inner = _section(field.annotation)
        if inner is EngineSection:
            yield from _walk(inner, f"{prefix}{name}.NAME.")
        elif inner is not None:
            yield from _walk(inner, f"{prefix}{name}.")
        else:
            yield code(f"{prefix}{name}"), _type(field), _default(field), cell(cleandoc(field.description or ""))


def _section(annotation: Any) -> type[BaseModel] | None:
    """The table that a key holds, also where it may be left out; None for a plain value."""
    found = [one for one in (annotation, *get_args(annotation)) if isinstance(one, type) and issubclass(one, BaseModel)]
    return found[0] if found else None


def _type(field: FieldInfo) -> str:
    limits = [
        f"{sign} {value:,}"
        for sign, name in ((">=", "ge"), (">", "gt"), ("<=", "le"), ("<", "lt"))
        for value in (getattr(item, name, None) for item in field.metadata)
        if value is not None
    ]
    # Pydantic takes the mark of a duration off the annotation and keeps it in the metadata.
    is_duration = set(get_args(Seconds)[1:]) & set(field.metadata)
    words = "duration" if is_duration else _words(field.annotation)
    return cell(f"{words} ({', '.join(limits)})" if limits else words)


def _words(annotation: Any) -> str:
    if annotation == Seconds:
        return "duration"
    origin, inner = get_origin(annotation), [one for one in get_args(annotation) if one is not type(None)]
    if origin is Annotated:
        return _words(inner[0])
    if origin in {Union, UnionType}:
        return _words(inner[0])
    if origin is Literal:
        return ", ".join(map(str, inner))
    if origin is tuple:
        return f"list of {_words(inner[0])}"
    return _WORDS[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if value is None or value == "":
        return ""
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def _translations() -> Iterator[tuple[str, str]]:
    for key, to in vault_json.TOP.items():
        yield code(key), code(".".join(to.path))
    for key, to in vault_json.LISTENER.items():
        yield code(f"listener.tcp.{key}"), code(".".join(to.path))
    yield code("listener.tcp.tls_disable"), code("server.allow_plaintext")
    for name, (backend, options) in vault_json.BACKENDS.items():
        yield code(f"storage.{name}"), code(f"storage.backend = {backend}")
        for key, to in options.items():
            yield code(f"storage.{name}.{key}"), code(".".join(("storage", backend, *to.path)))
    yield code("seal.static.current_key"), f"{code('seal.static.key_file')} or {code('seal.static.key_env')}"


def _findings() -> Iterator[tuple[str, str, str, str]]:
    for name, kind in KINDS.items():
        hint = "" if _PLACEHOLDER.fullmatch(kind.hint) else _filled(kind.hint)
        yield code(name), kind.severity, cell(_filled(kind.message)), cell(hint)


def _filled(text: str) -> str:
    return _PLACEHOLDER.sub(lambda found: found[1].upper(), text)


def _storages() -> Iterator[tuple[str, str, str]]:
    for name, backend in storage.BACKENDS.items():
        install = code(f"pip install 'stratumops[{backend.extra}]'") if backend.extra else "nothing to install"
        yield code(name), ", ".join(map(code, LIBRARIES.get(name, ()))), install

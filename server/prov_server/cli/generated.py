"""Commands made from the registry by a loop: a tool that is added there is a command without another line here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prov_server.cli.configuration import read_argument
from prov_server.cli.groups import Command, Group
from prov_server.cli.options import global_options
from prov_server.cli.parameters import arguments_of, is_config, parameters
from prov_server.cli.session import Session
from prov_server.cli.views import PERSON_NOTES, PERSON_OPTIONS, Answer, view_of
from stratumops.errors import InvalidInputError
from stratumops.registry import Registry
from stratumops.schema import compact_dump
from stratumops.tool import Tool

if TYPE_CHECKING:
    from prov_server.compose import Application

Build = Callable[..., "Application"]

TITLES = {
    "config": "Configurations",
    "core": "Assistants",
    "cost": "Before you apply",
    "compliance": "Before you apply",
    "migration": "Before you apply",
    "engine": "Plan and apply",
    "providers": "Plan and apply",
    "workflows": "Plan and apply",
    "infra": "What there is",
    "state": "What there is",
    "knowledge": "What is known",
    "vault": "Secrets",
    "admin": "This workspace",
}
"""How help calls a toolset, where its name with a capital does not do."""

GROUPS = {"import": "Bring in what another tool describes", "migrate": "Plan the way from one configuration to another"}
"""What help says of a group, where its toolset's purpose does not do."""

PERSONS = {
    "vault store": "secret/app password --generate",
    "vault encrypt": "backups --file backup.tar",
    "plan": "main.ncl",
    "query": "how many servers are running per region",
    "troubleshoot": "too many clients already --service postgresql",
    "rag search": "replication slot fills the disk",
    "workflow run": "health-check --set host=localhost --dry-run",
    "cert generate": "--domain example.com",
}
"""Commands of a person that take the place of a tool's, because a person says other things; with an example of each."""


def attach(root: Group, registry: Registry[Any], *, build: Build | None = None) -> None:
    """Add a command for every tool and alias of the registry to the tree of commands."""
    for tool in registry:
        for words in (tool.command, *tool.aliases):
            *above, name = words.split()
            group = root
            for word in above:
                group = _group(group, word, tool, registry)
            if name in group.commands and words in PERSONS:
                continue
            if name in group.commands:
                raise ValueError(f"two commands are called `prov {words}`")
            command = make_command(tool, name, build=build)
            group.put(command, title(tool.toolset) if group is root else None)


def title(toolset: str) -> str:
    """The heading of a toolset's commands."""
    return TITLES.get(toolset, toolset.capitalize())


def make_command(tool: Tool[Any, Any, Any], name: str, *, build: Build | None = None) -> Command:
    """The command that runs a tool. Raises ValueError when a field would hide a global option."""
    own = PERSON_OPTIONS.get(tool.name, list)()
    hidden = {param.name for param in own}
    params = [*(param for param in parameters(tool.name, tool.input) if param.name not in hidden), *own]
    taken = {word for option in global_options(root=True) for word in (*option.opts, *option.secondary_opts)}
    clash = taken.intersection(word for param in params for word in (*param.opts, *param.secondary_opts))
    if clash:
        raise ValueError(f"{tool.name}: {', '.join(sorted(clash))} is a global option of `prov`")

    def run(**given: Any) -> int:
        return run_tool(tool, given, build=build)

    return Command(name, params=params, callback=run, help=f"{tool.description} {PERSON_NOTES.get(tool.name, '')}".rstrip())


def run_tool(tool: Tool[Any, Any, Any], given: dict[str, Any], *, build: Build | None = None) -> int:
    """Call a tool for a person and show its answer; answers 1 when the verdict is negative."""
    session = Session.current()
    own = {param.name for param in PERSON_OPTIONS.get(tool.name, list)()}
    # A person's option that is named like a flag of the tool says more than yes: `--split FOLDER` also asks for the files.
    stated = arguments_of(tool.input, {key: value if key not in own else bool(value) or None for key, value in given.items()})
    arguments = {}
    for key, value in stated.items():
        if isinstance(value, str):
            _require_text(key, value)
            arguments[key] = read_argument(value, session.workspace) if is_config(tool.input.model_fields[key]) else value
        else:
            arguments[key] = value
    output = session.call(tool.name, arguments, build=build)
    extras = {key: value for key, value in given.items() if key in own}
    answer = Answer(tool=tool, output=output, arguments=arguments, stated=stated, extras=extras, session=session)
    view = view_of(tool.name)
    view.act(answer)
    if session.as_json:
        session.say_json(compact_dump(output))
    else:
        view.show(answer)
    return 0 if output.passed() else 1


def _group(parent: Group, word: str, tool: Tool[Any, Any, Any], registry: Registry[Any]) -> Group:
    found = parent.commands.get(word)
    if isinstance(found, Group):
        return found
    if found is not None:
        raise ValueError(f"{tool.name}: `{word}` is a command, not a group")
    made = Group(word, help=GROUPS.get(word, registry.toolsets[tool.toolset]))
    parent.put(made, title(tool.toolset))
    return made


def _require_text(key: str, value: str) -> None:
    """Bytes that are no text arrive as lone surrogates, which nothing behind this can write."""
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidInputError(f"{key} is not valid UTF-8 text", hint="check the terminal's or the script's encoding")

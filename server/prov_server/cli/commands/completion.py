"""`prov completion bash|zsh|fish`: the script that makes a shell complete commands, options and choices."""

import sys

import click
from rich_click import RichArgument

from prov_server.cli.groups import Command
from prov_server.cli.session import Session

INSTALL = {
    "bash": "prov completion bash > ~/.local/share/bash-completion/completions/prov",
    "zsh": 'prov completion zsh > "${fpath[1]}/_prov"',
    "fish": "prov completion fish > ~/.config/fish/completions/prov.fish",
}


def _run(shell: str) -> None:
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    click.echo(_source(kind, root))
    if sys.stdout.isatty():
        session = Session.current()
        session.notes.print(f"\nThis is the script. To install it, then start a new shell:\n  {INSTALL[shell]}", soft_wrap=True)


def _source(kind: type, root: click.Command) -> str:
    completer = kind(root, {}, "prov", "_PROV_COMPLETE")
    # `source()` of the bash class asks the running bash for its version, which a script for another machine must not.
    return str(completer.source_template % completer.source_vars())


def completion() -> Command:
    """The command."""
    return Command(
        "completion",
        callback=_run,
        params=[RichArgument(["shell"], type=click.Choice(tuple(INSTALL)), metavar="SHELL", help="bash, zsh or fish")],
        help="Print the completion script of a shell. Install it with:\n\n" + "\n\n".join(INSTALL.values()),
        short_help="Print a shell's completion script",
    )

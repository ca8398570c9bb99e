"""One run of `prov`: the chosen workspace, its settings, the two consoles, and the way to a tool."""

import json
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from prov_server.cli.console import console
from prov_server.cli.options import Choices, choices

if TYPE_CHECKING:
    from rich.console import Console

    from prov_server.compose import Application
    from stratumops.settings import Settings
    from stratumops.tool import ToolOutput
    from stratumops.workspace import Workspace


class Session:
    """What a command may use. Everything is made when it is first asked for."""

    def __init__(self, chosen: Choices) -> None:
        self.chosen = chosen

    @classmethod
    def current(cls) -> "Session":
        """The session of the command that is running."""
        return cls(choices(click.get_current_context()))

    @property
    def as_json(self) -> bool:
        """Whether the answer is wanted as JSON."""
        return self.chosen.json

    @cached_property
    def workspace(self) -> "Workspace":
        """The chosen folder. Raises NotFoundError or InvalidInputError."""
        from stratumops.workspace import Workspace

        return Workspace.at(self.chosen.workspace or ".")

    @cached_property
    def out(self) -> "Console":
        """For results."""
        return console()

    @cached_property
    def notes(self) -> "Console":
        """For what accompanies a result; says nothing when it is to be quiet."""
        made = console(sys.stderr)
        made.quiet = self.chosen.quiet
        return made

    @property
    def command(self) -> str:
        """What a person types before the name of a command to come to the same engine."""
        return "prov --sandbox" if self.chosen.sandbox else "prov"

    def settings(self, *, is_server: bool = False, **flags: Any) -> "Settings":
        """The workspace's settings under these flags; logging is set up from them.

        A command that ends with its answer says what went wrong itself: its log is for who asks for it.
        """
        import logging

        from prov_server.redaction import process_redactor
        from stratumops import settings
        from stratumops.logging import configure

        if self.chosen.sandbox:
            flags = {**flags, "engine": {"provider": "sandbox"}}
        if self.chosen.verbose:
            flags = {**flags, "log": {"level": "debug"}}
        loaded = settings.load(self.workspace.root, **flags)
        configure(level=loaded.log.level, format=loaded.log.format, redactor=process_redactor())
        if not is_server and loaded.log.level in {"warning", "error"}:
            logging.getLogger().setLevel(logging.CRITICAL)
        return loaded

    def tell(self, said: str) -> None:
        """Say what a person should know beside the answer."""
        from prov_server.cli.console import visible

        self.notes.print(f"warning: {visible(said)}", style="warning", soft_wrap=True)

    def say_json(self, value: Any) -> None:
        """Print a value as JSON."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))

    def call(self, name: str, arguments: dict[str, Any], *, build: "Callable[..., Application] | None" = None) -> "ToolOutput":
        """Run a tool with a progress bar. Raises StratumError."""
        import asyncio

        from prov_server import compose
        from prov_server.cli.progress import Progress
        from prov_server.redaction import process_redactor
        from stratumops.principal import LOCAL
        from stratumops.redact import REDACTED
        from stratumops.schema import compact_dump

        settings, redactor = self.settings(), process_redactor()
        app = (
            build(self.workspace, settings, redactor=redactor)
            if build
            else compose.build(self.workspace, settings, redactor=redactor, notify=self.tell)
        )

        async def run() -> "ToolOutput":
            try:
                with Progress(self.notes) as progress:
                    return await app.call(name, arguments, principal=LOCAL, face="cli", report=progress.report)
            finally:
                await app.aclose()

        output = asyncio.run(run())
        if app.audit.trouble:
            self.notes.print(f"warning: this call is not in the audit: {app.audit.trouble}", style="warning", soft_wrap=True)
        if REDACTED in str(compact_dump(output)):
            words = "warning: what looks like a secret was left out; a configuration names it instead: vault:secret/app#password"
            self.notes.print(words, style="warning", soft_wrap=True)
        return output

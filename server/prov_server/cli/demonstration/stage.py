"""What the demonstration prints with: headings, what was said, and a picture of it all at the end."""

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from prov_server.cli.console import console, visible
from prov_server.cli.writing import replace_text

PICTURE_WIDTH = 124

# The picture would fetch a font from a server of somebody else; a reader's own monospace font does as well.
_FOREIGN = re.compile(r"@font-face\s*\{.*?\}\s*|<!--.*?-->", re.DOTALL)


class Stage:
    """The console of one demonstration; `failures` counts what did not come as it should; `is_recorded`: a picture is wanted."""

    def __init__(self, *, record: bool) -> None:
        self.is_recorded = record
        is_wide = record or not sys.stdout.isatty()
        self.console: Console = console(record=record, width=PICTURE_WIDTH if is_wide else None)
        self.failures = 0
        self.number = 0

    def scene(self, title: str) -> None:
        """Begin the scene of the present number."""
        self.console.print()
        self.console.print(Rule(Text(f" {self.number}. {title} ", "bold"), align="left", style="quiet", characters="─"))
        self.console.print()

    def asked(self, tool: str, words: str) -> None:
        """What the assistant sends."""
        self.console.print(Text.assemble(("→ ", "info"), (tool, "name"), "  ", (visible(words), "heading")))
        self.console.print()

    def say(self, *parts: str | tuple[str, str]) -> None:
        """One line."""
        self.console.print(Text.assemble(*parts))

    def expect(self, holds: bool, words: str) -> None:
        """State an outcome, and count it when it is not what it should be."""
        self.say(("✓ ", "good") if holds else ("✗ ", "error"), words)
        self.failures += not holds

    def picture(self, path: Path) -> None:
        """Write everything that was printed as an SVG picture."""
        svg = self.console.export_svg(title="prov demo", clear=False)
        replace_text(path, _FOREIGN.sub("", svg))

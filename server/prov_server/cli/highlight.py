"""Nickel in colours. The scanner knows what a reader looks at: comments, names of fields, strings, numbers, enum tags."""

import re
from typing import TYPE_CHECKING

from rich.text import Text

from prov_server.cli.console import visible

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    "comment": "dim",
    "string": "green",
    "field": "cyan",
    "tag": "magenta",
    "keyword": "bold blue",
    "constant": "yellow",
    "number": "yellow",
}

# The groups are the styles; what matches none is shown as it is. An interpolation stays in its string's colour.
_NICKEL = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>m%+".*?"%+|"(?:[^"\\]|\\.)*")
    |(?P<tag>'[A-Za-z_][\w'-]*)
    |(?P<field>[A-Za-z_][\w'-]*(?=\s*=(?!=|>)))
    |(?P<keyword>\b(?:let|rec|in|import|if|then|else|match|fun|forall|include|doc|default|force|optional|priority)\b)
    |(?P<constant>\b(?:true|false|null|Array|Bool|Dyn|Number|String)\b)
    |(?P<name>[A-Za-z_][\w'-]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?)""",
    re.VERBOSE | re.DOTALL,
)


def nickel(text: str) -> Text:
    """The text with its colours."""
    painted = Text()
    done = 0
    for match in _NICKEL.finditer(text):
        painted.append(text[done : match.start()])
        painted.append(match.group(), STYLES.get(str(match.lastgroup), ""))
        done = match.end()
    painted.append(text[done:])
    return painted


def show_code(console: "Console", text: str, language: str = "nickel") -> None:
    """Print code: in colours on a terminal, exactly as it is elsewhere."""
    shown = visible(text).rstrip("\n")
    if language == "json":
        from rich.json import JSON

        console.print(JSON(shown).text if console.is_terminal else shown, soft_wrap=True)
    else:
        console.print(nickel(shown), soft_wrap=True)

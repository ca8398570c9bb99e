"""Markdown as the derived pages use it."""

from collections.abc import Iterable, Sequence

BANNER = "<!-- Derived from {source}; `make generate` writes it again. Do not edit. -->"


def page(title: str, source: str, *parts: str) -> str:
    """A whole page: how it is made, its title, its parts with a blank line between them."""
    return "\n\n".join([BANNER.format(source=source), f"# {title}", *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def cell(text: str) -> str:
    """A text that stays inside one cell of a table."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def code(text: str) -> str:
    """A text in the style of code, inside a cell too; nothing for an empty one."""
    plain = " ".join(text.replace("|", "\\|").split())
    fence = "``" if "`" in plain else "`"
    return f"{fence}{plain}{fence}" if plain else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown already. Empty text when there are no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines]) if lines else ""


def block(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def first_sentence(text: str) -> str:
    """The first sentence of a description, with its full stop."""
    sentence = " ".join(text.split()).split(". ")[0].rstrip(".")
    return f"{sentence}."

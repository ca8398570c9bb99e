"""The view of any answer: tables for lists of records, a tree for the rest."""

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from stratumops.schema import compact_dump

if TYPE_CHECKING:
    from rich.console import Console

MAX_COLUMNS = 7


def show(answer: Answer) -> None:
    """Print the whole answer."""
    show_value(answer.session.out, compact_dump(answer.output))


def show_value(console: "Console", value: Any) -> None:
    """Print any JSON value: single facts first, then tables and trees under their names."""
    if not isinstance(value, dict):
        console.print(_inline(value) if not isinstance(value, list | dict) else _tree("", value))
        return
    facts = {key: item for key, item in value.items() if not isinstance(item, list | dict)}
    width = max((len(_words(key)) for key in facts), default=0)
    for key, item in facts.items():
        if isinstance(item, str) and "\n" in item:
            console.print(Text(_words(key), "heading"))
            console.print(Text(visible(item)), soft_wrap=True)
        else:
            console.print(Text.assemble((_words(key).ljust(width), "name"), "  ", _inline(item)), soft_wrap=True)
    for key, item in value.items():
        if key not in facts and item:
            console.print(_table(key, item) if _is_rows(item) else _tree(key, item))


def _is_rows(value: Any) -> bool:
    """Whether a value is a list of flat records with few fields."""
    return (
        isinstance(value, list)
        and all(isinstance(row, dict) for row in value)
        and len({key for row in value for key in row}) <= MAX_COLUMNS
        and not any(isinstance(item, dict) for row in value for item in row.values())
    )


def _table(name: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=_words(name), title_justify="left", title_style="heading", box=None, header_style="quiet", pad_edge=False)
    keys = list(dict.fromkeys(key for row in rows for key in row))
    for key in keys:
        table.add_column(_words(key), overflow="fold")
    for row in rows:
        table.add_row(*(_inline(row.get(key)) for key in keys))
    return table


def _tree(name: str, value: Any) -> Tree:
    tree = Tree(Text(_words(name), "heading"), guide_style="quiet")
    _grow(tree, value)
    return tree


def _grow(tree: Tree, value: Any) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        label = visible(str(key)) if isinstance(value, dict) else ""
        if isinstance(item, dict | list) and item:
            _grow(tree.add(Text(label or f"{int(key) + 1}", "name")), item)
        elif label:
            tree.add(Text.assemble((label, "name"), ": ", _inline(item)))
        else:
            tree.add(_inline(item))


def _inline(value: Any) -> Text:
    if value is None or value in ([], {}):
        return Text("-", "quiet")
    if isinstance(value, bool):
        return Text("yes" if value else "no", "good" if value else "")
    if isinstance(value, list):
        return Text(", ".join(visible(str(item)) for item in value))
    return Text(visible(str(value)))


def _words(key: str) -> str:
    return visible(key.replace("_", " "))

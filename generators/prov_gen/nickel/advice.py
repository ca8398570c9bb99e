"""What to do about a report of Nickel's that says only what is wrong, by how its headline begins."""

import re
from collections.abc import Sequence

# Beginnings of messages, in Nickel's words; `{name}` is what the message has in backquotes. Its own notes win over these.
_WITHOUT_NOTES = (
    ("unbound identifier", 'write "{name}" if it is a text, \'{name} if it is a choice such as a provider; or define {name}'),
    ("unexpected end of file", "something is still open here: a quote, or one of {{ [ ("),
    ("unexpected token", "a comma may be missing just before; a configuration is written {{ name = value, ... }}"),
    ("unmatched", "close what is open, or take this out"),
    ("mismatched", "close what is open, or take this out"),
    ("unclosed", "close it"),
    ("missing definition", "give it a value: {name} = ..."),
    ("missing field", "correct the name {name}, or add the field"),
    ("infinite recursion", "break the circle: one of the values must not need the other"),
    ("division by zero", "divide by another number"),
    ("cannot import", "move the file into the workspace, or correct the path"),
)
# Here Nickel's notes say where or why, and not what to do.
_INSTEAD_OF_NOTES = (
    ("json parse error", "names and texts stand in double quotes; a comma parts two values, and none follows the last"),
    ("yaml parse error", 'indent with spaces, put a space after each colon, and quote a text that holds ": "'),
    ("toml parse error", "a line is name = value with texts in double quotes; a name or a [table] is there once"),
    (
        "non serializable",
        "write data here: a text, number, boolean, list or record; a function is none until it is called",
    ),
    (
        "invalid contract expression",
        "a colon gives a type; a value is written name = value, and JSON goes into a file named *.json",
    ),
    ("non mergeable", "leave one of the two values out, or write the weaker one as: name | default = value"),
)
_NAME = re.compile("`([^`]+)`")


def advice(message: str, notes: Sequence[str]) -> str:
    """The help for a message and its notes; empty when there is none."""
    said = _said(message, _INSTEAD_OF_NOTES)
    if said or not notes:
        return said or _said(message, _WITHOUT_NOTES)
    return notes[0]


def _said(message: str, table: Sequence[tuple[str, str]]) -> str:
    lowered = message.lower()
    name = _NAME.search(message)
    for beginning, told in table:
        if lowered.startswith(beginning):
            return told.format(name=name.group(1) if name else "it")
    return ""

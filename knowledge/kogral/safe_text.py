"""User text inside a template: it stays text, and can make neither headings nor hide what follows."""

import re

from prov_rag.guard import clean

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^( {0,3})(#{1,6})(?=\s|$)")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
MOST_CHARACTERS = 100_000


def as_line(text: str) -> str:
    """The text in one line, without what nobody sees."""
    return " ".join(clean(text).split())


def as_block(text: str) -> str:
    """The text as paragraphs of a section: headings become plain lines, an open fence is closed, nothing is hidden."""
    lines: list[str] = []
    fence = ""
    for line in clean(text.replace("\r\n", "\n").replace("\r", "\n"))[:MOST_CHARACTERS].strip("\n").split("\n"):
        found = _FENCE.match(line)
        if fence:
            lines.append(line)
            if found and found.group(1).startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            continue
        if found:
            fence = found.group(1)
            lines.append(line)
        elif _UNDERLINE.match(line):
            lines.append(line.replace("=", "\\=", 1).replace("-", "\\-", 1))
        else:
            lines.append(_HEADING.sub(r"\1\\\2", line).replace("<!--", "&lt;!--"))
    return "\n".join([*lines, fence] if fence else lines).strip("\n")


def as_item(text: str) -> str:
    """The text as one item of a list."""
    return as_line(text).replace("<!--", "&lt;!--")

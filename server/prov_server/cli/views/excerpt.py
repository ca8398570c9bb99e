"""Findings that point into the source, as a compiler's messages do: place, line, carets, and how to mend it."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from rich.text import Text

from prov_gen.source import PASTED
from prov_server.cli.console import visible
from stratumops.errors import StratumError
from stratumops.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console

STDIN = "<stdin>"
LONGEST_LINE = 160

# The value that starts at a column: a string, a name or number, or one sign.
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"?|[\w.\'-]+|\S')


class Finding(Protocol):
    """What is shown of a finding; every tool's rows have these."""

    @property
    def severity(self) -> str: ...

    @property
    def code(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def message(self) -> str: ...

    @property
    def fix(self) -> str | None: ...

    @property
    def line(self) -> int | None: ...

    @property
    def column(self) -> int | None: ...

    @property
    def end_column(self) -> int | None: ...

    @property
    def file(self) -> str | None: ...


class Sources:
    """The lines that findings point into: the text that was given, or files of the workspace."""

    def __init__(self, workspace: Workspace | None, *, name: str = PASTED, text: str | None = None) -> None:
        self._workspace = workspace
        self._name = name
        self._lines: dict[str, list[str]] = {} if text is None else {name: _shown(text)}

    def name(self, finding: Finding) -> str:
        """How a person calls the file of a finding."""
        return self._name if finding.file in (None, PASTED) else str(finding.file)

    def line(self, finding: Finding) -> str | None:
        """The line that a finding points to; None when it points nowhere or the file cannot be read."""
        if finding.line is None:
            return None
        name = self.name(finding)
        if name not in self._lines:
            self._lines[name] = self._read(name)
        lines = self._lines[name]
        return lines[finding.line - 1] if 0 < finding.line <= len(lines) else None

    def _read(self, name: str) -> list[str]:
        if self._workspace is None:
            return []
        try:
            return _shown(self._workspace.read_text(name))
        except StratumError:
            # A shipped schema, or a file that went away: the finding is shown without its line.
            return []


def _shown(text: str) -> list[str]:
    """A text's lines without secrets; none when a secret takes several lines, because numbers would be wrong then."""
    from prov_server.redaction import process_redactor

    lines = process_redactor().text(text).splitlines()
    return lines if len(lines) == len(text.splitlines()) else []


def show_findings(console: "Console", findings: Sequence[Finding], sources: Sources) -> None:
    """Print findings, in the order in which they came."""
    for finding in findings:
        _show(console, finding, sources)


def _show(console: "Console", finding: Finding, sources: Sources) -> None:
    head = Text.assemble((f"{finding.severity}[{finding.code}]", finding.severity), ": ", (visible(finding.message), "heading"))
    console.print(head, soft_wrap=True)
    line = sources.line(finding)
    gutter = " " * len(str(finding.line or ""))
    if finding.line is not None:
        place = f"{sources.name(finding)}:{finding.line}" + (f":{finding.column}" if finding.column else "")
        console.print(Text.assemble(gutter, ("--> ", "quiet"), visible(place), (_at(finding), "quiet")), soft_wrap=True)
    elif finding.path:
        console.print(Text.assemble(gutter, (" --> ", "quiet"), visible(finding.path)), soft_wrap=True)
    if line is not None and finding.line is not None:
        shown, start, length = underline(
            line, finding.column, finding.end_column, min(LONGEST_LINE, console.width - len(gutter) - 3)
        )
        console.print(Text.assemble((f"{finding.line} | ", "quiet"), shown), soft_wrap=True)
        if length:
            carets = Text.assemble((f"{gutter} | ", "quiet"), " " * start, ("^" * length, finding.severity))
            console.print(carets, soft_wrap=True)
    if finding.fix:
        console.print(Text.assemble(gutter, (" = ", "quiet"), ("fix: " + visible(finding.fix), "fix")), soft_wrap=True)
    console.print()


def _at(finding: Finding) -> str:
    return f"  {visible(finding.path)}" if finding.path else ""


def underline(line: str, column: int | None, end_column: int | None = None, width: int = LONGEST_LINE) -> tuple[str, int, int]:
    """The line as it is shown, and where its carets start and how many there are (0 without a column).

    Columns count characters from 1, the end is exclusive; without one, the value that starts at the column is underlined.
    At most `width` characters are shown (and at least 20). What is shown may be wider where a character had to be spelled out.
    """
    width = max(width, 20)
    if not column or column > len(line):
        return _clip(visible(line.rstrip()), width), 0, 0
    if end_column is not None and end_column > column:
        value = line[column - 1 : end_column - 1]
    else:
        found = _VALUE.match(line, column - 1)
        value = found.group() if found else line[column - 1]
    before, marked = visible(line[: column - 1]).expandtabs(4), visible(value)
    rest = visible(line[column - 1 + len(value) :].rstrip())
    # A long line is cut in front, so that what is meant stays on the screen.
    if len(before) + len(marked) > width:
        kept = min(len(before), width // 2 - 1)
        before = ("…" if kept < len(before) else "") + before[len(before) - kept :]
        marked = marked[: width // 2]
    return _clip(before + marked + rest, width), _cells(before), max(1, _cells(marked))


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"

"""Problems of `prov.toml` as its author sees them: which key, in which line, and what was probably meant."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TABLE = re.compile(r"\s*\[\s*([\w.\-\"' ]+?)\s*\]")
_KEY = re.compile(r"\s*([\w.\-\"' ]+?)\s*=")


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong setting. `line` counts from 1; None when the file does not say it (the environment does), `hint` may be empty."""

    key: str
    message: str
    line: int | None = None
    hint: str = ""

    @property
    def said(self) -> str:
        """In one sentence: `server.prot (line 2): ...; did you mean server.port?`."""
        where = f" (line {self.line})" if self.line else ""
        return f"{self.key}{where}: {self.message}" + (f"; {self.hint}" if self.hint else "")


def line_of(text: str, path: Sequence[str]) -> int | None:
    """The line of a TOML text in which the value at this path of keys begins, or that of the nearest table above it."""
    table = ""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = _plain(header[1])
            lines.setdefault(table, number)
        elif found := _KEY.match(line):
            lines.setdefault(f"{table}.{_plain(found[1])}".lstrip("."), number)
    for depth in range(len(path), 0, -1):
        if (key := ".".join(path[:depth])) in lines:
            return lines[key]
    return None


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """Such as "did you mean server.port?"; empty when nothing is near. The last word alone may match too."""
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    keys = list(known)
    by_leaf = {one.rpartition(".")[2]: one for one in keys}
    near = get_close_matches(key, keys, n=2, cutoff=0.7) or [
        by_leaf[leaf] for leaf in get_close_matches(key.rpartition(".")[2], by_leaf, n=2, cutoff=0.6)
    ]
    return f"did you mean {' or '.join(near)}?" if near else ""


def _plain(key: str) -> str:
    return ".".join(part.strip(" \"'") for part in key.split("."))

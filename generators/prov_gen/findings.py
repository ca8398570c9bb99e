"""A finding: what is wrong with a configuration, where, and how to mend it."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["error", "warning", "info"]
Path = tuple[str | int, ...]

LAYERS = {
    1: "shape",
    2: "catalogue",
    3: "network",
    4: "references",
    5: "security",
    6: "limits",
    7: "rendered",
}
"""The seven layers, in the order in which they run."""

WORDS = 0
"""Stands for a layer in findings about a description: words that contradict each other."""

_RANK = {"error": 0, "warning": 1, "info": 2}


class Finding(BaseModel):
    """One finding. `where` is the path in the configuration; line and column count from 1 and point into `file`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: Annotated[int, Field(ge=0, le=7, description="Its number in `LAYERS`, or `WORDS`")]
    code: Annotated[str, Field(description="Stable code")]
    severity: Severity
    where: Path = ()
    message: str
    fix: str = ""
    line: int | None = None
    column: int | None = None
    file: str | None = None

    @property
    def path(self) -> str:
        """The path as people write it: `servers[0].spec.cpu`."""
        return path_text(self.where)

    @property
    def order(self) -> tuple[int, int, int]:
        """Errors first, then by layer and line."""
        return (_RANK[self.severity], self.layer, self.line or 0)


def path_text(path: Sequence[str | int]) -> str:
    """("servers", 0, "spec") as `servers[0].spec`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text

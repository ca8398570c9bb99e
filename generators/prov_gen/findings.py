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


class Finding(BaseModel):
    """One finding. Line and column count from 1 and point into `file` (the text itself when left out)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: Annotated[int, Field(description="1 shape, 2 catalogue, 3 network, 4 references, 5 security, 6 limits, 7 rendered")]
    code: Annotated[str, Field(description="Stable code")]
    severity: Severity
    path: Annotated[str, Field(description="Such as servers[0].spec.cpu")] = ""
    message: str
    fix: str = ""
    line: int | None = None
    column: int | None = None
    file: str | None = None


def path_text(path: Sequence[str | int]) -> str:
    """("servers", 0, "spec") as `servers[0].spec`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text

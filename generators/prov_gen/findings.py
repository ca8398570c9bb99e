"""A finding: what is wrong with a configuration, where, and how to mend it. Codes are declared in `findings.toml`."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from prov_gen.codes import Severity, declared
from stratumops.errors import InternalError

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

MAX_TEXT = 1_000
"""Characters of a message or a fix: what a configuration holds may be long, what is said about it is not."""

_RANK = {"error": 0, "warning": 1, "info": 2}


class Finding(BaseModel):
    """One finding. `where` is the path in the configuration; line and columns count from 1 and point into `file`.

    `end_column` is exclusive; None where the value goes on over several lines or its end is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: Annotated[int, Field(ge=0, le=7, description="Its number in `LAYERS`, or `WORDS`")]
    code: Annotated[str, Field(description="Stable code")]
    severity: Severity
    where: Path = ()
    message: str
    fix: str = ""
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    file: str | None = None

    @property
    def path(self) -> str:
        """The path as people write it: `servers[0].spec.cpu`."""
        return path_text(self.where)

    @property
    def order(self) -> tuple[int, int, int]:
        """Errors first, then by layer and line."""
        return (_RANK[self.severity], self.layer, self.line or 0)


def finding(
    code: str, where: Path, message: str, fix: str = "", *, severity: Severity | None = None, layer: int | None = None
) -> Finding:
    """A finding with a declared code; its layer and severity are the first ones declared unless given.

    Raises InternalError for a code, layer or severity that nothing declares.
    """
    known = declared(code)
    of_layer = known.layers[0] if layer is None else layer
    of_severity = severity or known.severities[0]
    if of_layer not in known.layers or of_severity not in known.severities:
        raise InternalError(f"{code} is not declared as {of_severity} of layer {of_layer}", hint="declare it in findings.toml")
    return Finding(layer=of_layer, code=code, severity=of_severity, where=where, message=_cut(message), fix=_cut(fix))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def path_text(path: Sequence[str | int]) -> str:
    """("servers", 0, "spec") as `servers[0].spec`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text

"""What a tool's handler may use: handed to it for each call, so that handlers hold no state and read no settings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from stratumops.workspace import Workspace

if TYPE_CHECKING:
    # A tenth of a second that `prov --help` need not pay.
    from prov_gen.layers.limits import Pricer
    from prov_gen.nickel import Nickel

Report = Callable[[float, float | None, str], Awaitable[None]]
"""Progress of a long call: done so far, total when known, and a few words."""


async def silent(done: float, total: float | None, words: str) -> None:
    """A report that nobody hears."""


@dataclass(frozen=True, slots=True)
class ToolsetState:
    """A toolset as a principal sees it."""

    name: str
    description: str
    enabled: bool
    tools: tuple[str, ...]


class Toolsets(Protocol):
    """The switches of the calling principal in this workspace."""

    def states(self) -> list[ToolsetState]:
        """Every toolset and whether it is on."""
        ...

    def enable(self, names: list[str]) -> bool:
        """Switch toolsets on; answers whether the offered tools changed. Raises InvalidInputError for an unknown name."""
        ...

    def disable(self, names: list[str]) -> bool:
        """Switch toolsets off; answers whether the offered tools changed. Raises InvalidInputError for an unknown name."""
        ...


@dataclass(frozen=True, slots=True)
class Defaults:
    """Values from the settings that handlers use where a caller gave none."""

    provider: str = "aws"
    environment: str = "production"
    max_findings: int = 100
    monthly_budget: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """One call's surroundings."""

    workspace: Workspace
    nickel: "Nickel"
    toolsets: Toolsets
    today: Callable[[], date]
    defaults: Defaults = Defaults()
    report: Report = silent
    pricer: "Pricer | None" = None

"""What a tool's handler may use: handed to it for each call, so that handlers hold no state and read no settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from stratumops.principal import Principal
from stratumops.progress import Report, silent
from stratumops.workspace import Workspace

if TYPE_CHECKING:
    # A tenth of a second that `prov --help` need not pay.
    from prov_gen.layers.limits import Pricer
    from prov_gen.nickel import Nickel


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
        """Switch toolsets on; answers whether the offered tools changed. Raises InvalidInputError (unknown, or fixed)."""
        ...

    def disable(self, names: list[str]) -> bool:
        """Switch toolsets off; answers whether the offered tools changed. Raises InvalidInputError (unknown, or fixed)."""
        ...


@dataclass(frozen=True, slots=True)
class Defaults:
    """Values from the settings that handlers use where a caller gave none."""

    provider: str
    environment: str
    max_findings: int
    monthly_budget: float


@dataclass(frozen=True, slots=True)
class Context:
    """One call's surroundings."""

    workspace: Workspace
    nickel: "Nickel"
    toolsets: Toolsets
    today: Callable[[], date]
    principal: Principal
    defaults: Defaults
    report: Report = silent
    pricer: "Pricer | None" = None

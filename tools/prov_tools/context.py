"""What a tool's handler may use: handed to it for each call, so that handlers hold no state and read no settings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from stratumops.principal import Principal
from stratumops.progress import Report, silent
from stratumops.workspace import Workspace

if TYPE_CHECKING:
    # A tenth of a second that `prov --help` need not pay.
    from kogral.knowledge import Knowledge
    from prov_gen.layers.limits import Pricer
    from prov_gen.nickel import Nickel
    from prov_judge.prices.book import PriceBook
    from prov_rag.library import Library
    from prov_tools.vault.access import Vault
    from provisioning.engine import Engine


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
    """Values from the settings that handlers use where a caller gave none.

    `max_rows` of a list in an answer, `max_characters` of a text in it; 0 is all.
    """

    provider: str
    environment: str
    max_findings: int
    max_rows: int
    max_characters: int
    monthly_budget: float


class Reports(Protocol):
    """Where an answer's whole is kept, so that the answer itself can be short."""

    def keep(self, name: str, make: Callable[[], str]) -> str:
        """The address (`prov://report/...`) under which the calling principal can read it; `make` runs when it is read.

        The name's ending says the media type: .json, .md, .svg.
        """
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """One call's surroundings. `prices` reads the workspace's price book (and may take 50 ms), `engine` opens its state;
    `library` finds documents (the first call indexes what is new), `knowledge` is the
    workspace's graph; `reports` is there where a caller can read resources.
    """

    workspace: Workspace
    nickel: "Nickel"
    toolsets: Toolsets
    today: Callable[[], date]
    principal: Principal
    defaults: Defaults
    prices: "Callable[[], PriceBook]"
    vault: "Vault"
    engine: "Callable[[], Awaitable[Engine]]"
    library: "Callable[[], Library]"
    knowledge: "Callable[[], Knowledge]"
    report: Report = silent
    pricer: "Pricer | None" = None
    reports: Reports | None = None

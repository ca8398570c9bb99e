"""Which toolsets a principal has switched on, per (principal, workspace), for as long as the server runs."""

from dataclasses import dataclass, field
from typing import Any

from prov_tools.context import ToolsetState
from stratumops.errors import InvalidInputError
from stratumops.principal import Principal
from stratumops.registry import Registry, Selection
from stratumops.tool import Tool


def offer_settings(toolsets: str | None, read_only: bool | None) -> dict[str, Any]:
    """`--toolsets a,b` and `--read-only` as settings; what was not given is left to the file and the environment.

    They say what is offered at first. Within read-only mode a caller may switch other toolsets on.
    """
    flags: dict[str, Any] = {}
    if toolsets is not None:
        flags["toolsets"] = [name.strip() for name in toolsets.split(",") if name.strip()]
    if read_only:
        flags["read_only"] = True
    return {"mcp": flags} if flags else {}


@dataclass
class ToolsetSwitches:
    """The switches of all principals of one workspace; `initial` is where each of them starts."""

    registry: Registry[Any]
    initial: Selection
    read_only: bool
    _selected: dict[str, Selection] = field(default_factory=dict)

    def selection(self, principal: Principal) -> Selection:
        """What a principal has chosen."""
        return self._selected.get(principal.subject, self.initial)

    def holds(self, principal: Principal, tool: Tool[Any, Any, Any]) -> bool:
        """Whether a tool is switched on for a principal."""
        return self.registry.holds(self.selection(principal), tool)

    def offered(self, principal: Principal) -> list[Tool[Any, Any, Any]]:
        """The tools that a principal sees and may call."""
        return self.registry.offered(self.selection(principal), read_only=self.read_only)

    def select(self, principal: Principal, selection: Selection) -> bool:
        """Switch to this selection; answers whether the offered tools changed."""
        before = self.offered(principal)
        self._selected[principal.subject] = selection
        return before != self.offered(principal)


@dataclass(slots=True)
class PrincipalToolsets:
    """The switches of one principal during one call (`prov_tools.context.Toolsets`); `changed` says whether it used them."""

    switches: ToolsetSwitches
    principal: Principal
    changed: bool = False

    def states(self) -> list[ToolsetState]:
        """Every toolset; one is enabled when at least one of its tools is offered."""
        offered = {tool.name for tool in self.switches.offered(self.principal)}
        rows = []
        for name, description in self.switches.registry.toolsets.items():
            tools = tuple(tool.name for tool in self.switches.registry if tool.toolset == name)
            rows.append(ToolsetState(name, description, bool(offered.intersection(tools)), tools))
        return rows

    def enable(self, names: list[str]) -> bool:
        """Switch toolsets on, whole, beside what is on."""
        return self._select(self.switches.selection(self.principal).enable(self.switches.registry.expand(names)))

    def disable(self, names: list[str]) -> bool:
        """Switch toolsets off; what is always offered stays."""
        return self._select(self.switches.selection(self.principal).disable(self.switches.registry.expand(names)))

    def _select(self, selection: Selection) -> bool:
        has_changed = self.switches.select(self.principal, selection)
        self.changed = self.changed or has_changed
        return has_changed


class FixedToolsets(PrincipalToolsets):
    """The switches as a shell command sees them: it ends at once, so there is nothing that it could switch."""

    def enable(self, names: list[str]) -> bool:
        """Refuse: see `disable`."""
        return self.disable(names)

    def disable(self, names: list[str]) -> bool:
        """Raises InvalidInputError: an unknown name, or that switches do not outlive a command."""
        self.switches.registry.expand(names)
        raise InvalidInputError(
            "switches belong to a running server; a command in a shell cannot use them",
            hint="to choose for every server: mcp.toolsets in prov.toml; for one: `prov mcp serve --toolsets NAMES`",
        )

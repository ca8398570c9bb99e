"""Which toolsets a principal has switched on, per (principal, workspace), for as long as the server runs."""

from dataclasses import dataclass, field
from typing import Any

from prov_tools.context import ToolsetState
from stratumops.registry import Registry, Selection
from stratumops.tool import Tool


@dataclass
class ToolsetSwitches:
    """The switches of all principals of one workspace."""

    registry: Registry[Any]
    initial: Selection
    read_only: bool
    _selected: dict[str, Selection] = field(default_factory=dict)

    def selection(self, principal: str) -> Selection:
        """What is switched on for a principal."""
        return self._selected.get(principal, self.initial)

    def offered(self, principal: str) -> list[Tool[Any, Any, Any]]:
        """The tools that a principal sees and may call."""
        return self.registry.offered(self.selection(principal), read_only=self.read_only)

    def select(self, principal: str, selection: Selection) -> bool:
        """Switch to this selection; answers whether the offered tools changed."""
        before = [tool.name for tool in self.offered(principal)]
        self._selected[principal] = selection
        return before != [tool.name for tool in self.offered(principal)]


@dataclass(frozen=True, slots=True)
class PrincipalToolsets:
    """The switches of one principal, as a tool's context holds them (`prov_tools.context.Toolsets`)."""

    switches: ToolsetSwitches
    principal: str

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
        return self.switches.select(self.principal, self._selection().enable(self.switches.registry.expand(names)))

    def disable(self, names: list[str]) -> bool:
        """Switch toolsets off; `core` stays."""
        return self.switches.select(self.principal, self._selection().disable(self.switches.registry.expand(names)))

    def _selection(self) -> Selection:
        return self.switches.selection(self.principal)

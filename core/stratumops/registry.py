"""The registry: an explicit, ordered list of tools, grouped in toolsets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from stratumops.errors import InvalidInputError, NotFoundError
from stratumops.tool import Tool

Ctx = TypeVar("Ctx")
ALL = "all"


class Registry(Generic[Ctx]):
    """Tools by name and toolset. `toolsets` maps each toolset's name to a sentence that says what it is for."""

    def __init__(self, tools: Iterable[Tool[Any, Any, Ctx]], *, toolsets: Mapping[str, str]) -> None:
        self._tools: dict[str, Tool[Any, Any, Ctx]] = {}
        self.toolsets = dict(toolsets)
        for one in tools:
            if one.name in self._tools:
                raise ValueError(f"two tools are named {one.name}")
            if one.toolset not in self.toolsets:
                raise ValueError(f"{one.name}: the toolset {one.toolset} is not described")
            self._tools[one.name] = one

    def __iter__(self) -> Iterator[Tool[Any, Any, Ctx]]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __getitem__(self, name: str) -> Tool[Any, Any, Ctx]:
        """The tool of that name. Raises NotFoundError with the nearest names."""
        try:
            return self._tools[name]
        except KeyError:
            near = get_close_matches(name, self._tools, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else "tools/list and `prov --help` list the tools"
            raise NotFoundError(f"there is no tool named {name[:80]!r}", hint=hint) from None

    def expand(self, names: Iterable[str]) -> frozenset[str]:
        """Toolset names with `all` expanded. Raises InvalidInputError for an unknown one."""
        wanted = set(names)
        unknown = sorted(wanted - {ALL, *self.toolsets})
        if unknown:
            raise InvalidInputError(
                f"unknown toolset: {', '.join(name[:40] for name in unknown)}",
                hint=f"there are: all, {', '.join(self.toolsets)}",
            )
        return frozenset(self.toolsets if ALL in wanted else wanted)

    def offered(self, selection: "Selection", *, read_only: bool) -> list[Tool[Any, Any, Ctx]]:
        """The tools to list, in order; in read-only mode only those that change nothing."""
        return [one for one in self if selection.holds(one) and (one.read_only or not read_only)]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is offered: the default tools (or not), toolsets taken whole, and toolsets hidden. `core` is always there."""

    defaults: bool = True
    whole: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def holds(self, one: Tool[Any, Any, Any]) -> bool:
        """Whether this tool is offered."""
        if one.toolset in self.whole or one.toolset == "core":
            return True
        return self.defaults and one.default and one.toolset not in self.hidden

    def enable(self, names: frozenset[str]) -> "Selection":
        """With these toolsets whole."""
        return Selection(self.defaults, self.whole | names, self.hidden - names)

    def disable(self, names: frozenset[str]) -> "Selection":
        """Without these toolsets."""
        return Selection(self.defaults, self.whole - names, self.hidden | names)

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
    """Tools by name and toolset. `toolsets` maps each toolset's name to a sentence that says what it is for.

    The toolsets named in `always` are offered whatever is selected: nobody could switch anything on without them.
    """

    def __init__(self, tools: Iterable[Tool[Any, Any, Ctx]], *, toolsets: Mapping[str, str], always: Iterable[str] = ()) -> None:
        self._tools: dict[str, Tool[Any, Any, Ctx]] = {}
        self.toolsets = dict(toolsets)
        self.always = frozenset(always)
        if unknown := self.always.difference(self.toolsets):
            raise ValueError(f"always offered but not described: {', '.join(sorted(unknown))}")
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

    def holds(self, selection: "Selection", one: Tool[Any, Any, Any]) -> bool:
        """Whether a tool is switched on."""
        return one.toolset in self.always or selection.holds(one)

    def offered(self, selection: "Selection", *, read_only: bool) -> list[Tool[Any, Any, Ctx]]:
        """The tools to list, in order; in read-only mode only those that may run in it."""
        return [one for one in self if self.holds(selection, one) and (one.runs_in_read_only or not read_only)]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen: the default tools (or not), toolsets taken whole, and toolsets hidden."""

    defaults: bool = True
    whole: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def holds(self, one: Tool[Any, Any, Any]) -> bool:
        """Whether this tool was chosen."""
        if one.toolset in self.whole:
            return True
        return self.defaults and one.default and one.toolset not in self.hidden

    def enable(self, names: frozenset[str]) -> "Selection":
        """With these toolsets whole."""
        return Selection(self.defaults, self.whole | names, self.hidden - names)

    def disable(self, names: frozenset[str]) -> "Selection":
        """Without these toolsets."""
        return Selection(self.defaults, self.whole - names, self.hidden | names)

"""The paths of an engine, written at the methods that answer them.

    class Kv(Engine):
        @route("config", Operation.READ)
        async def read_config(self, request: Request) -> Response: ...

In a pattern `{name}` is one name (letters, digits, `_`, inside also `.` and `-`), `{name:regex}` what the expression matches,
`{path...}` everything that is left, slashes and nothing included. Any other pattern also answers with a `/` behind it.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from svault.errors import NotFoundError, UnsupportedOperationError
from svault.logical.request import Operation, Request, Response

NAME = r"\w(?:[\w.-]*\w)?"
Handler = Callable[[Any, Request], Awaitable[Response | None]]
_F = TypeVar("_F", bound=Callable[..., Any])
_PLACEHOLDER = re.compile(r"\{(\w+)(\.\.\.|:((?:[^{}]|\{[^{}]*\})+))?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """A pattern and the operations that one method answers. `is_public` needs no token, `needs_sudo` the policy's `sudo`.

    `is_pure`: as long as it is no create, nothing changes anywhere, whatever is sent; it may be answered from a copy, or twice.
    """

    pattern: str
    operations: tuple[Operation, ...]
    is_public: bool = False
    needs_sudo: bool = False
    is_pure: bool = False


def route(
    pattern: str, *operations: Operation, public: bool = False, sudo: bool = False, pure: bool = False
) -> Callable[[_F], _F]:
    """Declare that a method of an engine answers these operations of this path; may stand several times."""
    declared = Route(pattern, operations, public, sudo, pure)

    def mark(method: _F) -> _F:
        method.__dict__.setdefault("routes", []).append(declared)
        return method

    return mark


def _compiled(pattern: str) -> re.Pattern[str]:
    text, end = "", 0
    for found in _PLACEHOLDER.finditer(pattern):
        rest, own = found[2] == "...", found[3]
        text += re.escape(pattern[end : found.start()]) + f"(?P<{found[1]}>{'.*' if rest else own or NAME})"
        end = found.end()
    text += re.escape(pattern[end:])
    return re.compile(text if pattern.endswith("...}") else text + "/?", re.DOTALL)


def _first_name(pattern: str) -> str | None:
    """The first name of all paths that a pattern matches, or None when it leaves that open."""
    first = pattern.partition("/")[0]
    return first if first and "{" not in first else None


def shown(pattern: str) -> str:
    """A pattern as people read it: `users/{username}`, without what a name may consist of."""
    return _PLACEHOLDER.sub(r"{\1}", pattern)


@dataclass(frozen=True, slots=True)
class Declared:
    """A route and the name of the method that answers it."""

    route: Route
    method: str


@dataclass(frozen=True, slots=True)
class _Row:
    pattern: re.Pattern[str]
    route: Route
    method: str


class Routes:
    """The routes of one engine class, the most specific pattern first: in the order of their declaration."""

    def __init__(self, engine: type) -> None:
        self._rows = [
            _Row(_compiled(declared.pattern), declared, name)
            for cls in reversed(engine.__mro__)
            for name, method in vars(cls).items()
            for declared in getattr(method, "routes", ())
        ]
        named = [(row, _first_name(row.route.pattern)) for row in self._rows]
        self._open = [row for row, first in named if first is None]
        self._by_name = {
            name: [row for row, first in named if first is None or first == name] for _, name in named if name is not None
        }

    def _candidates(self, path: str) -> list[_Row]:
        """The rows whose pattern may match: those that begin with the path's first name, and those that begin with none."""
        first = path.partition("/")[0]
        found = self._by_name.get(first)
        return self._open if found is None else found

    def find(self, operation: Operation, path: str) -> tuple[Route, str, dict[str, str]]:
        """The route, the method's name and what the pattern named.

        Create falls back to update and the other way round. Raises NotFoundError (no such path), UnsupportedOperationError.
        """
        known = False
        for row in self._candidates(path):
            found = row.pattern.fullmatch(path)
            if found is None:
                continue
            known = True
            operations = row.route.operations
            if operation in operations or (
                operation in {Operation.CREATE, Operation.UPDATE} and {Operation.CREATE, Operation.UPDATE} & set(operations)
            ):
                return row.route, row.method, found.groupdict()
        if known:
            raise UnsupportedOperationError("1 error occurred:\n\t* unsupported operation\n\n")
        raise NotFoundError("1 error occurred:\n\t* unsupported path\n\n")

    def declared(self) -> list[Declared]:
        """All routes with their methods, as declared."""
        return [Declared(row.route, row.method) for row in self._rows]

    def matching(self, path: str) -> list[Declared]:
        """The routes of any operation whose pattern matches a path."""
        return [Declared(row.route, row.method) for row in self._candidates(path) if row.pattern.fullmatch(path)]

    def patterns(self) -> list[Route]:
        """All routes as declared."""
        return [row.route for row in self._rows]

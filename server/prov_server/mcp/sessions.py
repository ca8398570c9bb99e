"""The open sessions of older clients, by principal: a notice about a principal's tools goes to all of them.

Newer clients (2026-07-28) have no session; they open a subscription and are told through the SDK's bus.
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from mcp.server import ServerRequestContext
from mcp.server.connection import Connection

from stratumops.principal import Principal


class Sessions:
    """Which connections belong to whom. One that has ended is forgotten by itself."""

    def __init__(self) -> None:
        self._open: dict[str, WeakSet[Connection]] = {}

    def add(self, principal: Principal, ctx: ServerRequestContext[Any, Any]) -> None:
        """Remember the connection on which `initialize` was just answered."""
        connection: Connection = ctx.session._connection  # noqa: SLF001 - a session is made anew for each message; this is what lasts
        kept = self._open.setdefault(principal.subject, WeakSet())
        kept.add(connection)
        connection.exit_stack.callback(self._forget(principal.subject, connection))

    def _forget(self, subject: str, connection: Connection) -> Callable[[], None]:
        def forget() -> None:
            kept = self._open.get(subject)
            if kept is not None:
                kept.discard(connection)
                if not kept:
                    del self._open[subject]

        return forget

    async def tell_tools_changed(self, principal: Principal) -> None:
        """Send the notice. It is best effort: a connection that is just ending, or has no stream open, does not get it."""
        for connection in list(self._open.get(principal.subject, ())):
            await connection.send_tool_list_changed()

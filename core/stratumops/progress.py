"""Progress of a long call, as a handler tells it and a face shows it."""

from collections.abc import Awaitable, Callable

Report = Callable[[float, float | None, str], Awaitable[None]]
"""Done so far, the total when it is known, and a few words."""


async def silent(done: float, total: float | None, words: str) -> None:
    """A report that nobody hears."""

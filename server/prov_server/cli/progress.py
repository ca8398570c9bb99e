"""A progress bar on stderr for a call that takes longer than a moment; nothing where there is no terminal."""

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

DELAY_SECONDS = 0.3


class Progress:
    """Shows a bar once `DELAY_SECONDS` have passed. Used inside a running event loop, around one call."""

    def __init__(self, console: "Console", words: str = "working") -> None:
        self._console = console
        self._words = words
        self._done = 0.0
        self._total: float | None = None
        self._bar: Bar | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.quiet:
            self._timer = asyncio.get_running_loop().call_later(DELAY_SECONDS, self._start)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._timer:
            self._timer.cancel()
        if self._bar:
            self._bar.stop()

    async def report(self, done: float, total: float | None, words: str) -> None:
        """What the tool says about its progress."""
        self._done, self._total, self._words = done, total, words or self._words
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, total=total, description=self._words)

    def _start(self) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        task = self._bar.add_task(self._words, total=self._total)
        self._bar.update(task, completed=self._done)
        self._bar.start()

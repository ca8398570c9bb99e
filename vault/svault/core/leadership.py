"""Which of several servers of one storage is the active one."""

import asyncio
import logging
from typing import TYPE_CHECKING

from svault.errors import VaultError
from svault.storage.base import Election

if TYPE_CHECKING:
    from svault.core.core import Core

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 1.0
RESIGN_SECONDS = 5.0


class Leadership:
    """Campaigns while the vault is unsealed; the winner is active until it loses the lock or steps down."""

    def __init__(self, core: "Core", election: Election) -> None:
        self._core = core
        self.election = election
        self._task: asyncio.Task[None] | None = None
        self._stepping_down = asyncio.Event()

    def begin(self) -> None:
        """Start to campaign."""
        self._task = asyncio.create_task(self._run(), name="leadership")

    async def end(self) -> None:
        """Give the leadership back and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        try:
            async with asyncio.timeout(RESIGN_SECONDS):
                await self.election.resign()
        except (VaultError, TimeoutError):
            _log.warning("the leadership could not be given back; it ends with its lease")

    def step_down(self) -> None:
        """Let another server lead."""
        self._stepping_down.set()

    async def _run(self) -> None:
        while True:
            try:
                await self.election.campaign(self._core.settings.advertise)
                self._stepping_down.clear()
                await self._core.become_active()
                _log.info("this server is the active one now")
                await self._while_leading()
            except VaultError as error:
                _log.warning("the leadership is not settled", extra={"error": error.message})
            except Exception:  # noqa: BLE001 - whatever failed, the lead must be given back and another try made
                _log.exception("this server could not become the active one")
            await self._core.become_standby()
            try:
                await self.election.resign()
            except VaultError:
                _log.warning("the leadership could not be given back; it ends with its lease")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _while_leading(self) -> None:
        waits = [asyncio.create_task(self.election.lost()), asyncio.create_task(self._stepping_down.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

"""The engine of a workspace, opened when it is first asked for: the tools, the commands and the MCP tasks come here."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from prov_server.engine.addresses import passwords
from prov_server.vault.access import VaultAccess
from stratumops.errors import NotFoundError, StratumError
from stratumops.settings_groups import EngineSettings
from stratumops.workspace import Workspace

if TYPE_CHECKING:
    from prov_server.engine.accounts import Accounts
    from provisioning.engine import Engine
    from provisioning.providers.base import Provider
    from provisioning.secrets import Secrets
    from provisioning.state.store import StateStore

SANDBOX = "sandbox"
STATE = "state"
_log = logging.getLogger(__name__)


class EngineAccess:
    """Opens nothing before it is asked for; `await access()` is the engine.

    `hide` is told every value that is resolved and every password of an address, `notify` in a sentence what a person should know
    (a state that was restored), `read_at` says when a subject last read text that is nobody's here, `ended` is told
    of the state in which an operation has ended.

    Raises NotAdoptedError for what a `.prov` holds that this user neither made nor adopted.
    """

    def __init__(
        self,
        workspace: Workspace,
        settings: EngineSettings,
        vault: VaultAccess,
        *,
        hide: Callable[[str], object] = lambda _: None,
        clean: Callable[[str], str] = str,
        notify: Callable[[str], None] | None = None,
        read_at: Callable[[str], float] = lambda _subject: 0.0,
        ended: "Callable[[StateStore], None]" = lambda _store: None,
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._vault = vault
        self._hide = hide
        self._clean = clean
        self._notify = notify or _warn
        self._read_at = read_at
        self._ended = ended
        self._engine: Engine | None = None
        self._lock = asyncio.Lock()
        for url in (settings.state_url, settings.workflows_url):
            for password in passwords(url):
                hide(password)

    @property
    def is_sandbox(self) -> bool:
        """Whether everything is made in a cloud on this machine."""
        return self._settings.provider == SANDBOX

    @property
    def accounts(self) -> "Accounts":
        """The accounts of this workspace. Raises NotAdoptedError, PermissionDeniedError (others can change them)."""
        from prov_server.engine.accounts import Accounts  # noqa: PLC0415 - the engine's packages are paid by who needs them

        self._require_ours()
        return Accounts(self._workspace.own)

    async def __call__(self) -> "Engine":
        """The engine. Raises NotAdoptedError, PermissionDeniedError, and StratumErrors of its state."""
        async with self._lock:
            if self._engine is None:
                await asyncio.to_thread(import_module, "provisioning.engine")
                await asyncio.to_thread(self._workspace.make_own)
                await asyncio.to_thread(self._require_ours)
                self._engine = self._made()
            return self._engine

    async def recover(self) -> None:
        """Go on with what a dead process of this machine left, when a server starts. Costs nothing where nothing was done."""
        has_state = await asyncio.to_thread((self._place_of_state() / "state.db").exists)
        if not has_state and (self.is_sandbox or not self._settings.state_url):
            return
        try:
            for operation in await (await self()).recover():
                self._notify(f"going on with {operation.id}: {operation.title}")
        except StratumError as error:
            self._notify(f"operations that were left cannot go on: {error.message}")

    def _require_ours(self) -> None:
        from prov_server.engine.adoption import Adoption  # noqa: PLC0415 - as above

        Adoption.of_user(self._workspace.own, os.environ).require()

    def _place_of_state(self) -> Path:
        return self._workspace.own / (SANDBOX if self.is_sandbox else STATE)

    def _made(self) -> "Engine":
        from prov_server.engine.accounts import opened  # noqa: PLC0415 - as above
        from prov_server.engine.secrets import VaultSecrets  # noqa: PLC0415 - as above
        from provisioning.approval.pins import Pins  # noqa: PLC0415 - as above
        from provisioning.engine import Choices, Engine, Place  # noqa: PLC0415 - as above

        chosen, own = self._settings, self._workspace.own
        secrets: Secrets = VaultSecrets(self._vault, self._hide)
        # A sandbox is this machine's: what a team records is not touched by trying things out.
        place = (
            Place(self._place_of_state(), own / SANDBOX)
            if self.is_sandbox
            else Place(self._place_of_state(), own, chosen.state_url, chosen.state_name, chosen.workflows_url)
        )

        async def provider(name: str) -> "Provider":
            return await (self._sandboxed(name) if self.is_sandbox else opened(name, self.accounts, secrets))

        return Engine(
            place,
            names=self._names,
            provider=provider,
            secrets=secrets,
            choices=Choices(
                chosen.plan_minutes * 60.0,
                chosen.parallel,
                chosen.on_failure == "rollback",
                chosen.elicitation,
                "prov --sandbox" if self.is_sandbox else "prov",
            ),
            notify=self._notify,
            clean=self._clean,
            pins=Pins.of_user(os.environ),
            read_at=self._read_at,
            ended=self._ended,
        )

    def _names(self) -> Sequence[str]:
        return ["aws"] if self.is_sandbox else self.accounts.names()

    async def _sandboxed(self, name: str) -> "Provider":
        if name != "aws":
            raise NotFoundError(f"the sandbox has no {name}", hint="leave --sandbox out, or describe it at aws")
        from provisioning.providers.sandbox.provider import SandboxProvider  # noqa: PLC0415 - as above

        return await asyncio.to_thread(SandboxProvider, self._workspace.own / SANDBOX)

    async def aclose(self) -> None:
        """Close what was opened."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.aclose()


def _warn(said: str) -> None:
    _log.warning("%s", said)

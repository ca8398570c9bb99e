"""The workspace's vault as the engine asks it: handles resolved, leaves of the state sealed by transit.

The vault belongs to the event loop that the server runs in, while durable workflows may run in another: questions go there.
"""

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any, TypeVar

from prov_server.vault.access import VaultAccess
from prov_tools.vault.failures import told
from stratumops.errors import NotFoundError, UnavailableError

KEY = "prov-state"
"""The transit key that seals what is stored."""
T = TypeVar("T")


class VaultSecrets:
    """See `provisioning.secrets.Secrets`. Made in the event loop that the vault belongs to."""

    def __init__(self, vault: VaultAccess, hide: Any) -> None:
        self._vault = vault
        self._hide = hide
        self._loop = asyncio.get_running_loop()
        self._has_key = False

    async def resolve(self, handle: str) -> str:
        """The value that a handle names."""
        return await self._there(self._vault.resolve(handle))

    async def seal(self, text: str, context: str) -> str:
        """The text encrypted, bound to `context`."""
        return await self._there(self._seal(text, context))

    async def unseal(self, sealed: str, context: str) -> str:
        """The other direction."""
        return await self._there(self._unseal(sealed, context))

    async def _there(self, question: Coroutine[Any, Any, T]) -> T:
        if asyncio.get_running_loop() is self._loop:
            return await question
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self._loop))

    async def _seal(self, text: str, context: str) -> str:
        if not self._vault.place.is_initialized:
            raise UnavailableError(
                "the configuration holds a secret in plain text, and there is no vault to keep it in",
                hint="`prov vault init` makes one; better still: store the secret there and write its handle instead",
            )
        with told("the state's key"):
            client = await self._vault.client()
            if not self._has_key:
                await client.request("POST", f"transit/keys/{KEY}", {"type": "aes256-gcm96"})
                self._has_key = True
            answer = await client.request(
                "POST", f"transit/encrypt/{KEY}", {"plaintext": _encoded(text), "associated_data": _encoded(context)}
            )
        return str(answer["data"]["ciphertext"])

    async def _unseal(self, sealed: str, context: str) -> str:
        if not self._vault.place.is_initialized:
            raise NotFoundError(
                "the state has sealed secrets, and the vault that sealed them is not here", hint="restore .prov/vault"
            )
        with told("the state's key"):
            client = await self._vault.client()
            answer = await client.request(
                "POST", f"transit/decrypt/{KEY}", {"ciphertext": sealed, "associated_data": _encoded(context)}
            )
        text = base64.b64decode(answer["data"]["plaintext"]).decode()
        self._hide(text)
        return text


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()

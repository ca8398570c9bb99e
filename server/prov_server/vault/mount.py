"""`/v1` of `prov serve`: the workspace's vault with its own tokens, for every client that speaks Vault's API."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prov_server.vault.access import VaultAccess
from stratumops.errors import StratumError

PREFIX = "/v1/"
BODY_SECONDS = 60.0


class VaultMount:
    """Sends requests below `/v1/` to the vault, opened with the first of them, and all others on."""

    def __init__(self, app: ASGIApp, *, vault: VaultAccess) -> None:
        self.app = app
        self.vault = vault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        from svault.core.call import Answer  # noqa: PLC0415 - the vault costs 200 ms, paid by who asks it
        from svault.errors import VaultError  # noqa: PLC0415 - as above
        from svault.http.app import send_answer  # noqa: PLC0415 - as above

        try:
            app = await self.vault.app()
        except VaultError as error:
            await send_answer(Answer.of(error), scope, send)
        except StratumError as error:
            hint = f" ({error.hint})" if error.hint else ""
            await send_answer(Answer(404, {"errors": [error.message + hint]}), scope, send)
        else:
            await app(scope, _in_time(receive), send)


def _in_time(receive: Receive) -> Receive:
    """The same messages; who does not send a body to its end within `BODY_SECONDS` counts as gone."""
    is_whole = False
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS

    async def bounded() -> Message:
        nonlocal is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        is_whole = not message.get("more_body", False)
        return message

    return bounded

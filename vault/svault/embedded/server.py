"""The socket on which the process that has a workspace's vault answers the others: beside the vault's files, mode 0600."""

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from svault.core.core import Core
from svault.errors import StorageError

if TYPE_CHECKING:
    import httpx2

    from svault.http.app import VaultApp
    from svault.http.listener import Listener

TIMEOUT_SECONDS = 30.0
MAX_ADDRESS_BYTES = 100


def _short(folder: int, path: Path) -> str:
    """The path through an open folder: a socket's address holds 107 bytes, a workspace may lie deeper."""
    return f"/proc/self/fd/{folder}/{path.name}"


class SocketServer:
    """Serves one vault to the other processes of its owner."""

    def __init__(self, core: Core, path: Path) -> None:
        self._core = core
        self._path = path
        self._app: VaultApp | None = None
        self._listener: Listener | None = None

    async def start(self) -> None:
        """Listen. Raises StorageError."""
        from svault.http.app import VaultApp  # noqa: PLC0415 - most processes never share their vault
        from svault.http.listener import Listener  # noqa: PLC0415 - as above

        self._app = VaultApp(self._core)
        self._listener = Listener(self._app, self._listening())
        await self._listener.start()

    def _listening(self) -> socket.socket:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.unlink(missing_ok=True)  # whoever has the lock is the only one who may listen
            made.bind(_short(folder, self._path))
            self._path.chmod(0o600)
            made.settimeout(0)
        except OSError as error:
            made.close()
            raise StorageError(f"the vault's socket cannot be made: {error.strerror}") from None
        finally:
            os.close(folder)
        return made

    async def stop(self) -> None:
        """Answer what is under way and stop listening."""
        if self._listener is not None and self._app is not None:
            await self._listener.stop()
            await self._app.aclose()
            self._path.unlink(missing_ok=True)


def socket_client(path: Path) -> "httpx2.AsyncClient":
    """A client of whoever listens at the path."""
    import httpx2  # noqa: PLC0415 - whoever has the vault in its own process needs no client

    address = os.fspath(path)
    if len(os.fsencode(address)) > MAX_ADDRESS_BYTES:
        # The folder stays open as long as this process: a client opens connections when it needs them.
        address = _short(os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY), path)
    transport = httpx2.AsyncHTTPTransport(uds=address)
    return httpx2.AsyncClient(transport=transport, base_url="http://vault", timeout=TIMEOUT_SECONDS, trust_env=False)

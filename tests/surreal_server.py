"""The SurrealDB engine behind a WebSocket, for tests of the way to a server.

No package registry has the SurrealDB server program. Its engine is in the `surrealdb` library, and takes the very messages that a
server takes; this program passes them on:

    python tests/surreal_server.py PORT URL USERNAME PASSWORD

What it does not have of a real server: sessions of their own (all connections share one), and a refusal of who did not sign in.
"""

import asyncio
import contextlib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import surrealdb
from aiohttp import WSMsgType, web
from surrealdb.data.cbor import decode, encode

from programs import free_ports, wait_until

PASSWORD = "canary-password"
LARGEST = 64 << 20


async def serve(port: int, url: str, username: str, password: str) -> None:
    """Serve until the process ends."""
    client: Any = surrealdb.AsyncSurreal(url)
    await client.connect()
    await client.use("svault", "svault")
    await client.query(
        f"DEFINE USER OVERWRITE {username} ON ROOT PASSWORD $password ROLES OWNER".replace("$password", f"'{password}'")
    )

    async def rpc(request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse(protocols=["cbor"], max_msg_size=LARGEST)
        await connection.prepare(request)
        waiting = set()

        async def pass_on(data: bytes) -> None:
            try:
                reply = await client._db.execute(data)
            except RuntimeError as error:
                reply = _refusal(data, str(error))
            await connection.send_bytes(reply)

        async for message in connection:
            if message.type == WSMsgType.BINARY:
                waiting.add(asyncio.create_task(pass_on(message.data)))
        return connection

    app = web.Application()
    app.router.add_get("/rpc", rpc)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def _refusal(request: bytes, message: str) -> bytes:
    return encode({"id": decode(request)["id"], "error": {"code": -32000, "message": message}})


@dataclass
class SurrealServer:
    """The program as a process. `start` after `kill` finds its data and the same port again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def url(self, scheme: str = "ws") -> str:
        """The address for a storage."""
        return f"{scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers."""
        arguments = [str(self.port), f"surrealkv://{self.folder}/data", "vault", PASSWORD]
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = process = subprocess.Popen([sys.executable, __file__, *arguments], stdout=output, stderr=output)
        wait_until(self._listens, process, log)

    def _listens(self) -> bool:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@contextlib.contextmanager
def surreal_server() -> Iterator[SurrealServer]:
    """Run the engine on a loopback port, with its data in files of a folder of its own; the user is `vault`."""
    with tempfile.TemporaryDirectory(prefix="surrealdb-") as name:
        server = SurrealServer(Path(name), free_ports(1)[0])
        server.start()
        try:
            yield server
        finally:
            server.kill()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))

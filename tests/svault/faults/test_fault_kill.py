"""kill -9 of a server that writes everything it can write: what was acknowledged is there, and nothing is half there."""

import http.client
import os
import random
import threading
from pathlib import Path

import pytest

from svault.audit.verify import verify
from svault.core.call import Answer
from svault.crypto.choice import backend
from svault.storage.filesystem import FilesystemStorage
from vaults import TestVault

from .invariants import broken
from .processes import Connection, VaultProcess, filesystem
from .writers import KINDS, Certificates, Writer

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]
ROUNDS = 60 if os.environ.get("PROV_TESTS_SOAK") else 4


class Storm:
    """All writers at once, until the server is gone."""

    def __init__(self, server: VaultProcess, writers: list[Writer]) -> None:
        self._server = server
        self._writers = writers
        self._enough = threading.Event()
        self.acknowledged = 0
        self._lock = threading.Lock()
        self.refused: list[str] = []

    def run(self, acknowledged: int) -> None:
        """Write; kill the server when so many writes were acknowledged."""
        self._limit = acknowledged
        threads = [threading.Thread(target=self._write, args=(writer,), name=writer.name) for writer in self._writers]
        for thread in threads:
            thread.start()
        assert self._enough.wait(60), "the writers did not get on"
        self._server.kill()
        for thread in threads:
            thread.join()

    def _write(self, writer: Writer) -> None:
        connection = Connection(self._server.port, self._server.root)
        try:
            for method, path, body, more, after in writer.steps():
                writer.pending, writer.is_pending = after, True
                status, writer.answer = connection.call(method, path, body, **more)
                if status >= 300:
                    self.refused.append(f"{method} {path}: {status} {writer.answer}")
                    break
                writer.state = after if not isinstance(after, str) or after not in {"issued", "wrapped"} else writer.state
                writer.is_pending = False
                with self._lock:
                    self.acknowledged += 1
                    if self.acknowledged >= self._limit:
                        self._enough.set()
        except (OSError, http.client.HTTPException):
            pass  # the server was killed
        finally:
            connection.close()
            if self.refused:
                self._enough.set()


async def test_kill_9_under_writers_of_everything_loses_nothing_acknowledged_and_leaves_nothing_half_written(tmp_path: Path):
    audit = tmp_path / "audit.log"
    server = VaultProcess(tmp_path, filesystem(tmp_path / "data"))
    server.start()
    try:
        server.initialize()
        server.ok("POST", "sys/auth/approle", {"type": "approle"})
        server.ok("POST", "sys/audit/real", {"type": "file", "options": {"file_path": str(audit)}})
        # Two of each, but one of certificates: these are listed for the whole mount.
        names = [(kind, number) for kind in KINDS for number in range(1 if kind is Certificates else 2)]
        writers = [kind(f"{kind.__name__.lower()}{number}") for kind, number in names]
        for writer in writers:
            for method, path, body in writer.setup():
                server.ok(method, path, body)
        chance, acknowledged = random.Random(4), 0
        for _ in range(ROUNDS):
            storm = Storm(server, writers)
            storm.run(chance.randrange(20, 400))
            assert not storm.refused, storm.refused
            acknowledged += storm.acknowledged
            verified = verify(audit, None, backend("openssl"))
            assert verified.ok, verified
            assert audit.read_text().count('"type":"response"') >= acknowledged
            async with TestVault(FilesystemStorage(tmp_path / "data")) as vault:
                await vault.core.unseal(bytes.fromhex(server.key))
                vault.root = server.root
                assert await broken(vault.core) == []

                async def ask(method: str, path: str, data: object = None, token: str = "", vault: TestVault = vault) -> Answer:
                    return await vault.call(method, path, data, token=token or vault.root)

                for writer in writers:
                    await writer.check(ask)
            server.start()
            server.unseal()
        assert "Traceback" not in server.log.read_text()
    finally:
        server.kill()

"""Writes and reads of several threads that go on whatever happens to the server, and what it acknowledged."""

import http.client
import threading
from typing import Any

from .processes import Connection, VaultProcess

TEXT = "YSB0ZXh0IG9mIHNvbWUgbGVuZ3Ro"


class Load:
    """Writes and reads that go on over new connections when theirs break. `acknowledged` are the writes that were answered."""

    def __init__(self, server: VaultProcess, count: int) -> None:
        self.acknowledged: dict[str, int] = {}
        self.wrong: list[Any] = []
        self.answers = 0
        self._server = server
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self, number: int) -> None:
        connection: Connection | None = None
        written, path = 0, f"secret/data/load/{number}"
        while not self._stop.is_set():
            connection = connection or Connection(self._server.port, self._server.root)
            try:
                written += 1
                status, body = connection.call("POST", path, {"data": {"n": written}})
                if status == 200:
                    self.acknowledged[path] = written
                else:
                    self.wrong.append((status, body))
                status, body = connection.call("GET", path)
                if status != 200 or body["data"]["data"]["n"] < self.acknowledged.get(path, 0):
                    self.wrong.append((status, body))
                connection.call("POST", "transit/encrypt/k", {"plaintext": TEXT})
                self.answers += 3
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

"""A server that writes, as the leader where its storage has an election, in a process of its own: tests kill or stop it.

    python leading_server.py BACKEND OPTIONS

`OPTIONS` are the storage's options as JSON. It writes a line for each thing that happened: `leads`, `wrote N`, and at the end the
name of the error that refused a write, and `lost`.
"""

import asyncio
import itertools
import json
import sys
from typing import Any

import structlog

from svault.errors import StorageError
from svault.storage.base import CommitConflictError, Write
from svault.storage.choice import make_storage


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(backend: str, options: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    storage: Any = make_storage(backend, json.loads(options))
    await storage.open()
    election = storage.election() if hasattr(storage, "election") else None
    if election:
        await election.campaign("child")
        tell("leads")
    for number in itertools.count():
        try:
            await storage.commit([Write("owner", b"child"), Write(f"written/{number}", b"")])
        except CommitConflictError as error:
            tell(type(error).__name__)
            break
        except StorageError:
            continue  # the answer did not come in time: this process was stopped
        tell(f"wrote {number}")
    if election:
        await election.lost()
        tell("lost")
    await storage.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

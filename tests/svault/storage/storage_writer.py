"""A server's worth of writing, as a program that a test kills: `storage_writer.py FOLDER COMPACT_BYTES`.

Each of eight writers commits its number to three keys at once, puts and deletes a fourth, and says on stdout what was answered.
"""

import asyncio
import os
import sys

from svault.storage.base import Write
from svault.storage.filesystem import FilesystemStorage

WRITERS = 8
PADDING = b"." * 300


def say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


async def write(storage: FilesystemStorage, writer: int) -> None:
    entry = await storage.get(f"group/{writer}/0")
    number = int(entry.value.rstrip(b".")) if entry else 0
    while True:
        number += 1
        same = [Write(f"group/{writer}/{part}", b"%d" % number + PADDING) for part in range(3)]
        await storage.commit([*same, Write(f"odd/{writer}", b"%d" % number if number % 2 else None)])
        say(f"{writer} {number}")


async def main(folder: str, compact_bytes: str) -> None:
    storage = FilesystemStorage(folder, compact_bytes=int(compact_bytes), compact_share=0.2)
    say("opening")
    await storage.open()
    say("open")
    await asyncio.gather(*(write(storage, writer) for writer in range(WRITERS)))


asyncio.run(main(*sys.argv[1:]))

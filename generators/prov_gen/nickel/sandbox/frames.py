"""Messages between server and worker: four bytes of length (big-endian), then that many bytes of JSON (UTF-8)."""

import json
from typing import Any, BinaryIO

HEADER_BYTES = 4


def pack(message: bytes) -> bytes:
    """The message with its length before it."""
    return len(message).to_bytes(HEADER_BYTES, "big") + message


def encode(message: dict[str, Any]) -> bytes:
    """A JSON object as a frame."""
    return pack(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())


def read(stream: BinaryIO) -> dict[str, Any] | None:
    """The next JSON object, or None when the other side has closed."""
    header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    length = int.from_bytes(header, "big")
    body = stream.read(length)
    if len(body) < length:
        return None
    message: dict[str, Any] = json.loads(body)
    return message

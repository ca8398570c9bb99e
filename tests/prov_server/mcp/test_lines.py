"""The reader of a stdio client's lines, from a pipe."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp_types import JSONRPCError, JSONRPCRequest

from prov_server.mcp.lines import Messages, refuse

pytestmark = pytest.mark.anyio

LIMIT = 200_000


class Written:
    """Where answers go."""

    def __init__(self) -> None:
        self.errors: list[JSONRPCError] = []

    async def send(self, item: Any) -> None:
        self.errors.append(item.message)


@pytest.fixture
async def pipe(anyio_backend: str) -> AsyncIterator[tuple[Messages, BinaryIO, Written]]:
    read, write = os.pipe()
    written = Written()
    with os.fdopen(read, "rb") as reader, os.fdopen(write, "wb", buffering=0) as writer:
        yield Messages(reader, written, LIMIT), writer, written


def ping(number: int, padding: int = 0) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping", "params": {"x": "a" * padding}}).encode() + b"\n"


async def test_messages_come_in_order_and_end_with_the_file(pipe: tuple[Messages, BinaryIO, Written]):
    messages, writer, written = pipe
    writer.write(ping(1) + b"\n" + ping(2) + ping(3)[:-1])
    writer.close()
    got = [message.message async for message in messages]
    assert [one.id for one in got if isinstance(one, JSONRPCRequest)] == [1, 2, 3]
    assert written.errors == []
    with pytest.raises(anyio.EndOfStream):
        await messages.receive()


async def test_a_line_longer_than_the_limit_is_answered_and_the_next_is_read(pipe: tuple[Messages, BinaryIO, Written]):
    messages, writer, written = pipe
    # More than a pipe holds: it is written while it is read.
    writing = asyncio.create_task(asyncio.to_thread(writer.write, ping(1, LIMIT) + ping(2)))
    got = await messages.receive()
    await writing
    assert isinstance(got.message, JSONRPCRequest)
    assert got.message.id == 2
    (error,) = written.errors
    assert (error.id, error.error.code) == (1, -32600)
    assert f"{LIMIT:,} bytes" in error.error.message


@pytest.mark.parametrize(
    ("line", "id_"),
    [
        (b'{"jsonrpc":"2.0","id":7,"method":"x', 7),
        (b'{"id" : "a-b" , "method" : "x"', "a-b"),
        (b'{"id":-3,"method":"x"', -3),
        (b'{"id":1.5,"method":"x"', None),
        (b'{"id":"a\\"b","method":"x"', None),
        (b'{"id":7,"result":{}', None),
        (b"7", None),
    ],
)
def test_the_answer_to_a_broken_line_carries_its_id_when_it_is_a_request(line: bytes, id_: int | str | None):
    from mcp_types import jsonrpc_message_adapter
    from pydantic import ValidationError

    with pytest.raises(ValidationError) as broken:
        jsonrpc_message_adapter.validate_json(line, by_name=False)
    error = refuse(line, broken.value)
    assert error is not None
    assert error.id == id_


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"\n", b" ").replace(b"\r", b" ")), max_size=6))
def test_whatever_comes_before_a_message_the_message_is_read(lines: list[bytes]):
    async def read() -> None:
        ours, theirs = os.pipe()
        written = Written()
        with os.fdopen(ours, "rb") as reader, os.fdopen(theirs, "wb", buffering=0) as writer:
            writer.write(b"".join(line + b"\n" for line in lines) + ping(42))
            got = await Messages(reader, written).receive()
        assert isinstance(got.message, JSONRPCRequest)
        assert got.message.id == 42
        assert len(written.errors) == len([line for line in lines if line.strip()])

    anyio.run(read)

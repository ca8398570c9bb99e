"""What a client that is broken or hostile can send over stdio, and how a server over stdio ends."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from .hostile import CALL, NO_MESSAGES, RUNAWAY
from .wire import HELLO, Wire, children, ended, line, resident_bytes, serving

pytestmark = pytest.mark.anyio


async def is_serving(wire: Wire) -> bool:
    return (await wire.call("get_schema", name="volume"))["name"] == "volume"


async def test_every_line_that_is_no_message_is_answered_and_the_server_goes_on(workspace: Path):
    async with serving(workspace) as wire:
        await wire.greet()
        for sent, to, code in NO_MESSAGES:
            await wire.send(sent)
            answer = await wire.receive()
            assert (answer["id"], answer["error"]["code"]) == (to, code), sent[:80]
        await wire.send(b"\n   \n")
        assert await is_serving(wire)
        assert (await wire.leave()) == (0, "")


async def test_a_line_of_64_megabytes_is_refused_by_its_id_and_never_kept(workspace: Path):
    async with serving(workspace) as wire:
        await wire.greet()
        assert await is_serving(wire)
        before = resident_bytes(wire.pid)
        await wire.send(b'{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"name":"get_schema","arguments":{"name":"')
        for _ in range(64):
            await wire.send(b"a" * (1 << 20))
        await wire.send(b'"}}}\n')
        answer = await wire.answer("big")
        assert answer["error"]["code"] == -32600
        assert "16,777,216 bytes" in answer["error"]["message"]
        assert await is_serving(wire)
        assert resident_bytes(wire.pid) - before < 48 << 20


async def test_a_line_that_never_ends_costs_bounded_memory_and_ends_with_the_client(workspace: Path):
    async with serving(workspace) as wire:
        await wire.greet()
        assert await is_serving(wire)
        before = resident_bytes(wire.pid)
        for _ in range(128):
            await wire.send(b"a" * (1 << 20))
        # Whatever a pipe holds beyond this, the server has read: its memory is at its height.
        assert resident_bytes(wire.pid) - before < 48 << 20
        assert (await wire.leave()) == (0, "")


async def test_ten_megabytes_of_configuration_are_a_clear_error(workspace: Path):
    async with serving(workspace) as wire:
        await wire.greet()
        answer = await wire.call("validate_config", config="a" * (10 << 20))
        assert answer["error"]["code"] == "invalid_input"
        assert answer["error"]["hint"]
        assert await is_serving(wire)


async def test_a_request_before_the_handshake_and_an_unknown_method_are_errors(workspace: Path):
    async with serving(workspace) as wire:
        assert "error" in await wire.request("tools/list")
        await wire.greet()
        assert (await wire.request("no/such/method"))["error"]["code"] == -32601
        assert (await wire.request("initialize", HELLO | {"protocolVersion": 7}))["error"]["code"] == -32602
        assert await is_serving(wire)


async def test_two_requests_with_one_id_are_both_answered(workspace: Path):
    async with serving(workspace) as wire:
        await wire.greet()
        for name in ("volume", "server"):
            await wire.send((CALL % ("twice", f'{{"name":"{name}"}}')).encode())
        answers = [await wire.answer("twice") for _ in range(2)]
        assert {answer["result"]["structuredContent"]["name"] for answer in answers} == {"volume", "server"}


async def in_the_middle_of_a_call(wire: Wire) -> list[int]:
    """Start a call that runs on; handles of the processes that work for the server meanwhile."""
    await wire.greet()
    # Once this is answered the workers are there.
    assert (await wire.call("validate_config", config="{}"))["valid"] in {True, False}
    call = await wire.ask("tools/call", {"name": "validate_config", "arguments": {"config": RUNAWAY}})
    await wire.request("ping")
    assert call not in [message["id"] for message in wire.seen]
    workers = children(wire.pid)
    assert workers
    return [os.pidfd_open(pid) for pid in workers]


async def test_a_client_that_leaves_in_the_middle_of_a_call_ends_the_server_cleanly(workspace: Path):
    async with serving(workspace) as wire:
        workers = await in_the_middle_of_a_call(wire)
        async with asyncio.timeout(5):
            assert (await wire.leave()) == (0, "")
        await ended(workers)


async def test_a_client_that_stops_reading_ends_the_server_cleanly(workspace: Path):
    async with serving(workspace) as wire:
        workers = await in_the_middle_of_a_call(wire)
        assert wire.process.stdout is not None
        assert wire.process.stderr is not None
        wire.process.stdout._transport.close()  # type: ignore[attr-defined] # asyncio has no other way to close the reading end
        await wire.send(line({"jsonrpc": "2.0", "id": "unread", "method": "ping"}))
        async with asyncio.timeout(10):
            assert (await wire.process.stderr.read(), await wire.process.wait()) == (b"", 0)
        await ended(workers)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGKILL, -9)])
async def test_a_signal_in_the_middle_of_a_call_leaves_no_worker_behind(number: signal.Signals, code: int, workspace: Path):
    async with serving(workspace) as wire:
        workers = await in_the_middle_of_a_call(wire)
        wire.process.send_signal(number)
        async with asyncio.timeout(10):
            assert (await wire.end()) == (code, "")
        await ended(workers)

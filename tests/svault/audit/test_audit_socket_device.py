"""The socket device: entries as lines or datagrams, and what happens when nobody reads them."""

import asyncio
import contextlib
import json
import socket
from pathlib import Path

import pytest

from audit_lines import enable, lines
from svault.errors import InternalError

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def listening(kind: str, folder: Path):
    """A server that collects lines: `(address, lines)`."""
    got: list[bytes] = []
    clients: list[asyncio.StreamWriter] = []

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(writer)
        while line := await reader.readline():
            got.append(line)
        writer.close()

    if kind == "unix":
        server = await asyncio.start_unix_server(collect, folder / "a.sock")
        address = str(folder / "a.sock")
    else:
        server = await asyncio.start_server(collect, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield address, got
    finally:
        server.close()
        for client in clients:
            client.close()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
async def test_a_socket_gets_the_entries_as_lines(started, a_record, tmp_path: Path, until, kind: str):
    async with listening(kind, tmp_path) as (address, got):
        await enable(started, "sock", "socket", address=address, socket_type=kind)
        await asyncio.gather(*(started.log_request(a_record(n=number)) for number in range(20)))
        await until(lambda: len(got) == 21)
        assert sorted(json.loads(line)["request"]["data"]["n"] for line in got[1:]) == list(range(20))
        await started.stop()


async def test_a_datagram_holds_an_entry(started, a_record):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        await enable(started, "sock", "socket", address=f"127.0.0.1:{receiver.getsockname()[1]}", socket_type="udp")
        await started.log_request(a_record())
        paths = [json.loads(receiver.recv(65536))["request"]["path"] for _ in range(2)]
        assert paths == ["sys/audit/test", "secret/data/app"]


async def test_a_socket_that_is_away_fails_the_request_until_it_is_back(started, a_record, tmp_path: Path, until):
    async with listening("unix", tmp_path) as (address, got):
        await enable(started, "sock", "socket", address=address, socket_type="unix")
        await until(lambda: len(got) == 1)
    (tmp_path / "a.sock").unlink()
    with pytest.raises(InternalError):
        await started.log_request(a_record())
    async with listening("unix", tmp_path) as (_, got):
        await started.log_request(a_record())
        await until(lambda: len(got) == 1)
        await started.stop()


async def test_a_socket_that_does_not_read_times_out_and_does_not_hold_up_a_file(started, a_record, tmp_path: Path, clock):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "deaf.sock"))
        deaf.listen(0)
        await enable(started, "deaf", "socket", address=str(tmp_path / "deaf.sock"), socket_type="unix", write_timeout="1s")
        large = a_record(**{f"key {number}": number for number in range(200_000)})
        with pytest.raises(InternalError):
            await started.log_request(large)
        await enable(started, "file", file_path=str(tmp_path / "a.log"))
        await started.log_request(large)
        await started.log_request(a_record())
        assert len(lines(tmp_path / "a.log")) == 2

"""The protocol's own conformance suite against our application, with the suite's fixtures as a test-only toolset.

Everything that guards the product is on: host check, bearer token, size limits, the chain of every call. No list of expected
failures is needed: the scenarios of the extensions that the product has (tasks, skills) are run by name.
"""

import asyncio
import functools
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from starlette.types import ASGIApp, Receive, Scope, Send

import peers
from prov_server.compose import Application
from prov_server.http.app import http_app
from prov_server.http.auth import SharedToken
from prov_server.http.protocol import BoundedProtocol
from prov_server.http.serve import Server
from prov_server.mcp.server import ProvServer

from .dialogues import add_dialogues
from .fixtures import add_fixtures
from .task_fixtures import add_task_fixtures

pytestmark = [
    pytest.mark.anyio,
    # The older era's logging and sampling, which the suite still asks for.
    pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning"),
]

TOKEN = "prov_" + "c" * 43


class Events(EventStore):
    """Keeps every event, so that a client that lost its stream can come back; the product does not offer this."""

    def __init__(self) -> None:
        self._events: list[tuple[str, Any]] = []

    async def store_event(self, stream_id: str, message: Any) -> str:
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        seen = int(last_event_id)
        stream, _ = self._events[seen - 1]
        for number, (owner, message) in enumerate(self._events[seen:], start=seen + 1):
            if owner == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def with_token(app: ASGIApp) -> ASGIApp:
    """The suite cannot send a token: it is added on the way, so that authentication is on as for everybody else."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], (b"authorization", f"Bearer {TOKEN}".encode())]}
        await app(scope, receive, send)

    return wrapped


@asynccontextmanager
async def served(application: Application, server: ProvServer) -> AsyncIterator[str]:
    server.streamable_http_app = functools.partial(  # type: ignore[method-assign] # the suite also tries resuming a stream
        server.streamable_http_app, event_store=Events(), retry_interval=50
    )
    app = with_token(http_app(application, server, auth=SharedToken(TOKEN)))
    ready = asyncio.Event()
    running = Server(uvicorn.Config(app, http=BoundedProtocol, lifespan="on", log_config=None, access_log=False), ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(running.serve(sockets=[listener]))
        await ready.wait()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        finally:
            running.should_exit = True
            await serving


SKILLS = {"sep-2640-skills-enumeration": 32, "sep-2640-skills-manifest": 6, "sep-2640-skills-directory": 7}
"""The suite's scenarios of SEP-2640 and how many checks each has."""
TASKS = {
    "tasks-lifecycle": 9,
    "tasks-capability-negotiation": 5,
    "tasks-wire-fields": 4,
    "tasks-request-state-removal": 3,
    "tasks-mrtr-input": 4,
    "tasks-request-headers": 5,
    "tasks-dispatch-and-envelope": 9,
    "tasks-required-task-error": 3,
    "tasks-mrtr-composition": 2,
}
"""The suite's scenarios of SEP-2663 and how many checks each has. `tasks-status-notifications` has none yet."""


def _read(results: Path) -> dict[str, list[dict[str, Any]]]:
    return {path.parent.name: json.loads(path.read_text()) for path in results.glob("*/checks.json")}


async def run_suite(url: str, results: Path, *options: str) -> list[str]:
    """Run the suite; answers the ids of the checks that passed. Every other check fails the test."""
    suite = await asyncio.create_subprocess_exec(
        *peers.node_tool("conformance"),
        *("server", "--url", url, *options, "--output-dir", str(results)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await suite.communicate())[0].decode()
    scenarios = _read(results)
    imperfect = [
        f"{scenario}: {check['id']}: {check['status']}: {check.get('errorMessage')}"
        for scenario, checks in scenarios.items()
        for check in checks
        if check["status"] not in {"SUCCESS", "INFO"}
    ]
    assert imperfect == [], output[-4000:]
    assert suite.returncode == 0, output[-4000:]
    return [check["id"] for checks in scenarios.values() for check in checks if check["status"] == "SUCCESS"]


@pytest.mark.parametrize(("version", "least"), [("2025-11-25", 84), ("2026-07-28", 152)])
async def test_every_check_of_the_conformance_suite_passes(
    version: str, least: int, application: Application, server: ProvServer, tmp_path: Path
):
    add_fixtures(server)
    add_dialogues(server)
    async with served(application, server) as url:
        passed = await run_suite(url, tmp_path / "results", "--suite", "all", "--spec-version", version)
    assert len(passed) >= least


async def test_every_check_of_the_tasks_extension_passes(application: Application, server: ProvServer, tmp_path: Path):
    add_task_fixtures(server)
    passed: dict[str, int] = {}
    async with served(application, server) as url:
        for scenario in TASKS:
            found = await run_suite(url, tmp_path / scenario, "--scenario", scenario)
            passed[scenario] = len(found)
    assert passed == TASKS


async def test_every_check_of_the_skills_extension_passes(application: Application, server: ProvServer, tmp_path: Path):
    passed: dict[str, int] = {}
    async with served(application, server) as url:
        for scenario in SKILLS:
            found = await run_suite(url, tmp_path / scenario, "--scenario", scenario)
            passed[scenario] = len(found)
    assert passed == SKILLS

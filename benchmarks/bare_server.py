"""A server with nothing of ours: what the SDK alone needs to start and to answer `initialize` over stdio."""

import asyncio
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import ListToolsResult


async def _no_tools(_context: Any, _params: Any) -> ListToolsResult:
    return ListToolsResult(tools=[])


async def _serve() -> None:
    server: Server[Any] = Server("bare", on_list_tools=_no_tools)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(_serve())

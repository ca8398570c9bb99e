"""The MCP face: the registry's tools, resources, prompts and completions over stdio and streamable HTTP, both protocol eras.

Others use: `server.build` (an MCP server around an application) and `stdio.main`.
"""

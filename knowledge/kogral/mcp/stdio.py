"""`kogral-mcp` without a command: MCP over stdin and stdout."""

import asyncio
import os
from pathlib import Path

from kogral.knowledge import Knowledge
from kogral.mcp.server import build
from kogral.place import project_folder, shared_folders


def serve(project: str) -> int:
    """Serve until the client closes stdin; answers the exit code."""
    knowledge = Knowledge(project_folder(project, Path.cwd()), shared_folders(os.environ))
    code = 130
    try:
        asyncio.run(build(knowledge).run_stdio_async())
        code = 0
    except* (BrokenPipeError, ConnectionResetError):
        code = 0  # the client stopped reading: one of the ways in which it leaves
    except* KeyboardInterrupt:
        pass
    finally:
        knowledge.close()
    return code

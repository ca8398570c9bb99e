"""What a client may read beside calling tools: shipped schemas and the workspace's configuration files; and completions."""

import asyncio
from typing import Any
from urllib.parse import quote

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    Resource,
    ResourceTemplateReference,
)

from prov_server.mcp.server import ProvServer
from stratumops.errors import NotFoundError, StratumError

MAX_COMPLETIONS = 100
MAX_LISTED = 100
SCHEMA_URI = "prov://schema/{name}"
CONFIG_URI = "prov://config/{+path}"


def add_resources(server: ProvServer) -> None:
    """Schemas and configuration files, read under the same rule as every path argument."""

    @server.resource(
        SCHEMA_URI,
        name="schema",
        title="Schema",
        description="The Nickel contract of a kind of resource",
        mime_type="text/x-nickel",
    )
    async def schema(name: str) -> str:
        from prov_gen.schema import describe  # noqa: PLC0415 - the models cost 60 ms, paid by the first reader

        try:
            return describe(name, "nickel").text or ""
        except StratumError as error:
            raise _as_resource_error(error) from None

    @server.resource(
        CONFIG_URI,
        name="config",
        title="Configuration file",
        description="A configuration file of the workspace",
        mime_type="text/plain",
    )
    async def config(path: str) -> str:
        app = await server.application()
        try:
            return app.workspace.read_text(path)
        except StratumError as error:
            raise _as_resource_error(error) from None


async def config_files(server: ProvServer) -> list[Resource]:
    """The first `MAX_LISTED` configuration files as resources; `prov://config/...` reads the others as well."""
    return [
        Resource(uri=f"prov://config/{quote(path)}", name=path, mime_type="text/plain")
        for path in (await _readable(server))[:MAX_LISTED]
    ]


async def _readable(server: ProvServer) -> list[str]:
    workspace = (await server.application()).workspace
    try:
        files = await asyncio.to_thread(workspace.readable_files)
    except StratumError:
        # Too many files to list is no reason to fail a client that asks what there is.
        return []
    return [path.relative_to(workspace.root).as_posix() for path in files]


def add_completions(server: ProvServer) -> None:
    """Values for arguments of prompts and resources, as the person types."""

    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,  # noqa: ARG001 - the SDK's signature
    ) -> Completion | None:
        values = await _candidates(server, ref, argument.name)
        typed = argument.value.lower()
        found = [value for value in values if value.lower().startswith(typed)]
        found += [value for value in values if typed in value.lower() and value not in found]
        return Completion(values=found[:MAX_COMPLETIONS], total=len(found), has_more=len(found) > MAX_COMPLETIONS)

    register: Any = server.completion  # the SDK leaves it untyped
    register()(complete)


async def _candidates(server: ProvServer, ref: Any, name: str) -> list[str]:
    if name == "provider":
        from prov_corpus import PROVIDERS  # noqa: PLC0415 - as above

        return list(PROVIDERS)
    if name == "name" and getattr(ref, "uri", "") == SCHEMA_URI:
        from prov_gen.schema import names  # noqa: PLC0415 - as above

        return list(names())
    if name in {"path", "config", "current", "target"}:
        return await _readable(server)
    return []


def _as_resource_error(error: StratumError) -> ResourceError:
    text = error.message + (f" ({error.hint})" if error.hint else "")
    return ResourceNotFoundError(text) if isinstance(error, NotFoundError) else ResourceError(f"{error.code}: {text}")

"""Put a secret away: made here, read from a file of the workspace, or typed by a person on a page of their own."""

import asyncio
from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from prov_tools.vault.failures import told
from prov_tools.vault.generation import LENGTH, MAX_LENGTH, MIN_LENGTH, Charset, generated
from prov_tools.vault.kv import Origin, Secret
from stratumops.errors import InvalidInputError
from stratumops.tool import ToolInput, ToolOutput, tool

MAX_PATH = 512
GENERATE, FORM = "generate", "form"
SEEN_BY_A_MODEL = (
    "the value has passed through a model: it is marked for rotation; replace it with vault_rotate, or let a person type it "
    "(source=form)"
)
WAITING = "a person opens url on the machine where this server runs, within 5 minutes; vault_list shows when it is there"


class VaultStoreInput(ToolInput):
    """Where, and what from. A value as an argument is taken too, but the schema does not invite to it."""

    path: Annotated[str, Field(description="Such as secret/app", max_length=MAX_PATH)]
    field: Annotated[str, Field(description="Name", max_length=256)]
    source: Annotated[str, Field(description='"generate", "form" (a person types it) or a workspace file', max_length=4096)] = (
        GENERATE
    )
    length: Annotated[SkipJsonSchema[int], Field(description="Characters of a generated value", ge=MIN_LENGTH, le=MAX_LENGTH)] = (
        LENGTH
    )
    charset: Annotated[SkipJsonSchema[Charset], Field(description="What a generated value consists of")] = "letters"
    value: Annotated[
        SkipJsonSchema[str | None],
        Field(
            description="The value itself: it has been seen by whoever wrote it here, so it is marked for rotation", repr=False
        ),
    ] = None


class VaultStoreOutput(ToolOutput):
    """The handle. With `url` the value is not there yet: a person opens that page and types it."""

    handle: str
    url: str | None = None
    notes: Annotated[list[str], Field(default_factory=list)]
    status: SkipJsonSchema[Literal["stored", "waiting"]] = "stored"
    version: SkipJsonSchema[int | None] = None

    def person_page(self) -> str:
        """The page on which the value is typed."""
        return self.url or ""


@tool(
    toolset="vault",
    title="Store secret",
    command="vault store",
    effect="record",
    idempotent=False,
    example={"path": "secret/app", "field": "password"},
)
async def vault_store(args: VaultStoreInput, ctx: Context) -> VaultStoreOutput:
    """Store a secret without seeing it; answers its handle."""
    if not args.field:
        raise InvalidInputError("the field has no name", hint="such as password")
    with told(f"secret at {args.path!r}"):
        secret = await Secret.at(await ctx.vault.client(), args.path)
        handle = secret.handle(args.field)
        if args.value is None and args.source == FORM:

            async def keep(value: str) -> None:
                with told(f"secret at {args.path!r}"):
                    client = await ctx.vault.client()
                    await Secret(client, secret.mount, secret.path).put({args.field: value}, origin="person")

            url = await ctx.vault.ask(handle, keep)
            return VaultStoreOutput(handle=handle, url=url, status="waiting", notes=[WAITING])
        value, origin, notes = await _value(args, ctx)
        ctx.vault.hide(value)
        version = await secret.put({args.field: value}, origin=origin)
    return VaultStoreOutput(handle=handle, version=version, notes=notes)


async def _value(args: VaultStoreInput, ctx: Context) -> tuple[str, Origin, list[str]]:
    if args.value is not None:
        return args.value, "model", [SEEN_BY_A_MODEL]
    if args.source == GENERATE:
        return generated(args.length, args.charset), "generated", []
    data = await asyncio.to_thread(ctx.workspace.read_bytes, args.source)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InvalidInputError(f"{args.source!r} is not UTF-8 text", hint="store it in base64") from None
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise InvalidInputError(f"{args.source!r} is empty", hint="there is nothing to store")
    return value, "file", [f"ask the person to delete {args.source}: it still holds the value"]

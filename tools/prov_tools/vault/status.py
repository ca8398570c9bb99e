"""Whether there is a vault, where, and what it can do."""

from typing import Annotated

from pydantic import BaseModel, Field

from prov_tools.context import Context
from prov_tools.vault.failures import told
from prov_tools.vault.mounts import ENGINES
from stratumops.errors import StratumError
from stratumops.tool import ToolInput, ToolOutput, tool


class VaultStatusInput(ToolInput):
    """Nothing to say."""


class EngineRow(BaseModel):
    """A mounted engine."""

    path: str
    kind: str
    description: str


class VaultStatusOutput(ToolOutput):
    """The vault as it is now; `place` is its address, or `workspace` for the one in this folder."""

    place: str
    initialized: bool
    sealed: bool | None = None
    version: str | None = None
    keys: Annotated[str | None, Field(description="Where the keys of the workspace's own vault are")] = None
    engines: list[EngineRow]
    notes: list[str]

    def passed(self) -> bool:
        """False when it cannot be used."""
        return self.initialized and self.sealed is False


@tool(
    toolset="vault",
    title="State of the vault",
    command="vault status",
    effect="read",
    default=False,
)
async def vault_status(args: VaultStatusInput, ctx: Context) -> VaultStatusOutput:  # noqa: ARG001 - every handler takes both
    """Say whether there is a vault, whether it is open, and which engines it has."""
    place = ctx.vault.place
    where = place.address or "workspace"
    if not place.is_initialized:
        return VaultStatusOutput(place=where, initialized=False, engines=[], notes=["make one: prov vault init"])
    try:
        with told("vault"):
            client = await ctx.vault.client()
            state = await client.request("GET", "sys/seal-status")
            mounts = {} if state["sealed"] else (await client.request("GET", "sys/mounts"))["data"]
    except StratumError as error:
        notes = [error.message, *([error.hint] if error.hint else [])]
        return VaultStatusOutput(place=where, initialized=True, keys=place.keys or None, engines=[], notes=notes)
    return VaultStatusOutput(
        place=where,
        initialized=state["initialized"],
        sealed=state["sealed"],
        version=state["version"],
        keys=place.keys or None,
        engines=[
            EngineRow(path=path, kind=one["type"], description=one["description"])
            for path, one in sorted(mounts.items())
            if one["type"] in ENGINES
        ],
        notes=[],
    )

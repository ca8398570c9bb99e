"""A database user with an end: made by the vault, kept at handles for as long as it lives."""

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from prov_tools.vault.access import VaultClient
from prov_tools.vault.failures import told
from prov_tools.vault.kv import Secret
from prov_tools.vault.mounts import require_mount
from stratumops.tool import ToolInput, ToolOutput, tool

ENGINE, FOLDER = "database", "secret/database"
ROLE, LEASE = "database_role", "lease"


class DatabaseCredentialsInput(ToolInput):
    """As which role."""

    role: Annotated[str, Field(description="A role of the database engine", min_length=1, max_length=256, pattern=r"^[\w.-]+$")]
    engine: Annotated[str, Field(description="Where the database engine is mounted", max_length=256)] = ENGINE
    folder: Annotated[SkipJsonSchema[str], Field(description="Where they are kept", max_length=256)] = FOLDER


class DatabaseCredentialsOutput(ToolOutput):
    """Handles of user name and password, which end with the lease; `ttl` is in seconds."""

    username: str
    password: str
    lease: str
    ttl: int


@tool(
    toolset="vault",
    title="Database credentials",
    command="vault database",
    effect="world",
    default=False,
    idempotent=False,
    open_world=True,
    example={"role": "app"},
)
async def database_credentials(args: DatabaseCredentialsInput, ctx: Context) -> DatabaseCredentialsOutput:
    """Create a database user that the vault removes when its lease ends; answers handles of its name and password."""
    with told(f"role {args.role!r}"):
        client = await ctx.vault.client()
        return await leased(client, ctx, engine=args.engine, role=args.role, place=f"{args.folder}/{args.role}")


async def leased(client: VaultClient, ctx: Context, *, engine: str, role: str, place: str) -> DatabaseCredentialsOutput:
    """New credentials of a role, kept at a place until their lease ends. Raises StratumError and VaultError."""
    secret = await Secret.at(client, place)
    mount, _ = await require_mount(client, engine, "database")
    made = await client.request("GET", f"{mount.path}creds/{role}")
    lease, seconds, data = made["lease_id"], int(made["lease_duration"]), made["data"]
    ctx.vault.hide(data["password"])
    fields = {"username": data["username"], "password": data["password"]}
    custom = {"engine": mount.path.rstrip("/"), ROLE: role, LEASE: lease}
    try:
        await secret.end_versions_after(seconds)
        version = await secret.put(fields, origin="database", custom=custom, replaces=True)
    except BaseException:
        # Nobody will ever know this user's password: it must not live on.
        await client.request("PUT", "sys/leases/revoke", {"lease_id": lease})
        raise
    return DatabaseCredentialsOutput(
        username=secret.handle("username", version), password=secret.handle("password", version), lease=lease, ttl=seconds
    )

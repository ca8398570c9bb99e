"""Replace what is secret: a stored value, a certificate, a database password, a key."""

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from prov_tools.vault.access import VaultClient
from prov_tools.vault.databases import ROLE, leased
from prov_tools.vault.failures import told
from prov_tools.vault.generation import LENGTH, MAX_LENGTH, MIN_LENGTH, Charset, generated
from prov_tools.vault.issuing import CERTIFICATE, KEY_FIELD, KIND, reissued
from prov_tools.vault.kv import ORIGIN, Secret
from prov_tools.vault.mounts import mount_of
from prov_tools.vault.naming import named
from prov_tools.vault.transit import rotated_key
from stratumops.errors import InvalidInputError, NotFoundError
from stratumops.handles import SecretHandle
from stratumops.tool import ToolInput, ToolOutput, tool

PATHS = "a secret's handle, transit/keys/NAME, database/config/NAME or database/static-roles/NAME"


class VaultRotateInput(ToolInput):
    """What to replace."""

    handle: Annotated[str, Field(description=PATHS[0].upper() + PATHS[1:], min_length=1, max_length=1024)]
    length: Annotated[SkipJsonSchema[int], Field(description="Characters of a generated value", ge=MIN_LENGTH, le=MAX_LENGTH)] = (
        LENGTH
    )
    charset: Annotated[SkipJsonSchema[Charset], Field(description="What a generated value consists of")] = "letters"


class VaultRotateOutput(ToolOutput):
    """What was replaced, and its new version where there are versions."""

    handle: str
    version: int | None = None
    notes: list[str]


@tool(
    toolset="vault",
    title="Rotate",
    command="vault rotate",
    effect="world",
    default=False,
    idempotent=False,
    example={"handle": "vault:secret/app#password"},
)
async def vault_rotate(args: VaultRotateInput, ctx: Context) -> VaultRotateOutput:
    """Replace a secret by a generated one, reissue a certificate, rotate a key or a database password."""
    with told(f"secret {args.handle!r}"):
        client = await ctx.vault.client()
        handle = (await named(client, args.handle)).handle
        if handle is not None:
            return await _secret(client, handle, args, ctx)
        return await _other(client, args.handle)


async def _secret(client: VaultClient, handle: SecretHandle, args: VaultRotateInput, ctx: Context) -> VaultRotateOutput:
    secret = await Secret.at(client, handle.path)
    facts = await secret.facts()
    if facts is None or handle.field not in await secret.names():
        raise NotFoundError(f"there is no field {handle.field!r} in {handle.path!r}", hint="`prov vault list` shows the handles")
    if facts.custom.get(KIND) == CERTIFICATE:
        made, old = await reissued(client, secret)
        notes = [*made.notes, f"the old certificate ({old}) stays valid until it ends: prov cert revoke {old}"]
        return VaultRotateOutput(handle=secret.handle(KEY_FIELD), version=made.version, notes=notes)
    if facts.custom.get(ORIGIN) == "database":
        engine, role = facts.custom.get("engine", "database"), facts.custom.get(ROLE, "")
        credentials = await leased(client, ctx, engine=engine, role=role, place=secret.whole_path)
        return VaultRotateOutput(handle=credentials.password, notes=["the old user lives until its own lease ends"])
    value = generated(args.length, args.charset)
    ctx.vault.hide(value)
    version = await secret.put({handle.field: value}, origin="generated")
    return VaultRotateOutput(
        handle=secret.handle(handle.field),
        version=version,
        notes=[f"version {facts.version} can still be read; whoever uses the secret must read it anew"],
    )


async def _other(client: VaultClient, path: str) -> VaultRotateOutput:
    mount, rest = await mount_of(client, path)
    kind, _, name = rest.partition("/")
    if mount.kind == "transit" and kind == "keys" and name and "/" not in name:
        version = await rotated_key(client, mount.path, name)
        note = "what older versions encrypted can still be decrypted; rewrap it to bring it to the new one"
        return VaultRotateOutput(handle=mount.path + rest, version=version, notes=[note])
    if mount.kind == "database" and kind == "config" and name:
        await client.request("POST", f"{mount.path}rotate-root/{name}")
        return VaultRotateOutput(handle=mount.path + rest, notes=["only the vault knows the new password of this connection"])
    if mount.kind == "database" and kind == "static-roles" and name:
        await client.request("POST", f"{mount.path}rotate-role/{name}")
        return VaultRotateOutput(handle=mount.path + rest, notes=["the role's database user has a new password"])
    raise InvalidInputError(f"{path[:80]!r} names nothing that can be rotated", hint=f"give {PATHS}")

"""What the vault holds: names, versions and marks, never a value. And the way out of it."""

from typing import Annotated

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from prov_tools.cost import omitted
from prov_tools.vault.access import VaultClient
from prov_tools.vault.failures import told
from prov_tools.vault.kept import Judge, State
from prov_tools.vault.kv import Facts, Secret, secret_paths
from prov_tools.vault.mounts import mount_of
from prov_tools.vault.naming import named
from prov_tools.vault.store import MAX_PATH
from stratumops.errors import NotFoundError
from stratumops.tool import ToolInput, ToolOutput, tool

MAX_LISTED = 10_000
"""Secrets that one listing looks at."""


class VaultListInput(ToolInput):
    """Where to look."""

    path: Annotated[str | None, Field(description="Secret or folder", max_length=MAX_PATH)] = None


class SecretRow(BaseModel):
    """One secret. `version` is the newest one; the fields' handles are there while it is not deleted.

    `certificate` is the state of the certificate that it holds.
    """

    path: str
    handles: list[str]
    needs_rotation: bool
    version: SkipJsonSchema[int]
    updated: SkipJsonSchema[str]
    created: SkipJsonSchema[str]
    versions: SkipJsonSchema[int]
    deleted: SkipJsonSchema[bool | None] = None
    metadata: SkipJsonSchema[dict[str, str] | None] = None
    certificate: SkipJsonSchema[State | None] = None


class VaultListOutput(ToolOutput):
    """Secrets by path."""

    secrets: list[SecretRow]
    notes: SkipJsonSchema[list[str] | None] = None


@tool(
    toolset="vault",
    title="List secrets",
    command="vault list",
    aliases=("vault describe",),
    effect="read",
    example={"path": "secret/"},
)
async def vault_list(args: VaultListInput, ctx: Context) -> VaultListOutput:
    """List handles and what needs rotation; never values."""
    with told(f"secret at {args.path!r}" if args.path else "secret"):
        client = await ctx.vault.client()
        paths = await _paths(client, (await named(client, args.path)).path if args.path else None)
        shown = paths[: ctx.defaults.max_rows or None]
        judge = Judge(client)
        rows = [row for path in shown if (row := await described(await Secret.at(client, path), judge))]
    notes = omitted(len(paths) - len(shown), "more secret is", "more secrets are") + judge.notes
    return VaultListOutput(secrets=rows, notes=notes or None)


async def _paths(client: VaultClient, path: str | None) -> list[str]:
    if path is None:
        mounts = (await client.request("GET", "sys/mounts"))["data"]
        kv = [
            name for name, one in sorted(mounts.items()) if one["type"] == "kv" and (one["options"] or {}).get("version") == "2"
        ]
        return [found for name in kv for found in await secret_paths(client, name, MAX_LISTED)]
    mount, rest = await mount_of(client, path)
    below = await secret_paths(client, path, MAX_LISTED)
    if rest and not path.endswith("/") and await Secret(client, mount, rest).facts():
        below.insert(0, mount.path + rest)
    if rest and not below:
        raise NotFoundError(f"there is no secret at or below {mount.path + rest!r}", hint="leave the path out to list all")
    return below


async def described(secret: Secret, judge: Judge) -> SecretRow | None:
    """A secret's row; None when it is gone."""
    facts = await secret.facts()
    if facts is None:
        return None
    kept = await judge.kept(secret, facts)
    return _row(secret, facts, await secret.names(), kept.state if kept else None)


def _row(secret: Secret, facts: Facts, names: list[str], certificate: State | None) -> SecretRow:
    return SecretRow(
        path=secret.whole_path,
        handles=[secret.handle(name) for name in names if name],
        version=facts.version,
        updated=facts.updated,
        needs_rotation=bool(facts.marked),
        created=facts.created,
        versions=facts.versions,
        deleted=facts.is_deleted or None,
        metadata=dict(facts.custom) or None,
        certificate=certificate,
    )


class VaultDeleteInput(ToolInput):
    """Which secret."""

    path: Annotated[str, Field(description="A secret's path or handle, such as secret/app", min_length=1, max_length=1024)]


class VaultDeleteOutput(ToolOutput):
    """What was deleted."""

    path: str
    version: int
    notes: list[str]


@tool(
    toolset="vault",
    title="Delete a secret",
    command="vault delete",
    effect="record",
    default=False,
    example={"path": "secret/app"},
)
async def vault_delete(args: VaultDeleteInput, ctx: Context) -> VaultDeleteOutput:
    """Delete a secret's newest version, with all fields; a person can undelete it, and only a person can destroy it."""
    with told(f"secret at {args.path!r}"):
        client = await ctx.vault.client()
        path = (await named(client, args.path)).path
        secret = await Secret.at(client, path)
        facts = await secret.facts()
        if facts is None or facts.is_deleted:
            raise NotFoundError(f"there is no secret at {path!r}", hint="`prov vault list` shows what there is")
        await secret.delete()
    note = f"it can be undeleted: prov vault undelete {secret.whole_path}"
    return VaultDeleteOutput(path=secret.whole_path, version=facts.version, notes=[note])

"""Encrypt, sign and verify with keys that never leave the vault (its transit engine)."""

import asyncio
import base64
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from prov_tools.vault.access import VaultClient
from prov_tools.vault.failures import told
from prov_tools.vault.mounts import require_mount
from stratumops.errors import InvalidInputError, NotFoundError
from stratumops.handles import SCHEME, SecretHandle, typed_handle
from stratumops.tool import ToolInput, ToolOutput, tool
from svault.errors import NotFoundError as VaultNotFoundError

Algorithm = Literal["ed25519", "ml-dsa-65", "ecdsa-p256", "rsa-4096"]
"""Kinds of signing keys. A quantum computer does not break ML-DSA-65 (FIPS 204), whose signatures have 4,400 characters."""

ENGINE = "transit"
Key = Annotated[str, Field(description="Name of a key of the transit engine", min_length=1, max_length=256, pattern=r"^[\w.-]+$")]
Text = Annotated[str | None, Field(description="The text itself", max_length=1 << 20)]
File = Annotated[str | None, Field(description="Or the path of a workspace file", max_length=4096)]
Engine = Annotated[SkipJsonSchema[str], Field(description="Where the transit engine is mounted", max_length=256)]


class VaultEncryptInput(ToolInput):
    """With which key, and what: a secret or a file. A plain text would pass through the model, so there is no place for one."""

    key: Key
    source: Annotated[str, Field(description="A secret's handle, or the path of a workspace file", min_length=1, max_length=4096)]
    engine: Engine = ENGINE


class VaultEncryptOutput(ToolOutput):
    """The ciphertext (`vault:v1:...`), which only the vault's key opens."""

    ciphertext: str
    key: str
    key_version: int


@tool(
    toolset="vault",
    title="Encrypt",
    command="vault encrypt",
    effect="record",
    default=False,
    idempotent=False,
    example={"key": "backups", "source": "vault:secret/app#password"},
)
async def vault_encrypt(args: VaultEncryptInput, ctx: Context) -> VaultEncryptOutput:
    """Encrypt a secret or a file with a key of the vault; the key is made on first use."""
    data = await _source(args.source, ctx)
    with told(f"key {args.key!r}"):
        answer = await encrypted(await ctx.vault.client(), args.engine, args.key, data)
    return VaultEncryptOutput(ciphertext=answer["ciphertext"], key=args.key, key_version=answer["key_version"])


async def encrypted(client: VaultClient, engine: str, key: str, data: bytes) -> dict[str, Any]:
    """What a transit engine answers to bytes: `ciphertext` and `key_version`. Raises StratumError and VaultError."""
    mount, _ = await require_mount(client, engine, "transit")
    made = await client.request("POST", f"{mount.path}encrypt/{key}", {"plaintext": _encoded(data)})
    answer: dict[str, Any] = made["data"]
    return answer


async def _source(source: str, ctx: Context) -> bytes:
    handle = _handle(source, ctx)
    if handle is not None:
        return (await ctx.vault.resolve(str(handle))).encode()
    return await asyncio.to_thread(ctx.workspace.read_bytes, source)


def _handle(source: str, ctx: Context) -> SecretHandle | None:
    """The handle that is meant; without `vault:` before it a # may be a part of a file's name."""
    handle = typed_handle(source)
    if handle is not None and not source.startswith(SCHEME) and (ctx.workspace.root / source).exists():
        return None
    return handle


class VaultSignInput(ToolInput):
    """With which key, and what."""

    key: Key
    text: Text = None
    file: File = None
    algorithm: Annotated[Algorithm, Field(description="Of the key, if it is made now; ml-dsa-65 is post-quantum")] = "ed25519"
    engine: Engine = ENGINE


class VaultSignOutput(ToolOutput):
    """The signature (`vault:v1:...`) and what kind of key made it."""

    signature: str
    key: str
    algorithm: str
    notes: list[str]


@tool(
    toolset="vault",
    title="Sign",
    command="vault sign",
    effect="record",
    default=False,
    idempotent=False,
    example={"key": "releases", "file": "main.ncl"},
)
async def vault_sign(args: VaultSignInput, ctx: Context) -> VaultSignOutput:
    """Sign a text or a file with a key of the vault; the key is made on first use."""
    content = _encoded(await _content(args.text, args.file, ctx))
    with told(f"key {args.key!r}"):
        client = await ctx.vault.client()
        mount, _ = await require_mount(client, args.engine, "transit")
        algorithm, is_new = await _signing_key(client, f"{mount.path}keys/{args.key}", args.algorithm)
        signed = await client.request("POST", f"{mount.path}sign/{args.key}", {"input": content})
    notes = [f"the key {args.key} was made now"] if is_new else []
    return VaultSignOutput(signature=signed["data"]["signature"], key=args.key, algorithm=algorithm, notes=notes)


class VaultVerifyInput(ToolInput):
    """A signature, and what it is said to sign."""

    key: Key
    signature: Annotated[str, Field(description="As vault_sign answered it", min_length=1, max_length=1 << 16)]
    text: Text = None
    file: File = None
    engine: Engine = ENGINE


class VaultVerifyOutput(ToolOutput):
    """Whether the signature is right."""

    valid: bool
    key: str

    def passed(self) -> bool:
        """False for a wrong signature."""
        return self.valid


@tool(
    toolset="vault",
    title="Verify a signature",
    command="vault verify",
    effect="read",
    default=False,
    example={"key": "releases", "signature": "vault:v1:AAAA", "file": "main.ncl"},
)
async def vault_verify(args: VaultVerifyInput, ctx: Context) -> VaultVerifyOutput:
    """Check a signature of a text or a file against a key of the vault."""
    content = _encoded(await _content(args.text, args.file, ctx))
    with told(f"key {args.key!r}"):
        client = await ctx.vault.client()
        mount, _ = await require_mount(client, args.engine, "transit")
        asked = {"input": content, "signature": args.signature}
        found = await client.request("POST", f"{mount.path}verify/{args.key}", asked)
    return VaultVerifyOutput(valid=bool(found["data"]["valid"]), key=args.key)


async def _signing_key(client: VaultClient, address: str, algorithm: str) -> tuple[str, bool]:
    try:
        return str((await client.request("GET", address))["data"]["type"]), False
    except VaultNotFoundError:
        await client.request("POST", address, {"type": algorithm})
        return algorithm, True


async def _content(text: str | None, file: str | None, ctx: Context) -> bytes:
    if text is not None and file is None:
        return text.encode()
    if file is not None and text is None:
        return await asyncio.to_thread(ctx.workspace.read_bytes, file)
    raise InvalidInputError("name one thing: a text or a file", hint='text="..." or file="path/in/workspace.json"')


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def rotated_key(client: VaultClient, mount: str, name: str) -> int:
    """Give a key a new version; answers its number. Raises NotFoundError and VaultError."""
    try:
        await client.request("GET", f"{mount}keys/{name}")
    except VaultNotFoundError:
        raise NotFoundError(
            f"there is no key {name!r} in {mount}", hint="it is made by the first vault_encrypt or vault_sign"
        ) from None
    await client.request("POST", f"{mount}keys/{name}/rotate")
    return int((await client.request("GET", f"{mount}keys/{name}"))["data"]["latest_version"])

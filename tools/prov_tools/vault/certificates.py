"""Certificates from the vault's PKI: the certificate is answered, the private key is kept at a handle."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from prov_tools.vault.failures import told
from prov_tools.vault.issuing import ENGINE, FOLDER, KEY_FIELD, TTL, Issued, Wanted, issued
from prov_tools.vault.mounts import require_mount
from stratumops.tool import ToolInput, ToolOutput, tool

_HOST = r"^[A-Za-z0-9*_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$"


class IssueCertificateInput(ToolInput):
    """Whom to certify."""

    domain: Annotated[str, Field(description="Host name, such as example.com", pattern=_HOST, max_length=253)]
    alt_names: Annotated[list[str], Field(description="More host names", max_length=100, default_factory=list)]
    ip_addresses: Annotated[list[str], Field(description="IP addresses", max_length=100, default_factory=list)]
    ttl: Annotated[str, Field(description="How long it is valid, such as 720h", max_length=32)] = TTL
    engine: Annotated[str, Field(description="Where the PKI engine is mounted", max_length=256)] = ENGINE
    role: Annotated[str | None, Field(description="The engine's role; without it the workspace's own", max_length=256)] = None
    cluster: Annotated[
        str | None, Field(description="The cluster it is for, to rotate all of its certificates at once", max_length=128)
    ] = None
    folder: Annotated[SkipJsonSchema[str], Field(description="Where it is kept", max_length=256)] = FOLDER


class IssueCertificateOutput(ToolOutput):
    """The handle of the private key, and what is public: the certificate and its chain in PEM."""

    handle: str
    certificate: str
    chain: list[str]
    serial: str
    expires: str
    notes: list[str]


def answer_of(made: Issued) -> IssueCertificateOutput:
    """What is told of a certificate."""
    return IssueCertificateOutput(
        handle=made.secret.handle(KEY_FIELD),
        certificate=made.certificate,
        chain=list(made.chain),
        serial=made.serial,
        expires=datetime.fromtimestamp(made.expires, UTC).isoformat(),
        notes=list(made.notes),
    )


@tool(
    toolset="vault",
    title="Issue a certificate",
    command="cert generate",
    effect="record",
    default=False,
    idempotent=False,
    example={"domain": "example.com"},
)
async def issue_certificate(args: IssueCertificateInput, ctx: Context) -> IssueCertificateOutput:
    """Issue a TLS certificate; the private key stays in the vault at a handle. A root is made on first use."""
    wanted = Wanted(
        args.domain,
        args.engine,
        args.role or "",
        args.alt_names,
        args.ip_addresses,
        args.ttl,
        args.cluster or "",
        args.folder,
    )
    with told(f"PKI engine at {args.engine!r}"):
        return answer_of(await issued(await ctx.vault.client(), wanted))


class RevokeCertificateInput(ToolInput):
    """Which certificate."""

    serial: Annotated[str, Field(description="Serial number, such as 1a:2b:3c", pattern=r"^[0-9a-fA-F:-]{1,100}$")]
    engine: Annotated[str, Field(description="Where the PKI engine is mounted", max_length=256)] = ENGINE


class RevokeCertificateOutput(ToolOutput):
    """When it was revoked."""

    serial: str
    revoked: str
    state: Literal["revoked"] = "revoked"


@tool(
    toolset="vault",
    title="Revoke a certificate",
    command="cert revoke",
    effect="world",
    default=False,
    example={"serial": "1a:2b:3c"},
)
async def revoke_certificate(args: RevokeCertificateInput, ctx: Context) -> RevokeCertificateOutput:
    """Revoke a certificate for good: it appears in the engine's revocation list."""
    with told(f"certificate {args.serial}"):
        client = await ctx.vault.client()
        mount, _ = await require_mount(client, args.engine, "pki")
        done = await client.request("POST", f"{mount.path}revoke", {"serial_number": args.serial})
    time = datetime.fromtimestamp(done["data"]["revocation_time"], UTC).isoformat()
    return RevokeCertificateOutput(serial=args.serial, revoked=time)

"""The tools `audit_list` and `audit_verify`: who called what, and whether the record of it is whole."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from prov_tools.call_log import FOLDER, PUBLIC_FILE, CallLog, Wanted, verify_export
from prov_tools.context import Context
from stratumops.errors import InvalidInputError
from stratumops.tool import ToolInput, ToolOutput, tool

MAX_LISTED = 1000
MAX_PROBLEMS = 20


class AuditListInput(ToolInput):
    """Which calls."""

    tool: Annotated[str | None, Field(description="Of this tool", max_length=80)] = None
    principal: Annotated[str | None, Field(description="By this principal", max_length=80)] = None
    since: Annotated[str | None, Field(description="From this date or time on (ISO 8601, UTC)", max_length=40)] = None
    failed: Annotated[bool, Field(description="Only those that were refused or failed")] = False
    limit: Annotated[int, Field(description="At most", ge=1, le=MAX_LISTED)] = 20


class AuditRow(BaseModel):
    """One call."""

    seq: int
    time: str
    principal: str
    face: str
    client: str | None = None
    tool: str
    decision: Literal["allowed", "refused"]
    code: str
    ms: float | None = None


class AuditListOutput(ToolOutput):
    """Calls, newest first."""

    calls: list[AuditRow]


class AuditVerifyInput(ToolInput):
    """What is known of the audit from elsewhere."""

    expected_head: Annotated[
        str | None, Field(description="An earlier head, NUMBER:HASH, that must still be there", max_length=90)
    ] = None


class AuditProblem(BaseModel):
    """What is wrong, and where."""

    file: str
    line: int
    what: str


class AuditVerifyOutput(ToolOutput):
    """What was found; `problems` are the first ones."""

    ok: bool
    entries: int
    head: str
    signed_up_to: int
    unsigned: int
    key: str
    problems: list[AuditProblem]
    problem_count: int

    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return self.ok


@tool(
    toolset="admin",
    title="Audit of tool calls",
    command="audit list",
    effect="read",
    default=False,
    example={"failed": True, "limit": 5},
)
async def audit_list(args: AuditListInput, ctx: Context) -> AuditListOutput:
    """List who called which tool and what was decided, newest first; never what was in it."""
    wanted = Wanted(args.tool, args.principal, since_of(args.since), args.failed)
    log = CallLog(ctx.workspace.own / FOLDER)
    entries = await asyncio.to_thread(log.entries, wanted, args.limit)
    return AuditListOutput(
        calls=[
            AuditRow(
                seq=one["seq"],
                time=one["time"],
                principal=one["principal"],
                face=one["face"],
                client=one["client"] or None,
                tool=one["tool"],
                decision=one["decision"],
                code=one["code"],
                ms=one.get("ms"),
            )
            for one in entries
        ]
    )


@tool(
    toolset="admin",
    title="Verify the audit",
    command="mcp audit-verify",
    effect="read",
    default=False,
    example={"expected_head": f"230:{'0' * 64}"},
)
async def audit_verify(args: AuditVerifyInput, ctx: Context) -> AuditVerifyOutput:
    """Check that the audit of tool calls is whole: every line, their order, every signature."""
    return await asyncio.to_thread(verified, ctx.workspace.own / FOLDER, None, args.expected_head)


def verified(place: Path, public_key: Path | None, expected_head: str | None) -> AuditVerifyOutput:
    """Verify the audit in a folder or in an exported file, with the public key in a file or else with the copy's own.

    Raises InvalidInputError (no head, no key, no JSON lines), NotFoundError (no audit, no such file), UnavailableError.
    """
    from prov_tools.audit_key import read_public  # noqa: PLC0415 - as below
    from svault.audit.records import Head  # noqa: PLC0415 - nothing of the vault is imported before it is needed

    try:
        expected = Head.parse(expected_head) if expected_head else None
    except ValueError as error:
        raise InvalidInputError(str(error), hint="`prov audit verify` prints the head; keep it somewhere else") from None
    key = public_key or place / PUBLIC_FILE
    known = read_public(key) if public_key or key.exists() else None
    found = verify_export(place, known, expected) if place.is_file() else CallLog(place).verify(known, expected)
    return AuditVerifyOutput(
        ok=found.ok,
        entries=found.entries,
        head=str(found.head),
        signed_up_to=found.signed_up_to,
        unsigned=found.unsigned,
        key=found.key_id,
        problems=[
            AuditProblem(file=one.file.rpartition("/")[2], line=one.line, what=one.what) for one in found.problems[:MAX_PROBLEMS]
        ],
        problem_count=len(found.problems),
    )


def since_of(text: str | None) -> datetime | None:
    """A date (its beginning) or a time, in UTC where it names no zone. Raises InvalidInputError."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputError("since is no date or time", hint="write it like 2026-11-23 or 2026-11-23T14:00:00Z") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)

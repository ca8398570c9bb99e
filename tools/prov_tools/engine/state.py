"""The toolset `state`: what is recorded, read and put right. Nothing here changes a machine."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from prov_tools.cost import omitted
from prov_tools.engine.words import moment
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from provisioning.drift import DriftReport
    from provisioning.resource import Recorded

Address = Annotated[str, Field(min_length=3, max_length=400, description="Such as server.web")]


DOWN = frozenset({"stopped", "failed"})
"""No difference from what is recorded, which says nothing about it, but nothing that should be passed over."""


OURS = "made by this state and not recorded"


class ResourceRow(BaseModel):
    """A recorded resource."""

    address: str
    provider: str
    region: str
    id: str
    status: str


class ListResourcesInput(ToolInput):
    """Which ones."""

    kind: Annotated[str | None, Field(max_length=40, description="Only of this kind, such as server")] = None
    serial: Annotated[int | None, Field(ge=0, description="As of this serial; now when left out")] = None


class ListResourcesOutput(ToolOutput):
    """The rows, by address."""

    serial: int
    count: int
    resources: list[ResourceRow]
    notes: list[str] | None = None
    whole: Annotated[Hidden, HIDDEN] = None


@tool(toolset="state", title="List resources", command="state list", effect="read", default=False, example={"kind": "server"})
async def list_resources(args: ListResourcesInput, ctx: Context) -> ListResourcesOutput:
    """List what is recorded, now or as of an older serial."""
    store = await (await ctx.engine()).store()
    head, found = await asyncio.to_thread(lambda: (store.head(), store.resources(args.serial)))
    rows = [one for one in found if args.kind in {None, one.kind}]
    most = ctx.defaults.max_rows or None
    return ListResourcesOutput(
        serial=head.serial if args.serial is None else args.serial,
        count=len(rows),
        resources=[_row(one) for one in rows[:most]],
        notes=omitted(len(rows) - len(rows[:most]), "resource is", "resources are") or None,
        whole=rows,
    )


class ShowResourceInput(ToolInput):
    """Which one."""

    address: Address


class ShowResourceOutput(ToolOutput):
    """All that is recorded of it; secret values are not shown."""

    address: str
    kind: str
    provider: str
    region: str
    id: str
    status: str
    checked: str | None
    values: dict[str, Any]
    outputs: dict[str, Any]
    parts: dict[str, str]
    names: list[str]
    drift: dict[str, str]


@tool(
    toolset="state",
    title="Show a resource",
    command="state show",
    effect="read",
    default=False,
    example={"address": "server.web"},
)
async def show_resource(args: ShowResourceInput, ctx: Context) -> ShowResourceOutput:
    """Show one recorded resource: its values, what its provider gave it, what it stands on."""
    from prov_judge.changes.masking import shown  # noqa: PLC0415 - the models cost 60 ms, paid by the first call
    from prov_judge.migration.words import value  # noqa: PLC0415 - as above

    store = await (await ctx.engine()).store()
    one = await asyncio.to_thread(store.resource, args.address)
    return ShowResourceOutput(
        address=one.address,
        kind=one.kind,
        provider=one.provider,
        region=one.region,
        id=one.id,
        status=one.status,
        checked=moment(one.checked_at),
        values={name: shown(name, inner) for name, inner in one.values.items() if inner not in (None, [], {})},
        outputs=dict(one.outputs),
        parts=dict(one.parts),
        names=[f"{field} -> {address}" for field, address in one.names],
        drift={path: value(path, seen) for path, seen in one.observed.items()},
    )


class ImportResourceInput(ToolInput):
    """What is there already, and how it is described."""

    address: Address
    id: Annotated[str, Field(min_length=1, max_length=400, description="The provider's id of it, such as i-0abc")]
    config: ConfigText


class EditOutput(ToolOutput):
    """What became of the state."""

    said: str
    serial: int
    differs: list[str] | None = None


@tool(
    toolset="state",
    title="Record what exists",
    command="state import",
    effect="record",
    default=False,
    example={"address": "server.web", "id": "i-0abc", "config": '{ servers = [{ name = "web" }] }'},
)
async def import_resource(args: ImportResourceInput, ctx: Context) -> EditOutput:
    """Record something that exists at a provider as a resource of a configuration; it is looked at, not changed."""
    from prov_tools.loading import loaded  # noqa: PLC0415 - as above

    engine = await ctx.engine()
    config = (await loaded(args.config, ctx)).config
    made = await (await engine.edits()).adopt(args.address, args.id, config, by=ctx.principal.subject)
    return EditOutput(said=f"{args.address} is {args.id}", serial=made.serial, differs=list(made.differs) or None)


class MoveResourceInput(ToolInput):
    """From where to where."""

    source: Address
    target: Address


@tool(
    toolset="state",
    title="Rename a recorded resource",
    command="state mv",
    effect="record",
    default=False,
    example={"source": "server.web", "target": "server.www"},
)
async def move_resource(args: MoveResourceInput, ctx: Context) -> EditOutput:
    """Give a recorded resource another address, as when it was renamed in the configuration; it is not changed."""
    engine = await ctx.engine()
    head = await (await engine.edits()).move(args.source, args.target, by=ctx.principal.subject)
    return EditOutput(said=f"{args.source} is {args.target} now", serial=head.serial)


class RemoveResourceInput(ToolInput):
    """Which one."""

    address: Address


@tool(
    toolset="state",
    title="Forget a resource",
    command="state rm",
    effect="record",
    default=False,
    example={"address": "server.web"},
)
async def remove_resource(args: RemoveResourceInput, ctx: Context) -> EditOutput:
    """Forget a recorded resource without deleting it; afterwards nobody here looks after it."""
    engine = await ctx.engine()
    head = await (await engine.edits()).forget(args.address, by=ctx.principal.subject)
    return EditOutput(said=f"{args.address} is forgotten; it still exists at its provider", serial=head.serial)


class RefreshInput(ToolInput):
    """How far to look."""

    unmanaged: Annotated[bool, Field(description="Also list what is at the providers and not recorded")] = False


class DriftRow(BaseModel):
    """One resource that is not as recorded."""

    address: str
    state: str
    differs: list[str]


class DriftOutput(ToolOutput):
    """What was looked at, and what is not as recorded."""

    summary: str
    drifted: list[DriftRow]
    problems: list[str]
    whole: Annotated[Hidden, HIDDEN] = None


class DriftVerdict(DriftOutput):
    """As `DriftOutput`, with a verdict: not passed when anything is not as recorded."""

    def passed(self) -> bool:
        """Whether everything that is recorded was seen, as it is recorded."""
        return not self.problems and not any(
            one.state in {"changed", "missing"} or any(OURS in said for said in one.differs) for one in self.drifted
        )


@tool(
    toolset="state", title="Refresh the state", command="state refresh", aliases=("refresh",), effect="record", default=False,
    open_world=True, example={"unmanaged": True},
)  # fmt: skip
async def refresh_state(args: RefreshInput, ctx: Context) -> DriftOutput:
    """Look at every recorded resource and note how it is now."""
    engine = await ctx.engine()
    found = await engine.refresh(everything=args.unmanaged, by=ctx.principal.subject, report=ctx.report)
    return DriftOutput(**_told(found, ctx))


@tool(
    toolset="state",
    title="Detect drift",
    command="drift",
    effect="record",
    default=False,
    open_world=True,
    example={"unmanaged": True},
)
async def detect_drift(args: RefreshInput, ctx: Context) -> DriftVerdict:
    """Say what is not as recorded: changed by hand, missing, or unmanaged."""
    engine = await ctx.engine()
    found = await engine.refresh(everything=args.unmanaged, by=ctx.principal.subject, report=ctx.report)
    return DriftVerdict(**_told(found, ctx))


def _told(found: "DriftReport", ctx: Context) -> dict[str, Any]:
    from prov_judge.migration.words import value  # noqa: PLC0415 - the models cost 60 ms, paid by the first call

    rows = [
        DriftRow(
            address=one.address,
            state=one.verdict,
            differs=[
                *(f"{leaf.path}: {value(leaf.path, leaf.recorded)} -> {value(leaf.path, leaf.seen)}" for leaf in one.differences),
                *([f"it is {one.status}"] if one.status in DOWN else []),
            ],
        )
        for one in found.resources
        if one.verdict != "in_sync" or one.status in DOWN
    ]
    rows += [
        DriftRow(
            address=one.address or f"{one.kind} {one.name}",
            state="unmanaged",
            differs=[f"{one.provider} {one.id}" + (f", {OURS}" if one.is_ours else "")],
        )
        for one in found.unmanaged
    ]
    most = ctx.defaults.max_rows or None
    counts = {"in sync": found.count("in_sync"), "changed": found.count("changed"), "missing": found.count("missing")}
    counts["unmanaged"] = len(found.unmanaged)
    return {
        "summary": ", ".join(f"{count} {word}" for word, count in counts.items()),
        "drifted": rows[:most],
        "problems": [
            *(f"{provider}: {why}" for provider, why in found.errors.items()),
            *omitted(len(rows) - len(rows[:most]), "resource is", "resources are"),
        ],
        "whole": found,
    }


class StateHistoryInput(ToolInput):
    """How far back."""

    limit: Annotated[int, Field(ge=1, le=10_000, description="Serials, newest first")] = 20


class SerialRow(BaseModel):
    """One change of the state."""

    serial: int
    made: str | None
    by: str
    operation: str | None = None
    reason: str | None = None
    changes: list[str]


class StateHistoryOutput(ToolOutput):
    """The serials, and whether their chain is whole."""

    lineage: str
    serials: list[SerialRow]
    whole: Annotated[Hidden, HIDDEN] = None


@tool(toolset="state", title="History of the state", command="state history", effect="read", default=False, example={"limit": 5})
async def state_history(args: StateHistoryInput, ctx: Context) -> StateHistoryOutput:
    """List the state's serials: who changed what, in which operation."""
    store = await (await ctx.engine()).store()
    head, found = await asyncio.to_thread(lambda: (store.head(), store.serials(args.limit)))
    return StateHistoryOutput(
        lineage=head.lineage,
        serials=[
            SerialRow(
                serial=one.number,
                made=moment(one.made_at),
                by=one.by,
                operation=one.operation or None,
                reason=one.reason or None,
                changes=[f"{action} {address}" for address, action in sorted(one.changes.items())],
            )
            for one in found
        ],
        whole=found,
    )


def _row(one: "Recorded") -> ResourceRow:
    return ResourceRow(address=one.address, provider=one.provider, region=one.region, id=one.id, status=one.status)

"""From what is recorded and what is wanted to a plan: changes, steps in waves, risks, money, compliance; secrets sealed."""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from prov_gen.model.infrastructure import InfrastructureConfig, dump_stated
from prov_judge.changes.compare import changes_of
from prov_judge.changes.leaves import Leaf
from prov_judge.changes.things import IS_NO_THING, Thing, things
from prov_judge.migration import judged
from prov_judge.migration.model import Migration
from prov_judge.migration.plan import plan_scene
from prov_judge.migration.scene import Scene
from prov_judge.migration.words import compliance_words, told_compliance
from provisioning.plan.model import DEPOSED, Basis, Plan, PlanKind
from provisioning.plan.steps import Steps, steps_of, wanted_of
from provisioning.resource import Recorded
from provisioning.secrets import Secrets, has_sealed, seal_values, unseal_values
from provisioning.state.configuration import current_configuration, things_of
from provisioning.state.model import Head

if TYPE_CHECKING:
    from prov_judge.prices.book import PriceBook

PLAN_SECONDS = 3600.0
"""How long a plan can be approved and applied."""


@dataclass(frozen=True, slots=True)
class Maker:
    """A provider as far as a plan must know it: its version, and the kinds of things that it makes."""

    version: str
    kinds: frozenset[str]


@dataclass(frozen=True)
class Wish:
    """What is asked for. `config` is None for a destruction; `to` are the resources of an older serial, to go back to them.

    `only` names addresses: then nothing else is touched. `today` decides which waivers hold, `now` (seconds since 1970) when the
    plan ends. `makers` are the providers that can act here, by name.
    """

    kind: PlanKind
    title: str
    head: Head
    resources: Sequence[Recorded]
    makers: Mapping[str, Maker]
    config: InfrastructureConfig | None
    now: float
    today: date
    by: str
    book: "PriceBook | None" = None
    to: Sequence[Recorded] | None = None
    source: str = ""
    only: frozenset[str] = frozenset()
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    targets: Mapping[str, Any] = field(default_factory=dict)
    rolls_back_on_failure: bool = True
    seconds: float = PLAN_SECONDS


async def make_plan(wish: Wish, secrets: Secrets) -> Plan:
    """The plan. Raises what sealing raises when the configuration holds a secret in plain text and there is no vault."""
    lineage = wish.head.lineage
    wish = replace(
        wish,
        resources=await _readable(wish.resources, secrets, lineage),
        to=None if wish.to is None else await _readable(wish.to, secrets, lineage),
    )
    draft = await asyncio.to_thread(_drafted, wish)
    sealed = [
        {
            **wanted,
            "values": await seal_values(wanted["values"], secrets, f"{lineage}/{wanted['address']}"),
            "record": await seal_values(wanted["record"], secrets, f"{lineage}/{wanted['address']}/record"),
        }
        for wanted in draft.found.wanted
    ]
    config = {} if wish.config is None else await seal_values(dump_stated(wish.config), secrets, f"{lineage}/config")
    used = {step.provider for step in draft.found.steps}
    return Plan(
        kind=wish.kind,
        title=wish.title,
        basis=Basis(
            lineage,
            wish.head.serial,
            config_sha256(wish.config),
            {name: maker.version for name, maker in sorted(wish.makers.items()) if name in used},
        ),
        steps=draft.found.with_wanted(sealed),
        config=config,
        made_at=wish.now,
        expires_at=wish.now + wish.seconds,
        made_by=wish.by,
        source=wish.source,
        counts={action: count for action, count in draft.migration.counts.items() if count},
        cost_before={currency: f"{amount:.2f}" for currency, amount in draft.migration.cost_before.items()},
        cost_after={currency: f"{amount:.2f}" for currency, amount in draft.migration.cost_after.items()},
        compliance={one.framework: compliance_words(one) for one in told_compliance(draft.migration)},
        findings=wish.findings,
        blast_radius={address: radius for address, radius in draft.migration.blast_radius.items() if radius},
        left_out=draft.left_out,
        notes=(*wish.notes, *draft.migration.notes, *draft.found.notes),
        rolls_back_on_failure=wish.rolls_back_on_failure,
        targets=dict(wish.targets),
    )


async def _readable(resources: Sequence[Recorded], secrets: Secrets, lineage: str) -> list[Recorded]:
    """The resources with their sealed leaves opened, so that a secret that is the same is no change."""
    found = []
    for one in resources:
        context = f"{lineage}/{one.address.removesuffix(DEPOSED)}"
        if has_sealed(one.values) or has_sealed(one.record):
            values = await unseal_values(one.values, secrets, context)
            found.append(replace(one, values=values, record=await unseal_values(one.record, secrets, f"{context}/record")))
        else:
            found.append(one)
    return found


def config_sha256(config: InfrastructureConfig | None) -> str:
    """The hash of what a configuration says, however it is written; of none for a destruction."""
    stated = {} if config is None else dump_stated(config)
    return hashlib.sha256(json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Draft:
    migration: Migration
    found: Steps
    left_out: Mapping[str, str]


def _drafted(wish: Wish) -> _Draft:
    recorded = {one.address: one for one in wish.resources}
    there = [one for one in wish.resources if one.status != "gone"]
    before = {address: _as_seen(thing, recorded[address].observed) for address, thing in things_of(there).items()}
    after, left_out = _wanted(wish)
    if wish.only:
        after = _only(wish.only, before, after)
    current = current_configuration(wish.resources)
    target = wish.config if wish.config is not None and not wish.only else current_configuration(_rows(after.values()))
    scene = Scene(current, target, before, after, changes_of(before, after))
    migration = plan_scene(scene, moves=False)
    return _Draft(_judged(migration, wish, current, target), steps_of(scene, migration, recorded, wish.head.lineage), left_out)


def _rows(every: Iterable[Thing]) -> list[Recorded]:
    """Things as if they were recorded: what there would be."""
    config = InfrastructureConfig()
    shapes = [wanted_of(thing, config) for thing in every]
    return [
        Recorded(
            address=shape["address"],
            kind=shape["kind"],
            provider=shape["provider"],
            region=shape["region"],
            id="",
            values=shape["values"],
            record=shape["record"],
            model=shape["model"],
            path=tuple(shape["path"]),
        )
        for shape in shapes
    ]


def _as_seen(thing: Thing, seen: Mapping[str, Any]) -> Thing:
    """The thing with what the last look saw in the place of what was recorded."""
    if not seen:
        return thing
    leaves = dict(thing.leaves)
    for path, value in seen.items():
        if value is None:
            leaves.pop(path, None)
        else:
            leaves[path] = Leaf(leaves[path].pattern if path in leaves else path, value)
    return replace(thing, leaves=leaves)


def _wanted(wish: Wish) -> tuple[dict[str, Thing], dict[str, str]]:
    """What shall be there, and what no provider makes here, with the reason."""
    if wish.config is None:
        return (things_of(wish.to) if wish.to is not None else {}), {}
    every = {address: thing for address, thing in things(wish.config).items() if thing.kind not in IS_NO_THING}
    left_out = {address: why for address, thing in every.items() if (why := _why_not(thing, wish.makers))}
    return {address: thing for address, thing in every.items() if address not in left_out}, left_out


def _why_not(thing: Thing, makers: Mapping[str, Maker]) -> str:
    maker = makers.get(thing.provider)
    if not thing.provider:
        return f"a {thing.kind.replace('_', ' ')} is made at no provider"
    if maker is None:
        return f"there is no provider {thing.provider} here: `prov provider add {thing.provider}`"
    if thing.kind not in maker.kinds:
        return f"{thing.provider} makes no {thing.kind.replace('_', ' ')} here yet"
    return ""


def _only(only: frozenset[str], before: Mapping[str, Thing], after: Mapping[str, Thing]) -> dict[str, Thing]:
    """The named things as they are wanted, and every other one as it is; what the named ones stand on comes along."""
    needed, waiting = set(only), list(only)
    while waiting:
        thing = after.get(waiting.pop())
        for _, name in thing.names if thing else ():
            if name not in needed and name not in before:
                needed.add(name)
                waiting.append(name)
    kept = {address: thing for address, thing in before.items() if address not in needed}
    return kept | {address: thing for address, thing in after.items() if address in needed}


def _judged(migration: Migration, wish: Wish, current: InfrastructureConfig, target: InfrastructureConfig) -> Migration:
    """The plan with what a month costs before and after, and what becomes of compliance."""
    now = {change.previous: change.address for change in migration.changes if change.previous}
    compliance = judged.compliance_of(current, target, wish.today, now)
    if wish.book is None:
        return replace(migration, compliance=compliance)
    return replace(
        migration,
        cost_before=judged.cost_of(current, wish.book, wish.today) if wish.resources else {},
        cost_after=judged.cost_of(target, wish.book, wish.today),
        compliance=compliance,
    )

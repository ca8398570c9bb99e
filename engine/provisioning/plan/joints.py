"""What references do not say: steps that need more than what they name, and what is protected against deletion."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from prov_judge.changes.things import Thing
from provisioning.plan.model import PlanStep, deposed
from stratumops.errors import ConflictError

PROTECTION = "deletion_protection"


def jointed(steps: Sequence[PlanStep], before: Mapping[str, Thing], after: Mapping[str, Thing]) -> list[PlanStep]:
    """The steps with what is missing between them."""
    found = [_after_subnets(step, steps, before, after) for step in steps]
    return [*found, *_joins(found, after)]


def require_unprotected(steps: Sequence[PlanStep], before: Mapping[str, Thing]) -> None:
    """Raises ConflictError naming everything that a plan would delete and that is protected against it.

    A deletion that the provider refuses in the middle would take back everything that was done before it.
    """
    held = sorted({address for step in steps if step.action == "delete" and (address := _protected(step, before))})
    if held:
        raise ConflictError(
            f"{', '.join(held)} {'is' if len(held) == 1 else 'are'} protected against deletion",
            hint=f"set {PROTECTION} = false there and apply that first; then plan this again",
            addresses=held,
        )


def _protected(step: PlanStep, before: Mapping[str, Thing]) -> str:
    address = step.address.removesuffix(deposed(""))
    thing = before.get(address)
    return address if thing is not None and thing.values.get(PROTECTION) is True else ""


def _after_subnets(
    step: PlanStep, steps: Sequence[PlanStep], before: Mapping[str, Thing], after: Mapping[str, Thing]
) -> PlanStep:
    """A NAT gateway, and a machine that names a network alone, stand in some subnet of it: the subnets come first and go last."""
    if step.action == "create" and (vpc := _network_alone(after.get(step.address))):
        needs = {
            f"create:{one.address}" for one in steps if one.action == "create" and _is_subnet_of(after.get(one.address), vpc)
        }
        return replace(step, needs=tuple(sorted({*step.needs, *needs})))
    if step.action == "delete" and step.address.startswith("subnet."):
        vpc = str(before[step.address].values["vpc"]) if step.address in before else ""
        gone = {one.id for one in steps if one.action == "delete" and vpc and _network_alone(before.get(one.address)) == vpc}
        return replace(step, needs=tuple(sorted({*step.needs, *gone})))
    return step


def _network_alone(thing: Thing | None) -> str:
    if thing is None:
        return ""
    if thing.kind == "nat":
        return str(thing.values["vpc"])
    networking = thing.values.get("networking") if thing.kind == "server" else None
    return str(networking["vpc"] or "") if networking and not networking.get("subnet") else ""


def _is_subnet_of(thing: Thing | None, vpc: str) -> bool:
    return thing is not None and thing.kind == "subnet" and thing.values["vpc"] == vpc


def _joins(steps: Sequence[PlanStep], after: Mapping[str, Thing]) -> list[PlanStep]:
    """Security groups that name each other are made without those rules, which are added when both are there."""
    needs = {step.id: set(step.needs) for step in steps}
    found = []
    for step in steps:
        thing = after.get(step.address)
        if step.action != "create" or thing is None or thing.kind != "security_group":
            continue
        named = sorted({target for field, target in thing.names if field.startswith("rules") and f"create:{target}" in needs})
        late = [target for target in named if target != thing.address and f"create:{target}" not in needs[step.id]]
        if late:
            found.append(
                PlanStep(
                    id=f"join:{thing.address}",
                    action="update",
                    address=thing.address,
                    provider=step.provider,
                    title=f"Add the rules of {thing.address} that name {', '.join(late)}",
                    wave=1,
                    needs=tuple(sorted({step.id, *(f"create:{target}" for target in late)})),
                    paths=tuple(sorted(path for path in thing.leaves if path.startswith("rules["))),
                    rollback=f"take them away from {thing.address} again",
                )
            )
    return found

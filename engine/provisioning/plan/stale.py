"""Whether a plan still fits what it was made for, and what has changed since, in sentences."""

from collections.abc import Mapping, Sequence

from provisioning.errors import PlanAlteredError, PlanSpentError, StalePlanError
from provisioning.plan.model import Plan, parsed
from provisioning.state.model import Head, Serial, StoredPlan

MOST_TOLD = 8


def opened(stored: StoredPlan) -> Plan:
    """The plan that is kept. Raises PlanAlteredError when it is not the one that its hash names."""
    try:
        plan = parsed(stored.body)
    except ValueError:
        plan = None
    if plan is None or plan.sha256 != stored.sha256 or plan.id != stored.id:
        raise PlanAlteredError(f"{stored.id} was altered after it was made", hint="make a new plan; nothing was done")
    return plan


def require_open(stored: StoredPlan, now: float) -> None:
    """Raises PlanSpentError when the plan was used or denied, or its time is over."""
    again = "make a new plan (`prov plan`)"
    if stored.used_by:
        raise PlanSpentError(f"{stored.id} was applied already, by {stored.used_by}", hint=again, operation=stored.used_by)
    if stored.denied_by:
        why = f": {stored.denied_why}" if stored.denied_why else ""
        raise PlanSpentError(f"{stored.id} was denied by {stored.denied_by}{why}", hint=again)
    if now >= stored.expires_at:
        raise PlanSpentError(f"{stored.id} has expired", hint=again)


def require_fresh(
    plan: Plan, head: Head, providers: Mapping[str, str], since: Sequence[Serial] = (), config_sha256: str | None = None
) -> None:
    """Raises StalePlanError with the differences when the state, a provider or the configuration's file is another one now.

    `since` are the serials after the plan's, for the words; `config_sha256` is that of the plan's file as it is now, None where
    it came from no file.
    """
    found = differences(plan, head, providers, since, config_sha256)
    if found:
        raise StalePlanError(
            f"{plan.id} does not fit any more: {found[0]}", hint="make a new plan and look at it again", differences=found
        )


def differences(
    plan: Plan, head: Head, providers: Mapping[str, str], since: Sequence[Serial] = (), config_sha256: str | None = None
) -> list[str]:
    """What is another than when the plan was made; nothing when it still fits."""
    basis = plan.basis
    found = []
    if basis.lineage != head.lineage:
        found.append(f"it was made for another state ({basis.lineage[:8]}, this one is {head.lineage[:8]})")
    elif basis.serial != head.serial:
        found.append(f"the state went from serial {basis.serial} to {head.serial}: {_changes(since) or 'nobody recorded what'}")
    for name, version in basis.providers.items():
        if providers.get(name) != version:
            found.append(f"the provider {name} was {version} and is {providers.get(name) or 'gone'}")
    if config_sha256 is not None and config_sha256 != basis.config_sha256:
        found.append(f"{plan.source or 'the configuration'} was changed since")
    return found


def _changes(since: Sequence[Serial]) -> str:
    words = {"create": "recorded", "update": "changed", "delete": "removed"}
    told = [
        f"{address} {words[action]} by {one.operation or one.by or 'somebody'}"
        for one in since
        for address, action in one.changes.items()
    ]
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return ", ".join(told[:MOST_TOLD]) + more

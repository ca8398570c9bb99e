"""Layer 2, plans: a machine's plan is one of the provider's machine sizes, a managed service's one of that service's plans.

Price lists of managed services are partial, so a name that only looks like the provider's is not refused (`plan_unlisted`):
an info where the machine that it names exists, such as db.r7g.large, else a warning.
"""

from collections.abc import Iterator, Sequence

from prov_corpus import PROVIDERS, prices
from prov_corpus.catalogue.managed_plans import ManagedPlans, managed_plans
from prov_corpus.catalogue.managed_sizes import ManagedKind, managed_sku
from prov_gen.effective import find_plan
from prov_gen.findings import Finding, Path, finding
from prov_gen.layers.suggest import Suggestions
from prov_gen.model.base import SIZES

_CALLED: dict[ManagedKind, str] = {"database": "database", "cache": "cache", "load_balancer": "load balancer"}
_CLOUDS = tuple(name for name in PROVIDERS if name != "local")


def check_machine_plan(plan: str, provider: str, where: Path, suggestions: Suggestions) -> Iterator[Finding]:
    """Findings about the plan of a server, of a cluster's nodes, or of a service that is built from machines."""
    if plan in SIZES or find_plan(provider, plan):
        return
    if plan.lower() in SIZES:
        yield _capitals(plan, where)
    elif provider == "local":
        message = f"the local provider has no plan {plan!r}"
        yield finding("plan_unknown", where, message, f"choose {', '.join(SIZES)}, or leave it out and state cpu and memory")
    elif others := [name for name in _CLOUDS if name != provider and find_plan(name, plan)]:
        yield _of_other(plan, provider, others[0], prices.plan_size(provider, "medium").name, where)
    else:
        near = suggestions.ask(("plan", provider, plan), lambda: prices.nearest_skus(provider, plan))
        fix = f"did you mean {', '.join(near)}?" if near else f"choose {', '.join(SIZES)}, or a SKU of {provider}"
        yield finding("plan_unknown", where, f"{provider} has no plan {plan!r}", fix)


def check_managed_plan(plan: str, kind: ManagedKind, provider: str, where: Path, suggestions: Suggestions) -> Iterator[Finding]:
    """Findings about the plan of a managed database, cache or load balancer."""
    known = managed_plans(provider, kind)
    if known is None:
        yield from check_machine_plan(plan, provider, where, suggestions)
        return
    if plan in SIZES or known.has_price(plan):
        return
    called = _CALLED[kind]
    if plan.lower() in SIZES:
        yield _capitals(plan, where)
    elif known.has_form(plan):
        yield _unlisted(plan, kind, known, where, suggestions)
    elif find_plan(provider, plan):
        message = f"{plan} is a size of {provider}'s machines, not of its {called}s"
        yield finding("plan_of_machines", where, message, _instead(plan, kind, known, suggestions))
    elif other := _seller(plan, kind, provider):
        example = managed_sku(provider, kind, "medium") or next(iter(known.listed), "medium")
        yield _of_other(plan, provider, other, example, where)
    else:
        message = f"{provider} has no {called} plan {plan!r}"
        yield finding("plan_unknown", where, message, _instead(plan, kind, known, suggestions))


def _unlisted(plan: str, kind: ManagedKind, known: ManagedPlans, where: Path, suggestions: Suggestions) -> Finding:
    called, near = _CALLED[kind], _nearest(plan, kind, known, suggestions)
    if known.is_likely(plan):
        message = f"the {called} plan {plan} is not in the price list of {known.provider}, so it has no price here"
        fix = f"import its price with `prov prices import`{f', or use {near[0]}' if near else ''}"
        return finding("plan_unlisted", where, message, fix)
    message = f"the {called} plan {plan} is not in the price list of {known.provider}, and no machine of that size is known"
    return finding("plan_unlisted", where, message, _instead(plan, kind, known, suggestions), severity="warning")


def _instead(plan: str, kind: ManagedKind, known: ManagedPlans, suggestions: Suggestions) -> str:
    near = _nearest(plan, kind, known, suggestions)
    if near:
        return f"did you mean {', '.join(near)}?"
    return f"choose {', '.join(SIZES)}, or a {_CALLED[kind]} plan of {known.provider}"


def _nearest(plan: str, kind: ManagedKind, known: ManagedPlans, suggestions: Suggestions) -> Sequence[str]:
    """The plan of the machine that was named, where there is one; else the likeliest names."""
    return known.of_machine(plan) or suggestions.nearest((kind, known.provider), plan, known.listed)


def _seller(plan: str, kind: ManagedKind, provider: str) -> str | None:
    """Another provider that sells such a plan, of this kind or as a machine."""
    for name in _CLOUDS:
        sold = managed_plans(name, kind)
        if name != provider and ((sold is not None and sold.has_price(plan)) or find_plan(name, plan)):
            return name
    return None


def _of_other(plan: str, provider: str, other: str, example: str, where: Path) -> Finding:
    fix = f"set provider = '{other}, or a plan of {provider} such as {example}"
    return finding("plan_of_other_provider", where, f"{plan} is a plan of {other}, not of {provider}", fix)


def _capitals(plan: str, where: Path) -> Finding:
    return finding("plan_unknown", where, f"sizes are written in lower case, not {plan!r}", f"write {plan.lower()}")

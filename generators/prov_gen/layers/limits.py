"""Layer 6: the provider's quotas, and the budget where somebody can say what the configuration costs."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Protocol

from prov_corpus import catalogue
from prov_gen.codes import Severity
from prov_gen.effective import machine_of, provider_of, region_of
from prov_gen.findings import Finding, Path, finding
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_FIELD, resources
from stratumops.errors import InvalidInputError


class Pricer(Protocol):
    """Who can say what a configuration costs; the cost estimate is one."""

    def monthly(self, config: InfrastructureConfig) -> Mapping[str, Decimal]:
        """Known cost of a month by currency (ISO 4217)."""
        ...


# Where a quota of this unit counts: in one region, or in the whole account. Other units are not counted across resources.
_SCOPES = {"per region": "region", "per account": "account", "per project": "account"}


def check_limits(config: InfrastructureConfig, pricer: Pricer | None, monthly_budget: float) -> Iterator[Finding]:
    """Findings about what is more than the account or the budget allows."""
    yield from _quotas(config)
    yield from _security_groups(config)
    yield from _budget(config, pricer, monthly_budget)


def _severity(quota: catalogue.Quota) -> Severity:
    """A fixed limit stops an apply; a published default that the provider raises on request may have been raised already."""
    if quota.approximate:
        return "info"
    return "warning" if quota.raisable else "error"


def _usage(config: InfrastructureConfig) -> dict[tuple[str, str], Counter[str]]:
    """How many of each kind there are by (provider, region); the region "" counts the whole account."""
    usage: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def count(provider: str, region: str, kind: str, number: int) -> None:
        usage[provider, region][kind] += number
        usage[provider, ""][kind] += number

    for item in resources(config):
        if item.kind.is_list:
            count(provider_of(item.record, config), region_of(item.record, config), item.kind.field, 1)
    for server in config.servers:
        place = provider_of(server, config), region_of(server, config)
        count(*place, "vcpus", round(machine_of(server, config).cpu))
        count(*place, "public_ips", int(server.networking.public_ip))
    if config.networking:
        count(config.provider, region_of(None, config), "networks", 1 + len(config.networking.vpcs))
    return usage


def _quotas(config: InfrastructureConfig) -> Iterator[Finding]:
    own = config.limits.quotas if config.limits else {}
    for (provider, region), counted in sorted(_usage(config).items()):
        published = {quota.kind: quota for quota in catalogue.quotas(provider)}
        for kind, count in counted.items():
            where = _place(kind)
            quota = published.get(kind)
            if kind in own:
                if not region and count > own[kind]:
                    message = f"{count} {kind} are more than the {own[kind]} that limits.quotas allows"
                    yield finding("quota_exceeded", where, message, "use fewer, or raise limits.quotas")
            elif quota and count > quota.limit and _SCOPES.get(quota.unit) == ("region" if region else "account"):
                message = f"{count} {kind} in {region or provider} are more than the {quota.limit} {quota.unit} of a new account"
                fix = f"ask {provider} for more and write limits.quotas.{kind}, or use fewer" if quota.raisable else "use fewer"
                yield finding("quota_exceeded", where, message, fix, severity=_severity(quota))


def _place(kind: str) -> Path:
    if kind in BY_FIELD:
        return (kind,)
    return ("networking",) if kind == "networks" else ("servers",)


def _security_groups(config: InfrastructureConfig) -> Iterator[Finding]:
    for index, group in enumerate(config.security_groups):
        published = {quota.kind: quota for quota in catalogue.quotas(provider_of(group, config))}
        quota = published.get("security_group_rules")
        for direction in ("ingress", "egress"):
            count = sum(len(rule.cidrs) + len(rule.groups) for rule in group.rules if rule.direction == direction)
            if quota and count > quota.limit:
                message = f"{group.name} has {count} {direction} rules; {quota.limit} {quota.unit} is the limit"
                yield finding(
                    "quota_exceeded",
                    ("security_groups", index, "rules"),
                    message,
                    "split the group",
                    severity=_severity(quota),
                )


def _budget(config: InfrastructureConfig, pricer: Pricer | None, setting: float) -> Iterator[Finding]:
    stated = config.limits.monthly_budget if config.limits else None
    budget = stated or setting
    if not budget:
        return
    where: Path = ("limits", "monthly_budget") if stated else ()
    currency = config.limits.currency if config.limits else "USD"
    if pricer is None:
        message = f"the budget of {budget:g} {currency} was not compared: no cost estimate is at hand"
        yield finding("budget_not_assessed", where, message)
        return
    try:
        costs = pricer.monthly(config)
    except InvalidInputError as error:  # a damaged price file must not hide what the other layers found
        message = f"the budget of {budget:g} {currency} was not compared: {error.message}"
        yield finding("budget_not_assessed", where, message, error.hint)
        return
    cost = costs.get(currency, Decimal(0))
    if cost > Decimal(str(budget)):
        message = f"a month costs at least {cost:.2f} {currency}, more than the budget of {budget:g}"
        yield finding("budget_exceeded", where, message, "choose smaller plans, or raise limits.monthly_budget")
    for other in sorted(set(costs) - {currency}):
        message = f"{costs[other]:.2f} {other} a month were not compared with a budget in {currency}"
        yield finding("budget_other_currency", where, message)

"""Plans of managed services: those that the price list holds, and the form of those that it may lack (managed_plans.toml)."""

import functools
import re
from dataclasses import dataclass

from prov_corpus.catalogue.managed_sizes import ManagedKind
from prov_corpus.catalogue.source import checked_provider, read_catalogue
from prov_corpus.prices.compute import find_sku
from prov_corpus.prices.services import service_prices


@dataclass(frozen=True, slots=True)
class ManagedPlans:
    """The plans of one kind at one provider. `listed` are those of the price list, sorted."""

    provider: str
    listed: tuple[str, ...]
    _forms: tuple[re.Pattern[str], ...]
    _by_parts: re.Pattern[str] | None

    def has_price(self, plan: str) -> bool:
        """Whether the price list holds the plan, for some engine, or can work it out from its cores and memory."""
        return plan in self.listed or bool(self._by_parts and self._by_parts.fullmatch(plan))

    def has_form(self, plan: str) -> bool:
        """Whether the provider names its plans like this one."""
        return any(form.fullmatch(plan) for form in self._forms)

    def of_machine(self, machine: str) -> tuple[str, ...]:
        """The listed plans that are named after a machine size: db.m5.large after m5.large."""
        endings = (f".{machine}", f"-{machine}", f"_{machine}")
        return tuple(plan for plan in self.listed if plan.endswith(endings)) if self._sells_machine(machine) else ()

    def is_likely(self, plan: str) -> bool:
        """Whether it has a form whose machine, where the form names one, the provider sells."""
        for found in filter(None, (form.fullmatch(plan) for form in self._forms)):
            machine = found.groupdict().get("machine")
            if machine is None or self._sells_machine(machine):
                return True
        return False

    def _sells_machine(self, machine: str) -> bool:
        sku = find_sku(self.provider, machine)
        return sku is not None and sku.name == machine


@functools.cache
def managed_plans(provider: str, kind: ManagedKind) -> ManagedPlans | None:
    """The plans of a kind; None where the provider has none and it is built from machines.

    Raises InvalidInputError for an unknown provider.
    """
    row = read_catalogue("managed_plans")[checked_provider(provider)].get(kind)
    if row is None:
        return None
    # An item's ending, such as :multi_az or :mysql, is no part of the plan's name.
    listed = {item.partition(":")[0] for _, service, item in service_prices(provider) if service == kind}
    by_parts = row.get("by_parts")
    forms = tuple(re.compile(form) for form in row.get("forms", ()))
    return ManagedPlans(provider, tuple(sorted(listed)), forms, re.compile(by_parts) if by_parts else None)

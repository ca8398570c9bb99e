"""Changes that would lower the bill, each with its own figure: what the resource costs before, less what it costs after."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from prov_gen.model.kinds import Item
from prov_judge.cost.changing import changed, with_fields
from prov_judge.cost.model import Part, ResourceCost, Saving
from prov_judge.cost.place import Pricing
from prov_judge.cost.proposal import Proposal, words
from prov_judge.cost.propose_machines import Machines
from prov_judge.cost.propose_network import nat
from prov_judge.cost.propose_storage import database_storage, root_disk, standby, unattached, volume_storage
from prov_judge.cost.rules import price_item

Proposer = Callable[[Any, Pricing], Iterator[Proposal]]

_PROPOSERS: Mapping[str, tuple[Proposer, ...]] = {
    "server": (root_disk,),
    "volume": (volume_storage, unattached),
    "database": (database_storage, standby),
    "networking": (nat,),
}


def savings(items: Sequence[Item], costs: Sequence[ResourceCost], pricing: Pricing) -> list[Saving]:
    """The proposals that truly cost less, the largest first. A change whose price is not known is no saving."""
    machines = Machines(pricing)
    found: list[Saving] = []
    for item, cost in zip(items, costs, strict=True):
        if cost.provider == "local":
            continue
        for proposal in _proposals(item, pricing, machines):
            amount = _saved(item, cost, proposal, pricing)
            if amount is not None and amount[0] > 0:
                found.append(_saving(item, cost, proposal, *amount))
    return sorted(found, key=lambda one: (-one.monthly, one.address, one.rule))


def _proposals(item: Item, pricing: Pricing, machines: Machines) -> Iterator[Proposal]:
    if item.kind.name == "server":
        yield from machines.server(item.record)
    elif item.kind.name == "kubernetes":
        yield from machines.workers(item.record)
    for proposer in _PROPOSERS.get(item.kind.name, ()):
        yield from proposer(item.record, pricing)


def _saving(item: Item, cost: ResourceCost, proposal: Proposal, monthly: Decimal, currency: str) -> Saving:
    change, why, needs_testing = words(proposal)
    return Saving(proposal.rule, item.path, cost.address, change, monthly, currency, why, needs_testing, proposal.fields)


def _saved(item: Item, cost: ResourceCost, proposal: Proposal, pricing: Pricing) -> tuple[Decimal, str] | None:
    """What a change takes off the bill, and in which currency; None where one of the prices is not known."""
    before, after = list(cost.parts), []
    if proposal.fields is not None:
        after = list(price_item(replace(item, record=with_fields(item.record, proposal.fields)), pricing).parts)
    else:
        without = Pricing(changed(pricing.config, item.path, None), pricing.book, pricing.usage, pricing.region)
        for plan in pricing.index.backups_of.get(item.record.name, ()):
            before += price_item(plan, pricing).parts
            after += price_item(plan, without).parts
    return _difference(before, after)


def _difference(before: Sequence[Part], after: Sequence[Part]) -> tuple[Decimal, str] | None:
    gone, new = list(before), []
    for part in after:
        if part in gone:
            gone.remove(part)
        else:
            new.append(part)
    currencies = {part.currency for part in (*gone, *new) if part.monthly is None or part.monthly}
    if len(currencies) != 1 or None in currencies:
        return None
    (currency,) = currencies
    assert currency is not None
    amount = sum((part.monthly or Decimal(0) for part in gone), Decimal(0))
    return amount - sum((part.monthly or Decimal(0) for part in new), Decimal(0)), currency

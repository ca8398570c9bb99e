"""Changes that would lower the bill, each with its own figure: what the resource costs before, less what it costs after."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from prov_gen.model.kinds import Item
from prov_judge.cost.changing import with_fields
from prov_judge.cost.managed import backups_of_target
from prov_judge.cost.model import Part, ResourceCost, Saving
from prov_judge.cost.place import Pricing
from prov_judge.cost.proposal import Basis, Proposal, basis, words
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
    """The proposals that truly cost less, the largest first, those that take something away after those that keep all.

    A change whose price is not known is no saving, nor is one that could only be told by comparing two regions' prices.
    """
    machines = Machines(pricing)
    found: list[Saving] = []
    for item, cost in zip(items, costs, strict=True):
        if cost.provider == "local":
            continue
        for proposal in _proposals(item, pricing, machines):
            amount = _saved(item, cost, proposal, pricing)
            if amount is not None and amount[0] > 0:
                found.append(_saving(item, cost, proposal, *amount))
    return sorted(found, key=lambda one: (one.takes_away, -one.monthly, one.address, one.rule))


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
    if proposal.fields is not None:
        changed = replace(item, record=with_fields(item.record, proposal.fields))
        return _difference(cost.parts, price_item(changed, pricing).parts)
    # What is taken away is no longer backed up either.
    gone = list(cost.parts)
    for plan in pricing.index.backups_of.get(item.record.name, ()):
        gone += backups_of_target(plan.record, item.record, pricing.place_of(plan.record))
    return _difference(gone, ())


def _difference(before: Sequence[Part], after: Sequence[Part]) -> tuple[Decimal, str] | None:
    was, now = Counter(map(_line, before)), Counter(map(_line, after))
    gone, new = was - now, now - was
    currencies = {line.currency for line in gone | new if line.monthly is None or line.monthly}
    if len(currencies) != 1 or None in currencies:
        return None
    if not {line.basis for line in new if line.monthly} <= {line.basis for line in gone if line.monthly}:
        return None
    (currency,) = currencies
    assert currency is not None
    return _sum(gone) - _sum(new), currency


@dataclass(frozen=True, slots=True)
class _Line:
    """What of a part decides whether it is the same one before and after."""

    name: str
    place: str
    unit: str
    quantity: Decimal
    currency: str | None
    monthly: Decimal | None
    basis: Basis | None


def _line(part: Part) -> _Line:
    return _Line(
        part.name, part.place, part.unit, part.quantity, part.currency, part.monthly, basis(part.price) if part.price else None
    )


def _sum(lines: Mapping[_Line, int]) -> Decimal:
    return sum(((line.monthly or Decimal(0)) * count for line, count in lines.items()), Decimal(0))

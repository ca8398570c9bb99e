"""Cheaper machines: a smaller plan, the family that took the place of an old one, arm64."""

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping

from prov_corpus import prices
from prov_corpus.catalogue import classify
from prov_gen.effective import find_plan
from prov_gen.model.base import SIZES
from prov_gen.model.kubernetes import KubernetesCluster
from prov_gen.model.server import Server
from prov_judge.cost.machines import sku_of
from prov_judge.cost.place import Place, Pricing
from prov_judge.cost.proposal import Proposal, basis, rule


@functools.cache
def _by_cores(provider: str) -> Mapping[int, tuple[prices.Sku, ...]]:
    found: dict[int, list[prices.Sku]] = defaultdict(list)
    for sku in prices.skus(provider).values():
        if sku.memory_gb is not None and classify(provider, sku.name).chosen:
            found[sku.vcpu].append(sku)
    return {cores: tuple(skus) for cores, skus in found.items()}


class Machines:
    """Proposals for machines; like machines of one configuration are looked up once."""

    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing
        self._known: dict[tuple[str, str, str], tuple[Proposal, ...]] = {}

    def server(self, record: Server) -> Iterator[Proposal]:
        """For a server. One without a plan has the cheapest that fits already, but for arm64."""
        place = self._pricing.place_of(record)
        name = sku_of(record, place)
        sku = prices.skus(place.provider).get(name) if name else None
        if sku is None:
            return
        if record.plan is not None:
            yield from _smaller(record, sku, place)
        for proposal in self._others(sku, place):
            if record.plan is not None or proposal.rule == "arm":
                yield proposal

    def workers(self, record: KubernetesCluster) -> Iterator[Proposal]:
        """For the first group of nodes of a cluster."""
        place = self._pricing.place_of(record)
        sku = find_plan(place.provider, record.workers.plan)
        if sku is None or record.workers.plan in SIZES:
            return
        for proposal in self._others(sku, place):
            yield Proposal(proposal.rule, {"workers.plan": proposal.said["plan"]}, proposal.said, proposal.needs_testing)

    def _others(self, sku: prices.Sku, place: Place) -> tuple[Proposal, ...]:
        key = place.provider, place.region, sku.name
        if key not in self._known:
            self._known[key] = tuple(_same_size(sku, place))
        return self._known[key]


def _same_size(sku: prices.Sku, place: Place) -> Iterator[Proposal]:
    """Machines with as many cores and no less memory: of the newer family, and on arm64."""
    if sku.memory_gb is None:
        return
    plan = classify(place.provider, sku.name)
    fitting = [one for one in _by_cores(place.provider).get(sku.vcpu, ()) if (one.memory_gb or 0) >= sku.memory_gb]
    newer = _cheapest([one for one in fitting if one.family == plan.newer], sku, place)
    if newer is not None:
        said = {"plan": newer.name, "before": sku.name, "newer": newer.family, "older": sku.family}
        yield Proposal("newer_family", {"plan": newer.name}, said)
    arm = _cheapest([one for one in fitting if one.arch == "arm64" and one.kind == sku.kind], sku, place)
    if sku.arch != "arm64" and arm is not None:
        yield Proposal("arm", {"plan": arm.name}, {"plan": arm.name, "before": sku.name})


def _smaller(record: Server, sku: prices.Sku, place: Place) -> Iterator[Proposal]:
    """A plan with what the configuration asks for, where the plan that it names has far more."""
    ratio: int = rule("smaller_plan")["ratio"]
    cpu, memory = record.spec.cpu, record.spec.memory_gb
    if cpu is None or memory is None or sku.memory_gb is None or sku.vcpu < ratio * cpu or sku.memory_gb < ratio * memory:
        return
    offers = [
        one
        for cores, skus in _by_cores(place.provider).items()
        if cores >= cpu
        for one in skus
        if one.arch == sku.arch and (one.memory_gb or 0) >= memory
    ]
    smaller = _cheapest(offers, sku, place)
    if smaller is not None:
        said = {"plan": smaller.name, "before": sku.name, "ratio": ratio, "cpu": cpu, "memory": memory}
        yield Proposal("smaller_plan", {"plan": smaller.name}, said, smaller.kind != sku.kind)


def _cheapest(offers: list[prices.Sku], instead_of: prices.Sku, place: Place) -> prices.Sku | None:
    """The cheapest of these machines, at a price that may be held against the other machine's.

    Where another region's price stands in for the machine's own, nothing is proposed as soon as one of the offers is sold in
    the machine's region: what is cheapest elsewhere may not be sold here, and two regions' prices are no comparison.
    """
    now = place.price("compute", instead_of.name)
    if now is None:
        return None
    priced = [
        (price, one) for one in offers if one.name != instead_of.name and (price := place.price("compute", one.name)) is not None
    ]
    if now.is_fallback and not all(price.is_fallback for price, _ in priced):
        return None
    like = [
        (price.amount, one.name, one)
        for price, one in priced
        if basis(price) == basis(now) and (price.currency, price.unit) == (now.currency, now.unit)
    ]
    return min(like)[2] if like else None

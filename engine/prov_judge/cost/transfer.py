"""What public resources send to the internet."""

from collections.abc import Iterator
from decimal import Decimal

from prov_gen.model.data import Bucket
from prov_gen.model.network import LoadBalancer
from prov_gen.model.server import Server
from prov_judge.cost.amount import Amount
from prov_judge.cost.assumptions import assumed, billing, reason
from prov_judge.cost.model import Part
from prov_judge.cost.place import Place
from prov_judge.cost.tiers import tiered


def to_the_internet(record: Server | LoadBalancer | Bucket, place: Place) -> Iterator[Part]:
    """Data that leaves the provider, beyond what is free. A line at home is paid for already.

    What a whole account may send for nothing goes to its resources by kind and name, as far as it reaches.
    """
    amount, notes = assumed("internet"), [reason("internet")]
    free = billing(place.provider).get("free_internet_gb")
    if free:
        before = place.pricing.index.senders_before(record, place.provider)
        amount = amount.map(lambda each: max(Decimal(0), each - max(Decimal(0), free - before * each)))
        notes.append(f"the first {free:,} GB a month of all resources together are free")
    yield from _sent(place, "Data to the internet", "internet", amount, notes)


def between_regions(place: Place, name: str, size: Amount) -> Iterator[Part]:
    """Data to a copy of so many GB elsewhere; at the price of the internet where regions have none of their own."""
    item = "regions" if place.price("transfer", "regions") else "internet"
    yield from _sent(place, name, item, size.share(assumed("copied")), [reason("copied")])


def _sent(place: Place, name: str, item: str, amount: Amount, notes: list[str]) -> Iterator[Part]:
    if place.is_local:
        return
    included = billing(place.provider).get("included_internet_gb")
    if included:
        amount = amount.beyond(Decimal(included))
        notes = [*notes, f"{included:,} GB a month are included"]
    yield from tiered(place, name, "transfer", item, "GB", amount, notes=notes)

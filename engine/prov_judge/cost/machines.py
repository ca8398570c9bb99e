"""Servers: compute, root disk, public address, backups; and machines as nodes of clusters and hosts of databases."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from prov_corpus import prices
from prov_gen.effective import cheapest, find_plan, machine_of
from prov_gen.model.base import SIZES
from prov_gen.model.server import Server
from prov_judge.cost.amount import ONE, Amount, exact
from prov_judge.cost.assumptions import billing
from prov_judge.cost.model import Part
from prov_judge.cost.place import OWN_HARDWARE, Place
from prov_judge.cost.storage import disk, snapshots
from prov_judge.cost.transfer import to_the_internet

_HOURS = Decimal(prices.HOURS_PER_MONTH)


def server(record: Server, place: Place) -> Iterator[Part]:
    """Everything that is billed for a server."""
    spec = record.spec
    sku = sku_of(record, place)
    if place.is_local:
        machine = machine_of(record, place.pricing.config)
        yield from own_machine(place, machine.cpu, machine.memory_gb)
    elif sku is None:
        size = f"{spec.cpu} vCPU and {spec.memory_gb:g} GB" if spec.memory_gb else f"{spec.cpu} vCPU"
        yield place.missing("Compute", f"no machine with {size} is in the price list: name a plan", "hours")
    else:
        yield compute(place, sku)
    yield from root_disk(place, spec.disk_gb, spec.disk_type, spec.disk_iops)
    if has_public_ip(record, place):
        yield place.lasting("Public IPv4 address", "public_ip", "ipv4")
        yield from to_the_internet(record, place)
    if record.backup and record.backup.enabled:
        share = prices.share_of_server(place.provider, "backups")
        if share and sku:
            yield compute(place, sku, name="Backups", share=share, note=f"{share:.0%} of the server's price")
        else:
            yield snapshots(place, Amount.of(spec.disk_gb), record.backup)


def sku_of(record: Server, place: Place) -> str | None:
    """The SKU that a server is billed as; a plan that no catalogue knows may still have a negotiated price."""
    config = place.pricing.config
    if place.is_local:
        return None
    if record.plan and record.plan not in SIZES:
        return record.plan
    if record.plan is None and place.pricing.region is not None:
        found = cheapest(place.provider, record.spec.cpu or 2, record.spec.memory_gb or 4, place.region)
        return found.name if found else None
    return machine_of(record, config).sku


def compute(
    place: Place, sku: str, count: Amount = ONE, *, name: str = "Compute", share: Decimal = Decimal(1), note: str = ""
) -> Part:
    """So many machines of a SKU for a whole month, after the provider's discount for that."""
    notes = [note] if note else []
    factor = share
    price = place.price("compute", sku)
    discount = prices.sustained_use_discount(place.provider, sku.partition("-")[0])
    if discount and price and price.origin != "negotiated":
        factor *= 1 - discount
        notes.append(f"{discount:.0%} sustained-use discount for a whole month")
    made = place.lasting(f"{name} ({sku})", "compute", sku, count, notes=notes, factor=factor)
    unpriced = billing(place.provider).get("unpriced_machines")
    if made.price is None and unpriced and re.search(unpriced["match"], sku) and prices.find_sku(place.provider, sku):
        return replace(made, hint=unpriced["hint"])
    return made


def node(place: Place, plan: str, count: Amount, name: str) -> Iterator[Part]:
    """Like machines by plan: nodes of a cluster, hosts of a database. Without their disks."""
    sku = find_plan(place.provider, plan)
    if place.is_local:
        cpu, memory = (sku.vcpu, sku.memory_gb) if sku else (2, 4.0)
        yield from own_machine(place, cpu, memory, count)
    else:
        yield compute(place, sku.name if sku else plan, count, name=name)


def own_machine(place: Place, cpu: float, memory_gb: float | None, count: Amount = ONE) -> Iterator[Part]:
    """A machine at home: nothing, or the user's own rate for cores and memory."""
    rates = [place.pricing.book.machine("local", place.region, item) for item in ("vcpu", "memory_gb")]
    if not any(rates):
        yield place.free("Compute", OWN_HARDWARE)
        return
    yield place.own("vCPU (own rate)", "vcpu", "hours", count.times(exact(cpu) * _HOURS))
    if memory_gb is not None:
        yield place.own("Memory in GB (own rate)", "memory_gb", "hours", count.times(exact(memory_gb) * _HOURS))


def root_disk(
    place: Place, size_gb: int, type_: str | None, iops: int | None = None, count: Amount = ONE, name: str = "Root disk"
) -> Iterator[Part]:
    """The disk that a machine starts from, where it is not part of the machine's price."""
    if billing(place.provider)["root_disk_included"]:
        yield place.free(name, "the plan's own disk is in its price; what is larger needs a volume")
    else:
        yield from disk(place, name, type_ or "ssd", size_gb, iops=iops, count=count)


def has_public_ip(record: Server, place: Place) -> bool:
    """Whether a server gets a public address, by its own word or its subnet's."""
    return record.networking.public_ip or record.networking.subnet in place.pricing.index.addressed_subnets

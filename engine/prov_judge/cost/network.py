"""Networks, NAT gateways, load balancers, DNS zones."""

from collections.abc import Iterator
from decimal import Decimal

from prov_corpus import catalogue
from prov_corpus.catalogue import SIZES
from prov_corpus.catalogue.managed_sizes import managed_sku
from prov_gen.effective import is_managed, provider_of
from prov_gen.model.network import DnsZone, LoadBalancer, Networking, SecurityGroup
from prov_judge.cost.amount import Amount
from prov_judge.cost.assumptions import billing
from prov_judge.cost.clusters import nodes_of
from prov_judge.cost.machines import has_public_ip
from prov_judge.cost.model import Part
from prov_judge.cost.place import Place
from prov_judge.cost.transfer import to_the_internet

_USUAL_ZONES = 3


def networking(record: Networking, place: Place) -> Iterator[Part]:
    """A network itself costs nothing; NAT gateways, what passes them, and flow logs do."""
    yield place.lasting("Network and subnets", "network", "standard")
    if record.nat != "none":
        yield from _nat(record, place)
    logged = [record.name] if record.flow_logs else []
    logged += [vpc.name for vpc in record.vpcs if vpc.flow_logs]
    if place.sells("logs"):
        for name in logged:
            yield place.used(f"Flow logs of {name}", "logs", "ingest", "GB", "flow_logs")


def _nat(record: Networking, place: Place) -> Iterator[Part]:
    count, note = nat_gateways(record, place)
    gateways = Amount.of(count)
    most: int | None = billing(place.provider).get("nat_machines")
    machines = None if most is None else nat_machines(place)
    if most is None or machines is None or machines.at("small") > most * count:
        yield place.lasting("NAT gateways", "nat", "gateway", gateways, notes=note)
    else:
        billed = machines.map(lambda number: min(number, Decimal(most * count)))
        notes = (*note, f"billed by the machines without a public address that use it, {most} for each gateway at most")
        yield place.lasting("NAT gateways, by machine", "nat", "vm", billed, notes=notes)
    if not place.sells("nat"):
        return
    yield place.used("Data through NAT", "nat_data", "standard", "GB", "nat")
    if "nat" in billing(place.provider).get("addresses_billed", ()):
        yield place.lasting("Public IPv4 addresses of NAT", "public_ip", "ipv4", gateways)


def nat_machines(place: Place) -> Amount:
    """The machines of a provider that reach the internet through its gateways: servers without a public address, and nodes."""
    config = place.pricing.config
    servers = [one for one in config.servers if provider_of(one, config) == place.provider and not has_public_ip(one, place)]
    found = Amount.of(len(servers))
    for record in config.clusters:
        if provider_of(record, config) == place.provider:
            if not is_managed(record, place.provider):
                found = found.plus(Amount.of(record.control_plane.count))
            for group in (record.workers, *record.node_groups):
                found = found.plus(nodes_of(group))
    return found


def nat_gateways(record: Networking, place: Place) -> tuple[int, tuple[str, ...]]:
    """How many gateways there are: one, or one in each zone that is used."""
    if record.nat == "single":
        return 1, ()
    index = place.pricing.index
    if index.subnet_zones:
        return len(index.subnet_zones), (f"one in each of {', '.join(index.subnet_zones[:6])}",)
    region = catalogue.regions(place.provider).get(place.region)
    known = len(region.zones) if region else 0
    count = max(min(_USUAL_ZONES, known), len(index.machine_zones), 1)
    return count, (f"no subnet names a zone: {count} assumed",)


def security_group(_: SecurityGroup, place: Place) -> Iterator[Part]:
    """The rules of a firewall."""
    yield place.lasting("Rules", "security_group", "standard")


def load_balancer(record: LoadBalancer, place: Place) -> Iterator[Part]:
    """The balancer, its capacity or data, addresses, and the firewall before it."""
    rules = billing(place.provider)
    item = balancer_item(record, place.provider)
    yield place.lasting(f"Load balancer ({item})", "load_balancer", item)
    if record.kind in rules.get("balancer_capacity", ()):
        yield place.used("Capacity units", "load_balancer_capacity", record.kind, "LCU", "balancer_capacity")
    if record.kind in rules.get("balancer_data", ()):
        yield place.used("Data processed", "load_balancer_data", "standard", "GB", "balancer_data")
    if record.scheme == "public":
        if "balancer" in rules.get("addresses_billed", ()):
            least: int | None = rules.get("balancer_address_subnets")
            count = 1 if least is None else max(least, len(set(record.subnets)))
            notes = () if least is None else (f"one in each subnet, {least} at least",)
            yield place.lasting("Public IPv4 addresses", "public_ip", "ipv4", Amount.of(count), notes=notes)
        yield from to_the_internet(record, place)
    if record.waf:
        yield place.lasting("Web application firewall", "waf", "acl")
        if place.sells("waf"):
            yield place.used("Requests through the firewall", "waf_requests", "standard", "1M requests", "waf_requests")


def balancer_item(record: LoadBalancer, provider: str) -> str:
    """The item of the price list: a plan, a size, the smallest one where balancers have sizes, else the kind."""
    if record.plan and record.plan not in SIZES:
        return record.plan
    return managed_sku(provider, "load_balancer", record.plan or SIZES[0]) or record.kind


def dns_zone(record: DnsZone, place: Place) -> Iterator[Part]:
    """A zone and the questions to it."""
    yield place.lasting("Zone", "dns", "zone")
    if place.sells("dns") and not record.private:
        yield place.used("Queries", "dns_queries", "standard", "1M queries", "dns_queries")

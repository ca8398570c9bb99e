"""Further networks beside the configuration's own, and the routes between them."""

from ipaddress import ip_network
from typing import Any

from prov_gen.understand.mentions import Mention
from prov_gen.understand.naming import Names, slug
from prov_gen.understand.records import Made
from prov_gen.understand.site import Site
from stratumops.errors import InvalidInputError

MOST_NETWORKS = 64
_FREE = ("10.0.0.0/16", *(f"10.{block}.0.0/16" for block in range(1, 256)), *(f"172.{block}.0.0/16" for block in range(16, 32)))


def build_vpcs(site: Site) -> None:
    """The second and further networks that were described, each with its addresses; routes where peering was said."""
    made = site.of("network")
    count = sum(max(1, one.head.count or 1) for one in made)
    network: dict[str, Any] | None = site.draft.config.get("networking")
    if network is None or count < 2:
        return
    if count > MOST_NETWORKS:
        raise InvalidInputError(f"{count:,} networks are too many", hint=f"describe at most {MOST_NETWORKS}")
    cidrs = [mention for phrase in site.phrases for mention in phrase.mentions if mention.category == "vpc_cidr"]
    names = Names()
    named = [_name(site, made, mention, names) for mention in cidrs]
    while len(named) < count:
        named.append((None, names.take("network", 1)[0]))
    taken = [ip_network(mention.value) for mention in cidrs]
    free = (cidr for cidr in _FREE if not any(ip_network(cidr).overlaps(other) for other in taken))
    if named[0][0] is not None:
        network["name"] = named[0][1]
        site.draft.understood(named[0][0], "networking.name", named[0][1])
    further: list[dict[str, Any]] = []
    for index, (word, name) in enumerate(named[1:count]):
        path = f"networking.vpcs[{index}]"
        vpc = {"name": name}
        if index + 1 < len(cidrs):
            vpc["cidr"] = str(cidrs[index + 1].value)
            site.draft.understood(cidrs[index + 1], f"{path}.cidr", vpc["cidr"])
        else:
            vpc["cidr"] = next(free, "")
            if not vpc["cidr"]:
                raise InvalidInputError("no addresses are left for further networks", hint="name the addresses of each network")
            site.draft.assume(f"{path}.cidr", vpc["cidr"], "no addresses were named; these are free")
        if word is not None:
            site.draft.understood(word, f"{path}.name", name)
            if word.category == "environment":
                vpc["environment"] = str(word.value)
        further.append(vpc)
    network["vpcs"] = further
    _peer(site, network, further)


def _name(site: Site, made: list[Made], cidr: Mention, names: Names) -> tuple[Mention | None, str]:
    """The word before a network's addresses, or before the word "VPC", that names it."""
    mentions = [mention for phrase in site.phrases for mention in phrase.mentions if mention.start < cidr.start]
    for mention in reversed(mentions[-4:]):
        if mention.category == "vpc_cidr":
            break
        if mention.category in {"unknown", "environment", "name", "role"}:
            return mention, names.take_exactly(slug(site.draft.phrase(mention.start, mention.end)) or "network")
    return None, names.take("main" if cidr.start < made[-1].head.end and not names.is_taken("main") else "network", 1)[0]


def _peer(site: Site, network: dict[str, Any], further: list[dict[str, Any]]) -> None:
    said = [
        mention
        for phrase in site.phrases
        for mention in phrase.mentions
        if mention.category == "flag" and mention.value == "peering" and not mention.negated
    ]
    if said:
        network["peerings"] = [
            {"name": f"to-{vpc['name']}"[:63], "peer": vpc["name"], "peer_cidr": vpc["cidr"]} for vpc in further
        ]
        for mention in said:
            site.draft.understood(mention, "networking.peerings", [vpc["name"] for vpc in further])

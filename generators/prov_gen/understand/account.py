"""What holds for the whole configuration: environment, tags, budget, zones, monitoring, the account's protections."""

from prov_gen.understand.applicability import effect_of
from prov_gen.understand.draft import Draft, get_path, set_path
from prov_gen.understand.mentions import Mention
from stratumops.errors import InvalidInputError


def apply_account(draft: Draft, attributes: list[Mention], environment: str, *, several_networks: bool) -> None:
    """Write the attributes that belong to no single thing. With several networks, the first addresses are the own one's."""
    for mention in attributes:
        if mention.category == "environment":
            if not (several_networks and any(cidr.start == mention.end for cidr in attributes if cidr.category == "vpc_cidr")):
                _environment(draft, mention)
        elif mention.category == "money":
            amount, currency = mention.value
            if amount > 0 and draft.resource_type is None:
                draft.config["limits"] = {"monthly_budget": amount, "currency": currency}
                draft.understood(mention, "limits.monthly_budget", amount)
        elif mention.category == "pair":
            _tag(draft, mention)
        elif mention.category == "email":
            if draft.resource_type is None:
                set_path(draft.config, "monitoring.enabled", value=True)
                draft.config["monitoring"].setdefault("notify", []).append(mention.value)
                draft.understood(mention, "monitoring.notify", mention.value)
        elif mention.category == "closed":
            draft.understood(mention, "security_groups", "closed")
        elif mention.category == "vpc_cidr" and several_networks and get_path(draft.config, "networking.vpc_cidr"):
            continue  # a further network's
        else:
            _effect(draft, mention)
    if "environment" not in draft.config:
        draft.config["environment"] = environment
        draft.assume("environment", environment, "no environment was named")


def _environment(draft: Draft, mention: Mention) -> None:
    before = draft.config.get("environment")
    if before not in (None, mention.value):
        draft.find("contradiction", f"the environment is {before} and {mention.value}", "describe one environment", "environment")
        draft.leave(mention, f"the environment is {before} already")
        return
    draft.config["environment"] = mention.value
    draft.understood(mention, "environment", mention.value)


def _tag(draft: Draft, mention: Mention) -> None:
    key, _, value = mention.value.partition("=")
    value = value.strip('"')
    if not value or len(value) > 256 or len(key) > 128:
        draft.leave(mention, "a tag is key=value with at most 256 characters")
        return
    tags = draft.config.setdefault("tags", {})
    if tags.get(key, value) != value:
        draft.leave(mention, f"the tag {key} is {tags[key]} already")
        return
    tags[key] = value
    draft.understood(mention, f"tags.{key}", value)


def _effect(draft: Draft, mention: Mention) -> None:
    is_flag = mention.category == "flag"
    path = str(effect_of(mention).get("config", "")).removeprefix("/")
    if not path:
        return
    if not draft.allows(path.split(".")[0]):
        draft.leave(mention, f"left out: the resource type is {draft.resource_type}")
        return
    value = not mention.negated if is_flag else mention.value
    before = get_path(draft.config, path)
    if before not in (None, value):
        draft.leave(mention, f"{before} was said before it")
        return
    set_path(draft.config, path, value)
    draft.understood(mention, path, value)


def count_zones(draft: Draft, attributes: list[Mention]) -> int | None:
    """ "Three availability zones": how many are used."""
    counts = [mention for mention in attributes if mention.category == "zones"]
    for mention in counts:
        if not 1 <= mention.value <= 16:
            raise InvalidInputError(f"{mention.value} availability zones are not offered anywhere", hint="name one to six zones")
        draft.understood(mention, "zones", mention.value)
    return int(counts[0].value) if counts else None

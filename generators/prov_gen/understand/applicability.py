"""Which attribute can be said of which kind of thing."""

from typing import Any

from prov_gen.understand.lexicon import effects
from prov_gen.understand.mentions import Mention

_SIZED = frozenset({"server", "volume", "database", "file_system", "bucket", "cache", "worker", "cluster"})
_WITH_DOMAIN = frozenset({"dns_zone", "certificate", "load_balancer"})
_NAMED = frozenset({"name", "quoted"})


def effect_of(mention: Mention) -> dict[str, Any]:
    """What an attribute changes, by kind; empty when it is none."""
    table = effects()["flag"] if mention.category == "flag" else effects()["value"]
    found: dict[str, Any] = table.get(str(mention.value) if mention.category == "flag" else mention.category, {})
    return found


def accepts(kind: str, mention: Mention) -> bool:
    """Whether an attribute can be said of a kind."""
    category = mention.category
    if kind == "pool":
        return category in {"name", "quoted"} or (category != "role" and accepts("worker", mention))
    if category in _NAMED:
        return kind not in {"node", "worker", "control_plane", "nat"}
    if category == "noun":
        return mention.value in {"disk", "storage", "memory", "root_disk"} and kind in _SIZED
    if category == "size_gb":
        return kind in _SIZED
    if category == "rule":
        return kind in {"server", "database", "cache", "security_group", "load_balancer", "workload"}
    if category == "domain":
        return kind in _WITH_DOMAIN
    return kind in effect_of(mention)


def belongs_to_all(mention: Mention) -> bool:
    """Whether it can be said of the whole configuration."""
    return "config" in effect_of(mention)


def spreads(mention: Mention) -> bool:
    """Whether it holds for everything before it when it stands on its own."""
    return bool(effect_of(mention).get("spread")) or mention.category in {"schedule", "backup_days"}

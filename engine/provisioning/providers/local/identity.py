"""How things are named and marked at LXD: `user.` keys in the config of networks, instances and volumes."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Wanted

ADDRESS, LINEAGE, NAME, OS = "user.prov.id", "user.prov.lineage", "user.prov.name", "user.prov.os"
TAG: Final = "user.tag."
BACKUP_OF: Final = "user.prov.backup.of"

# As long as a network interface may be called, with room for a container's own interfaces.
_BRIDGE = "pv"


def short(*words: str) -> str:
    """Ten hexadecimal digits that stand for some words."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:10]


def instance_name(wanted: Wanted, attempt: int = 0) -> str:
    """The name of a container or volume: a person recognises it, and two workspaces never choose the same one."""
    readable = re.sub(r"[^a-z0-9]+", "-", wanted.name.lower()).strip("-")[:40].rstrip("-") or "x"
    # A host name begins with a letter.
    return f"{readable if readable[0].isalpha() else f'n{readable}'}-{_digits(wanted, attempt)}"


def bridge_name(wanted: Wanted, attempt: int = 0) -> str:
    """The name of a bridge: at most fifteen letters, as Linux takes it."""
    return f"{_BRIDGE}{_digits(wanted, attempt)}"


def _digits(wanted: Wanted, attempt: int) -> str:
    return short(wanted.tags.get(TAG_LINEAGE, ""), wanted.address, str(attempt))


def marks(wanted: Wanted) -> dict[str, str]:
    """The keys that say whose something is and what it is called, and its tags."""
    found = {
        ADDRESS: wanted.address,
        LINEAGE: wanted.tags.get(TAG_LINEAGE, ""),
        NAME: str(wanted.values.get("name", wanted.name)),
    }
    own = {f"{TAG}{key}": value for key, value in wanted.tags.items() if key not in {TAG_ADDRESS, TAG_LINEAGE}}
    return found | own


def mark(config: dict[str, str], wanted: Wanted) -> None:
    """Write the marks into a config, and take away tags that are wanted no more."""
    for key in [key for key in config if key.startswith(TAG)]:
        del config[key]
    config.update(marks(wanted))


def own_tags(config: Mapping[str, str]) -> dict[str, str]:
    """The tags of the configuration that a config holds."""
    return {key.removeprefix(TAG): value for key, value in sorted(config.items()) if key.startswith(TAG)}


def tags(config: Mapping[str, str]) -> dict[str, str]:
    """All tags, those of the engine among them."""
    engine = {TAG_ADDRESS: config.get(ADDRESS, ""), TAG_LINEAGE: config.get(LINEAGE, "")}
    return own_tags(config) | {key: value for key, value in engine.items() if value}


def is_of(config: Mapping[str, str], wanted: Wanted) -> bool:
    """Whether a config is marked as the wanted thing."""
    marked = (config.get(ADDRESS), config.get(LINEAGE, ""))
    return BACKUP_OF not in config and marked == (wanted.address, wanted.tags.get(TAG_LINEAGE, ""))

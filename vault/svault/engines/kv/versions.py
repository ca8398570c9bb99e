"""What is kept about a secret of KV version 2: its versions, and the rules that hold for the next ones."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from svault.logical import rfc3339

DEFAULT_MAX_VERSIONS = 10
MAX_VERSIONS = (1 << 32) - 1
COMMIT_LIMIT = 400
"""How many versions one commit removes at most; the rest goes with the next one."""


def shown_lifetime(seconds: int) -> str:
    """A lifetime as the API answers it, in Go's form with every unit below the first: `1h0m0s`, `1m30s`, `-1s`."""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{sign}{minutes}m{rest}s" if minutes else f"{sign}{rest}s"
    return f"{sign}{minutes // 60}h{minutes % 60}m{rest}s"


@dataclass(frozen=True, slots=True)
class KvConfig:
    """The rules of the mount. `delete_version_after` is seconds, 0 for never, negative when keys may not say otherwise."""

    max_versions: int = 0
    cas_required: bool = False
    delete_version_after: int = 0
    metadata_cas_required: bool = False

    def shown(self) -> dict[str, Any]:
        """As the API answers it."""
        return {**asdict(self), "delete_version_after": shown_lifetime(self.delete_version_after)}


class Version(NamedTuple):
    """One version. Times are seconds since the epoch; `deleted` may lie ahead, 0 is never."""

    created: float
    deleted: float = 0.0
    is_destroyed: bool = False

    def is_readable(self, now: float) -> bool:
        """Whether the value may be read."""
        return not self.is_destroyed and not (self.deleted and self.deleted <= now)

    def shown(self) -> dict[str, Any]:
        """As the API answers it."""
        return {
            "created_time": rfc3339(self.created),
            "deletion_time": rfc3339(self.deleted) if self.deleted else "",
            "destroyed": self.is_destroyed,
        }


@dataclass(slots=True)
class KeyMetadata:
    """A secret without its values."""

    created: float
    updated: float
    current: int = 0
    oldest: int = 0
    revision: int = 0
    """Counts the writes of the rules below: what `metadata_cas` is compared with."""
    max_versions: int = 0
    cas_required: bool = False
    metadata_cas_required: bool = False
    delete_version_after: int = 0
    custom: dict[str, str] | None = None
    versions: dict[str, Sequence[Any]] = field(default_factory=dict)
    """The facts of each `Version` by its number as text, the oldest first: as stored, since most requests need only one."""

    def version(self, number: int) -> Version | None:
        """A version that is known."""
        facts = self.versions.get(str(number))
        return None if facts is None else Version(*facts)

    def keep(self, number: int, version: Version) -> None:
        """Set the facts of a version."""
        self.versions[str(number)] = version

    def entry(self) -> dict[str, Any]:
        """What is stored."""
        return {name: getattr(self, name) for name in self.__slots__}

    def add(self, now: float, config: KvConfig) -> list[str]:
        """Count a new version that is created now; returns the numbers of those that are too many with it, and forgets them."""
        self.current += 1
        self.updated = now
        self.keep(self.current, Version(now, self.ends(now, config)))
        limit = max(self.max_versions, config.max_versions) or DEFAULT_MAX_VERSIONS
        return self.forget(len(self.versions) - limit)

    def forget(self, count: int) -> list[str]:
        """Forget that many of the oldest versions, but at most COMMIT_LIMIT; returns their numbers."""
        dropped = list(islice(self.versions, min(max(count, 0), COMMIT_LIMIT)))
        for number in dropped:
            del self.versions[number]
        if dropped:
            self.oldest = int(next(iter(self.versions), 0))
        return dropped

    def ends(self, now: float, config: KvConfig) -> float:
        """When a version that is made or undeleted now counts as deleted: after the shorter of the mount's and the key's times.

        0 when neither says a time, or the mount forbids it.
        """
        if config.delete_version_after < 0:
            return 0.0
        times = [after for after in (config.delete_version_after, self.delete_version_after) if after > 0]
        return now + min(times) if times else 0.0

    def facts(self, number: int, version: Version) -> dict[str, Any]:
        """What is answered beside a version's value."""
        return {**version.shown(), "custom_metadata": self.custom, "version": number}

    def shown(self) -> dict[str, Any]:
        """As the API answers it."""
        return {
            "cas_required": self.cas_required,
            "created_time": rfc3339(self.created),
            "current_metadata_version": self.revision,
            "current_version": self.current,
            "custom_metadata": self.custom,
            "delete_version_after": shown_lifetime(self.delete_version_after),
            "max_versions": self.max_versions,
            "metadata_cas_required": self.metadata_cas_required,
            "oldest_version": self.oldest,
            "updated_time": rfc3339(self.updated),
            "versions": {number: Version(*facts).shown() for number, facts in self.versions.items()},
        }

"""Drift: how what is recorded differs from what is there. Looks, writes down what it saw, and changes nothing.

Only what a provider can observe is compared (`resource.Found.values`). All providers are asked at the same time; one that fails
is told with its error, and what the others saw is kept.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from prov_judge.changes.leaves import canonical, leaves
from prov_judge.changes.masking import shown
from provisioning.providers.base import Provider
from provisioning.resource import TAG_LINEAGE, Found, Recorded
from provisioning.secrets import SEALED
from provisioning.state.store import StateStore, Write
from provisioning.workflow.calls import said
from stratumops.handles import is_handle

Verdict = Literal["in_sync", "changed", "missing"]
CHUNK = 200
"""How many resources one question to a provider is about."""
AT_ONCE = 8
"""How many questions are on their way at the same time, to all providers together."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A leaf that is another one than recorded; secrets hidden, None where it is not there."""

    path: str
    recorded: Any
    seen: Any


@dataclass(frozen=True, slots=True)
class Drift:
    """How one recorded resource is."""

    address: str
    kind: str
    provider: str
    id: str
    verdict: Verdict
    status: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """Something at a provider that the state does not have; `is_ours` when it carries this state's tag."""

    provider: str
    kind: str
    id: str
    name: str
    address: str
    is_ours: bool
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What a look saw. `errors` are the providers that could not be asked, with why; theirs are not among the resources."""

    resources: tuple[Drift, ...]
    unmanaged: tuple[Unmanaged, ...]
    errors: Mapping[str, str]
    checked_at: float

    @property
    def is_in_sync(self) -> bool:
        """Whether everything was seen and nothing differs; what others made in the account does not count."""
        same = all(one.verdict == "in_sync" for one in self.resources)
        return same and not self.errors and not any(one.is_ours for one in self.unmanaged)

    def count(self, verdict: Verdict) -> int:
        """How many resources are like that."""
        return sum(1 for one in self.resources if one.verdict == verdict)


@dataclass(frozen=True, slots=True)
class _Seen:
    found: Mapping[str, Found | None]
    others: Sequence[Found]
    error: str = ""


def look(
    store: StateStore,
    provider: Callable[[str], Provider],
    *,
    only: frozenset[str] | None = None,
    providers: frozenset[str] = frozenset(),
    everything: bool = False,
    by: str = "",
) -> DriftReport:
    """Look at all that is recorded (or `only` these addresses) and write down what was seen.

    What carries this state's tag and is not recorded is told as unmanaged; with `everything` all that the accounts have. That is
    asked of the providers that the state names and of `providers`, and not when only some addresses are looked at. Raises nothing
    that a provider raises: that stands in the report.
    """
    recorded = [one for one in store.resources() if only is None or one.address in only]
    lineage = store.head().lineage
    by_provider: dict[str, list[Recorded]] = {name: [] for name in sorted(providers)}
    for one in recorded:
        by_provider.setdefault(one.provider, []).append(one)
    tags = {} if everything else {TAG_LINEAGE: lineage}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="drift") as pool:
        asked = {
            name: (
                [pool.submit(_read, provider, name, ones[start : start + CHUNK]) for start in range(0, len(ones), CHUNK)],
                pool.submit(_others, provider, name, tags) if only is None else None,
            )
            for name, ones in by_provider.items()
        }
        seen = {name: [one.result() for one in (*parts, others) if one] for name, (parts, others) in asked.items()}
    checked_at = time.time()
    found = {address: now for parts in seen.values() for part in parts for address, now in part.found.items()}
    drifts = [_judged(one, found[one.address]) for one in recorded if one.address in found]
    store.note_check(
        {one.address: (one.status, {leaf.path: leaf.seen for leaf in one.differences}, checked_at) for one in drifts},
        Write(None, by=by, reason="refresh"),
    )
    known = {(one.provider, one.id) for one in store.resources()}
    unmanaged = [
        _unmanaged(name, other, lineage)
        for name, parts in seen.items()
        for part in parts
        for other in part.others
        if (name, other.id) not in known and other.status != "gone"
    ]
    errors = {name: part.error for name, parts in seen.items() for part in parts if part.error}
    return DriftReport(tuple(drifts), tuple(unmanaged), errors, checked_at)


def _read(provider: Callable[[str], Provider], name: str, ones: Sequence[Recorded]) -> _Seen:
    try:
        return _Seen({one.address: None for one in ones} | dict(provider(name).read_all(ones)), ())
    except Exception as error:  # noqa: BLE001 - whatever one provider raises must not lose what the others saw
        return _Seen({}, (), said(error))


def _others(provider: Callable[[str], Provider], name: str, tags: Mapping[str, str]) -> _Seen:
    try:
        return _Seen({}, provider(name).find_by_tag(tags))
    except Exception as error:  # noqa: BLE001 - as above
        return _Seen({}, (), said(error))


def _judged(one: Recorded, found: Found | None) -> Drift:
    if found is None or found.status == "gone":
        return Drift(one.address, one.kind, one.provider, one.id, "missing", "gone")
    differing = differences(one, found)
    verdict: Verdict = "changed" if differing else "in_sync"
    return Drift(one.address, one.kind, one.provider, one.id, verdict, found.status, differing)


def differences(one: Recorded, found: Found) -> tuple[Difference, ...]:
    """The leaves that a provider shows otherwise than they are recorded, by path.

    What is recorded as a secret (sealed, or a handle) is nothing that can be compared. A tag that is recorded and that the
    resource does not carry any more differs too, also where the provider says nothing about it.
    """
    known = leaves(one.values)
    secret = {path.removesuffix(f".{SEALED}") for path, leaf in known.items() if _is_secret(path, leaf.value)}
    seen = dict(found.values)
    if found.tags:
        gone = (path for path in known if path.startswith("tags.") and path.removeprefix("tags.") not in found.tags)
        seen |= {path: None for path in gone if path not in seen}
    differing = []
    for path in sorted(seen):
        recorded, now = known[path].value if path in known else None, seen[path]
        if path in secret or (_is_nothing(recorded) and _is_nothing(now)) or canonical(recorded) == canonical(now):
            continue
        differing.append(Difference(path, shown(path, recorded), shown(path, now)))
    return tuple(differing)


def _is_secret(path: str, value: Any) -> bool:
    return path.endswith(f".{SEALED}") or (isinstance(value, str) and is_handle(value))


def _is_nothing(value: Any) -> bool:
    """What is not set, not there, or empty: providers differ in how they say it."""
    return value is None or value in ("", [], {})


def _unmanaged(provider: str, found: Found, lineage: str) -> Unmanaged:
    name = str(found.values.get("name") or found.tags.get("Name") or found.id)
    return Unmanaged(provider, found.kind, found.id, name, found.address, found.tags.get(TAG_LINEAGE) == lineage, found.tags)

"""The answer to a question, with the rows that it rests on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prov_corpus.similar import fold
from provisioning.plan.model import DEPOSED
from provisioning.query.read import Question, known_of, read
from provisioning.resource import Recorded

_PUBLIC = ("public_ip", "public_address", "public_dns")
_DETAILS = ("public_ip", "private_ip", "endpoint", "address", "dns_name", "url")
MOST_UNKNOWN = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows` are the resources that fit; `groups` counts them where the question asked for that."""

    answer: str
    understood: str
    count: int
    rows: tuple[Recorded, ...]
    groups: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @staticmethod
    def detail(one: Recorded) -> str:
        """What most people want to know of a resource: its size and where it is reached."""
        told = [str(_plan(one))] if _plan(one) else []
        told += [f"{name} {one.outputs[name]}" for name in _DETAILS if one.outputs.get(name)][:2]
        return ", ".join(told)


def answer(question: str, resources: Sequence[Recorded], provider: str | None = None) -> Answer:
    """Read a question and answer it. Words that mean nothing here are told in a note, never guessed."""
    every = [one for one in resources if not one.address.endswith(DEPOSED)]
    known = known_of((_name(one), one.region, _plan(one), _tags(one)) for one in every)
    asked = read(question, known)
    if provider:
        asked.providers = {provider}
    rows = tuple(one for one in every if _fits(one, asked))
    groups = Counter(_group(one, asked.group) for one in rows) if asked.group else Counter[str]()
    notes = []
    if asked.unknown:
        words = ", ".join(repr(word) for word in asked.unknown[:MOST_UNKNOWN])
        notes.append(f"not understood, and not used: {words}")
    if not every:
        notes.append("nothing is recorded yet: prov apply records what it makes, prov state import what exists")
    elif not any(one.checked_at for one in rows) and (asked.statuses or asked.not_statuses or asked.is_drifted is not None):
        notes.append("statuses are those of the last look: prov refresh looks again")
    told = f"{len(rows)} of {len(every)} recorded resources: {asked.words}"
    if groups:
        told = f"{len(rows)}: " + ", ".join(f"{count} {name}" for name, count in sorted(groups.items()))
    elif asked.is_count:
        told = f"{len(rows)}"
    elif len(rows) == 1:
        told = f"{rows[0].address}: {Answer.detail(rows[0]) or rows[0].status}"
    return Answer(told, asked.words, len(rows), rows, dict(sorted(groups.items())), tuple(notes))


def _fits(one: Recorded, asked: Question) -> bool:
    tags = {fold(key): value for key, value in _tags(one).items()}
    return (
        (not asked.kinds or one.kind in asked.kinds)
        and one.kind not in asked.not_kinds
        and (not asked.providers or one.provider in asked.providers)
        and one.provider not in asked.not_providers
        and (not asked.regions or one.region in asked.regions)
        and one.region not in asked.not_regions
        and (not asked.statuses or one.status in _meant(asked.statuses))
        and one.status not in asked.not_statuses
        and (not asked.plans or fold(_plan(one)) in asked.plans)
        and (not (asked.names or asked.addresses) or _name(one) in asked.names or one.address in asked.addresses)
        and all(fold(key) in tags and value in {"", tags[fold(key)]} for key, value in asked.tags.items())
        and not any(fold(key) in tags and value in {"", tags[fold(key)]} for key, value in asked.not_tags.items())
        and (asked.is_drifted is None or asked.is_drifted == bool(one.observed or one.status == "gone"))
        and (asked.is_public is None or asked.is_public == _is_public(one))
    )


def _meant(statuses: set[str]) -> set[str]:
    """A database that runs is "available" at its provider: who asks for what runs means that too."""
    return statuses | ({"available"} if "running" in statuses else set())


def _is_public(one: Recorded) -> bool:
    if any(one.outputs.get(name) for name in _PUBLIC):
        return True
    values: Mapping[str, Any] = one.values
    return values.get("publicly_accessible") is True or values.get("scheme") == "public" or values.get("access") == "public_read"


def _group(one: Recorded, by: str) -> str:
    return str(getattr(one, by)) or "none"


def _name(one: Recorded) -> str:
    return one.address.partition(".")[2].lower()


def _plan(one: Recorded) -> str:
    return str(one.values.get("plan") or one.values.get("engine") or "")


def _tags(one: Recorded) -> Mapping[str, str]:
    tags = one.values.get("tags")
    return tags if isinstance(tags, Mapping) else {}

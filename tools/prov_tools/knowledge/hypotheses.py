"""What a symptom may come from: runbooks that describe it, incidents that had it, and what the state says, in one order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from prov_rag.errors import DocumentNotFoundError
from prov_rag.filters import Filter
from prov_rag.runbook import Check, Told, told
from prov_rag.words import telling, words

if TYPE_CHECKING:
    from prov_rag.answer import Answer, Hit
    from prov_rag.library import Library
    from provisioning.resource import Recorded

RUNBOOKS, INCIDENTS = ("runbook", "note"), ("postmortem", "execution")
_SAME_SERVICE = 0.15
_HAPPENED_BEFORE = 0.1
_IN_STATE = 0.1
_SHORT = 24
"""Characters: a shorter first sentence of a cause only leads to what follows."""
_UNWELL = frozenset({"stopped", "failed", "gone", "pending"})


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A possible cause. `score` orders them within one answer; `incidents` are citations of records that say the same."""

    cause: str
    why: str
    checks: tuple[Check, ...]
    fix: str
    citation: str
    trust: str
    score: float
    incidents: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    hit: "Hit | None" = field(default=None, compare=False)


def hypotheses(
    library: "Library", symptom: str, service: str, resources: Sequence["Recorded"], *, limit: int, wait: float
) -> "tuple[list[Hypothesis], list[Recorded], Answer]":
    """(the likeliest causes first, resources that have to do with it, what the documents were found with)."""
    pages = library.search(symptom, Filter(types=RUNBOOKS), limit=limit * 2, wait=wait)
    # What is shipped are examples: only this workspace's own records happened here.
    own = [one.name for one in library.index.sources if one.trust != "shipped"]
    records = library.search(symptom, Filter(types=INCIDENTS, sources=own), limit=limit, wait=wait) if own else None
    hits = list(pages.hits)
    if service:
        known = {hit.uri for hit in hits}
        of_service = library.search(symptom, Filter(types=RUNBOOKS, service=service), limit=limit, wait=wait)
        hits += [replace(hit, score=hit.score * 0.8) for hit in of_service.hits if hit.uri not in known]
    # Their scores are relative to the best incident there is: one counts only when words and meaning agree on it.
    past = [hit for hit in records.hits if _agreed(hit) and _shares_words(symptom, hit)] if records else []
    concerned = about(symptom, service, resources)
    found = [_from_runbook(library, hit, service, past, concerned) for hit in hits]
    cited = {citation for one in found for citation in one.incidents}
    found += [_from_incident(library, hit, service) for hit in past if hit.citation not in cited]
    found += [_from_state(resource) for resource in concerned if _is_unwell(resource)]
    found.sort(key=lambda one: -one.score)
    return found[:limit], concerned, pages


def about(symptom: str, service: str, resources: Iterable["Recorded"]) -> list["Recorded"]:
    """The resources that the symptom or the service names, and those that do not work."""
    asked = {*telling(symptom), *telling(service)}
    return [one for one in resources if _is_unwell(one) or asked & set(_names(one))]


def _names(one: "Recorded") -> list[str]:
    kind, _, name = one.address.partition(".")
    return [name.lower(), *(part for part in re.split(r"[^a-z0-9]+", name.lower()) if len(part) > 2 and part != kind)]


def _is_unwell(one: "Recorded") -> bool:
    return one.status in _UNWELL or bool(one.observed)


def _agreed(hit: "Hit") -> bool:
    by_words = hit.ranks.get("words", 1_000)
    return by_words <= 5 and all(rank <= 10 for rank in hit.ranks.values())


def _shares_words(symptom: str, hit: "Hit") -> bool:
    """Whether two telling words of the symptom stand in its title, service or tags; one is chance."""
    named = {part for text in (hit.title, hit.service, *hit.tags) for part in words(text)}
    return len(set(telling(symptom)) & named) >= 2


def _told(library: "Library", hit: "Hit") -> Told:
    try:
        return told(library.read(hit.uri)[0])
    except (DocumentNotFoundError, OSError):  # it went away meanwhile; what was found of it still stands
        return told(hit.text)


def _from_runbook(
    library: "Library", hit: "Hit", service: str, past: Sequence["Hit"], concerned: Sequence["Recorded"]
) -> Hypothesis:
    page = _told(library, hit)
    like = tuple(one.citation for one in past if _is_like(one, hit))
    named = {part for one in concerned for part in _names(one)}
    score = hit.score + _SAME_SERVICE * (bool(service) and hit.service == service.lower())
    score += _HAPPENED_BEFORE * bool(like) + _IN_STATE * (hit.service in named)
    return Hypothesis(
        cause=hit.title,
        why=_why(hit),
        checks=page.checks,
        fix=page.fix,
        citation=hit.citation,
        trust=hit.trust,
        score=round(score, 3),
        incidents=like,
        warnings=hit.warnings,
        hit=hit,
    )


def _is_like(incident: "Hit", page: "Hit") -> bool:
    same_service = bool(page.service) and (incident.service == page.service or page.service in incident.tags)
    return same_service and bool({*incident.tags, *telling(incident.title)} & {*page.tags, *telling(page.title)} - {page.service})


def _from_incident(library: "Library", hit: "Hit", service: str) -> Hypothesis:
    record = _told(library, hit)
    is_same = bool(service) and (hit.service == service.lower() or service.lower() in hit.tags)
    return Hypothesis(
        cause=record.cause if len(record.cause) > _SHORT and not record.cause.endswith(":") else hit.title,
        why=f"it happened before: {hit.title} ({hit.updated_at})",
        checks=record.checks,
        fix=record.fix,
        citation=hit.citation,
        trust=hit.trust,
        score=round(hit.score * 0.8 + _SAME_SERVICE * is_same, 3),
        warnings=hit.warnings,
        hit=hit,
    )


def _from_state(one: "Recorded") -> Hypothesis:
    drifted = "it differs from what was applied" if one.observed else f"its status is {one.status}"
    return Hypothesis(
        cause=f"{one.address} at {one.provider}: {drifted}",
        why="recorded in the state of this workspace",
        checks=(Check(f"prov state show {one.address}", "what is recorded of it, and how it was seen last"),),
        fix="prov state drift shows how it differs; a plan of its configuration puts it back" if one.observed else "",
        citation=f"state:{one.address}",
        trust="state",
        score=0.9 if one.status in _UNWELL else 0.6,
    )


def _why(hit: "Hit") -> str:
    places = ", ".join(f"{name} {place}" for name, place in hit.ranks.items())
    return f"{hit.heading or hit.title} (ranks: {places})"

"""Clauses: every attribute is given to the thing that it is said of."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from prov_gen.understand.applicability import accepts, belongs_to_all, spreads
from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head, Phrase

# Attributes of the whole configuration; they look for no head.
GLOBAL = frozenset({"provider", "place", "zone", "zones", "environment", "money", "pair", "email", "vpc_cidr", "closed"})
_SKIPPED = frozenset({"number", "kind", "cue", "stop", "punctuation", "unknown", "unit", "currency", "tens", "word_of"})


@dataclass(slots=True)
class Clauses:
    """The heads with their attributes, what belongs to the whole configuration, and what found no place."""

    heads: list[Head]
    attributes: list[Mention] = field(default_factory=list)
    homeless: list[Mention] = field(default_factory=list)


def build_clauses(phrases: list[Phrase], heads: list[Head]) -> Clauses:
    """Give every attribute of every phrase to a head, by the order of words."""
    clauses = Clauses(heads)
    wide = False
    for index, phrase in enumerate(phrases):
        alone = not phrase.heads and (not phrase.lead or phrase.lead[-1] not in {"with", "called", "behind", "in", "kept", "and"})
        everything = any(mention.is_cue("every") for mention in phrase.mentions)
        continues = bool(phrase.lead) and phrase.lead[0] in {"and", "kept"} and wide
        wide = not phrase.heads and (alone or everything or continues)
        for mention in phrase.mentions:
            if mention.category in _SKIPPED:
                continue
            if mention.category in GLOBAL:
                clauses.attributes.append(mention)
                continue
            _attach(clauses, phrases, index, mention, spread=wide and spreads(mention), everything=everything)
    return clauses


def _attach(clauses: Clauses, phrases: list[Phrase], index: int, mention: Mention, *, spread: bool, everything: bool) -> None:
    phrase = phrases[index]
    if mention.category == "engine" and any(mention in head.mentions for head in phrase.heads):
        _head_with(phrase, mention).attributes.append(mention)
        return
    here = [head for head in phrase.heads if accepts(head.kind, mention)]
    if here:
        after = [head for head in here if head.end > mention.start and head.start >= mention.start]
        before = [head for head in here if head.start < mention.start]
        prefers_before = mention.language == "es" or not after
        chosen = before[-1] if before and prefers_before else (after or before)[0]
        chosen.attributes.append(mention)
        return
    ordered = clauses.heads
    able = [head for head in ordered if accepts(head.kind, mention)]
    if spread or (everything and spreads(mention)):
        reached = able if everything else [head for head in able if head.phrase < index] or able
        for head in reached:
            head.attributes.append(mention)
        if reached:
            return
    target = _nearest(able, phrase, index)
    if target is not None:
        target.attributes.append(mention)
    elif belongs_to_all(mention):
        clauses.attributes.append(mention)
    else:
        clauses.homeless.append(mention)


def _head_with(phrase: Phrase, mention: Mention) -> Head:
    return next(head for head in phrase.heads if mention in head.mentions)


def _nearest(able: Sequence[Head], phrase: Phrase, index: int) -> Head | None:
    """The head before in the same sentence, then the one after in it, then before, then after."""
    before = [head for head in able if head.phrase <= index]
    after = [head for head in able if head.phrase > index]
    same = [head for head in before if head.sentence == phrase.sentence] or [
        head for head in after[:1] if head.sentence == phrase.sentence
    ]
    if same:
        return same[-1]
    return before[-1] if before else after[0] if after else None


def settle_parts(heads: list[Head], mentions: Sequence[Mention]) -> list[Head]:
    """Nodes, workers and control planes belong to a cluster, to a database, or are servers of their own."""
    clusters = [head for head in heads if head.kind == "cluster"]
    parts = [head for head in heads if head.kind in {"node", "worker", "control_plane"}]
    speaks_of_pods = any(
        mention.category == "cni" or (mention.category == "flag" and mention.value == "autoscaling") for mention in mentions
    )
    if parts and not clusters and (speaks_of_pods or any(head.kind == "control_plane" for head in parts)):
        first = parts[0]
        implied = Head("cluster", first.mentions[:1], first.phrase, first.sentence, implied=True)
        heads = [*heads[: heads.index(first)], implied, *heads[heads.index(first) :]]
        clusters = [implied]
    for part in parts:
        stores = [head for head in heads if head.kind in {"database", "cache"} and head.sentence == part.sentence]
        if stores and part.kind == "node" and (not clusters or stores[-1].phrase == part.phrase):
            part.owner = ([store for store in stores if store.phrase <= part.phrase] or stores)[-1]
        elif clusters:
            before = [head for head in clusters if head.phrase <= part.phrase]
            part.owner = before[-1] if before else clusters[0]
            if part.kind == "node":
                part.kind = "worker"
        else:
            if part.kind == "worker":
                part.attributes.append(Mention("role", "worker", part.start, part.end))
            part.kind = "server"
    return heads


_KEPT = {("flag", "backup"): "backup_days", ("schedule", ""): "backup_days", ("flag", "audit_logging"): "audit_days"}
_KEPT |= {("flag", "lifecycle"): "expire_days"}
_KEPT |= {("flag", "monitoring"): "monitoring_days", ("flag", "prometheus"): "monitoring_days"}


def settle_days(mentions: list[Mention]) -> list[Mention]:
    """What a span of time is about: the nearest thing before it that is kept for a time, else the nearest after."""
    settled: list[Mention] = []
    for index, mention in enumerate(mentions):
        if mention.category != "days":
            settled.append(mention)
            continue
        about = None
        for other in (*reversed(mentions[:index]), *mentions[index + 1 :]):
            key = (other.category, other.value if other.category == "flag" else "")
            if key in _KEPT:
                about = _KEPT[key]
                break
            if other.category == "kind" and other.value in {"log_group", "queue"}:
                break
        settled.append(replace(mention, category=about) if about else mention)
    return settled


_CIDR_OF = {"pods": "pod_cidr", "services": "service_cidr", "network": "vpc_cidr", "subnet": "vpc_cidr"}


def settle_cidrs(mentions: list[Mention]) -> list[Mention]:
    """What addresses are for: pods, services or the network itself, by the nearest word of these."""
    settled = list(mentions)
    for index, mention in enumerate(mentions):
        if mention.category != "cidr" or "/" not in mention.value:
            continue
        for other in (*reversed(range(max(0, index - 4), index)), *range(index + 1, min(len(mentions), index + 4))):
            about = _CIDR_OF.get(str(settled[other].value)) if settled[other].category in {"noun", "kind"} else None
            if about:
                settled[index] = replace(mention, category=about)
                if settled[other].category == "noun":
                    settled[other] = replace(settled[other], category="word_of", value=index)
                break
    return settled

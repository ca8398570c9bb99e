"""Clauses: every attribute is given to the thing that it is said of."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from prov_gen.understand.applicability import accepts, belongs_to_all, spreads
from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head, Phrase

# Attributes of the whole configuration; they look for no head.
GLOBAL = frozenset({"provider", "place", "zone", "zones", "environment", "money", "pair", "email", "vpc_cidr", "closed"})
_SKIPPED = frozenset(
    {"number", "kind", "cue", "stop", "punctuation", "unknown", "unit", "currency", "tens", "word_of"}
) | frozenset({"image", "ordinal", "people", "unsupported"})


@dataclass(slots=True)
class Clauses:
    """The heads with their attributes, what belongs to the whole, what found no place, and what two things could have."""

    heads: list[Head]
    attributes: list[Mention] = field(default_factory=list)
    homeless: list[Mention] = field(default_factory=list)
    doubts: list[tuple[Mention, Head, Head]] = field(default_factory=list)


def build_clauses(phrases: list[Phrase], heads: list[Head]) -> Clauses:
    """Give every attribute of every phrase to a head, by the order of words."""
    clauses = Clauses(heads)
    wide = False
    for index, phrase in enumerate(phrases):
        alone = (
            not phrase.topics
            and phrase.host is None
            and (not phrase.lead or phrase.lead[-1] not in {"with", "called", "behind", "in", "kept", "and"})
        )
        before = phrases[index - 1].mentions if index and phrase.lead[:1] == ["in"] else []
        everything = any(mention.is_cue("every") for mention in [*phrase.mentions, *(before if _is_glue(before) else ())])
        continues = bool(phrase.lead) and phrase.lead[0] in {"and", "kept"} and wide
        wide = not phrase.topics and (alone or everything or continues)
        for mention in phrase.mentions:
            if mention.category in _SKIPPED:
                continue
            if mention.category in GLOBAL:
                clauses.attributes.append(mention)
                continue
            _attach(clauses, phrases, index, mention, spread=wide and spreads(mention), everything=everything)
    for head in heads:
        _share_names(head)
    return clauses


def _is_glue(mentions: Sequence[Mention]) -> bool:
    return all(mention.category in {"cue", "stop"} for mention in mentions)


def _share_names(head: Head) -> None:
    """ "Two buckets named raw and clean, the second ...": the second name is the second's."""
    names = [mention for mention in head.attributes if mention.category in {"name", "quoted"}]
    if head.ordinals and len(names) > (head.count or 0):
        for value, part in head.ordinals:
            if value <= len(names) and not any(mention.category == "name" for mention in part.attributes):
                part.attributes.append(names[value - 1])
                head.attributes.remove(names[value - 1])


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
    spoken_of = [head for head in phrase.references if accepts(head.kind, mention)]
    if spoken_of:
        for head in spoken_of:
            head.attributes.append(mention)
        return
    able = [head for head in clauses.heads if accepts(head.kind, mention)]
    if spread or (everything and mention.category not in {"name", "quoted", "rule", "domain"}):
        reached = able if everything else [head for head in able if head.phrase < index] or able
        for head in reached:
            head.attributes.append(mention)
        if reached:
            return
    targets = _nearest(phrases, index, mention) or able[-1:]
    for target in targets:
        target.attributes.append(mention)
    if targets:
        _note_doubt(clauses, phrases, index, mention, targets)
    elif belongs_to_all(mention):
        clauses.attributes.append(mention)
    else:
        clauses.homeless.append(mention)


def _head_with(phrase: Phrase, mention: Mention) -> Head:
    return next(head for head in phrase.heads if mention in head.mentions)


def _nearest(phrases: Sequence[Phrase], index: int, mention: Mention) -> list[Head]:
    """What is named or spoken of before in the same sentence, then the next after in it, then before, then after."""
    sentence = phrases[index].sentence
    before, after = list(reversed(phrases[: index + 1])), list(phrases[index + 1 :])
    same_after = [phrase for phrase in after if phrase.sentence == sentence and phrase.topics]
    order = [
        *(phrase for phrase in before if phrase.sentence == sentence),
        *(phrase for phrase in same_after if any(accepts(head.kind, mention) for head in phrase.topics)),
        *before,
        *after,
    ]
    for phrase in order:
        spoken_of = [head for head in phrase.references if accepts(head.kind, mention)]
        named = [head for head in phrase.heads if accepts(head.kind, mention)]
        if named or spoken_of:
            return named[-1:] or spoken_of
    return []


# What is counted or measured: to give it to the wrong thing would be costly.
_QUANTITIES = frozenset({"cpu", "memory", "disk", "size_gb", "iops", "replicas", "sku", "size", "backup_days", "range"})


def _note_doubt(clauses: Clauses, phrases: Sequence[Phrase], index: int, mention: Mention, targets: list[Head]) -> None:
    """A quantity behind a comma or "and" that two things of the sentence could have."""
    phrase = phrases[index]
    if (
        mention.category not in _QUANTITIES
        or phrase.host is not None
        or not phrase.lead
        or phrase.lead[-1] in {"with", "of", "kept"}
    ):
        return
    others = [
        head
        for other in phrases
        if other.sentence == phrase.sentence
        for head in other.topics
        if head not in targets and accepts(head.kind, mention)
    ]
    if others:
        clauses.doubts.append((mention, targets[-1], others[-1]))


_KEPT = {("flag", "backup"): "backup_days", ("schedule", ""): "backup_days", ("flag", "audit_logging"): "audit_days"}
_KEPT |= {("flag", "lifecycle"): "expire_days", ("flag", "archive"): "archive_days"}
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
            if other.category == "kind" and other.value in {"log_group", "queue", "bucket"}:
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
        for other in (*reversed(range(max(0, index - 6), index)), *range(index + 1, min(len(mentions), index + 4))):
            about = _CIDR_OF.get(str(settled[other].value)) if settled[other].category in {"noun", "kind"} else None
            if about is None and settled[other].category == "vpc_cidr" and other < index:
                about = "vpc_cidr"
            if about:
                settled[index] = replace(mention, category=about)
                if settled[other].category == "noun":
                    settled[other] = replace(settled[other], category="word_of", value=index)
                break
    return settled

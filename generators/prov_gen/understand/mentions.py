"""Tokens to mentions: the phrases that mean something, with the span of tokens that says so."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from prov_gen.understand.lexicon import Concept, Lexicon
from prov_gen.understand.tokens import Token, fold

GLUE = frozenset({"cue", "stop"})
_TECHNICAL = {"quoted", "email", "cidr", "pair", "domain", "zone", "sku", "handle", "image"}


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase: tokens [start, end), its category and value, and what it implies besides.

    `negated` after "without" and its like. Glue (cues and stop words) and punctuation are mentions too, so that a sequence of
    mentions is the whole text.
    """

    category: str
    value: Any
    start: int
    end: int
    implies: dict[str, Any] = field(default_factory=dict)
    negated: bool = False
    language: str = "any"

    def is_cue(self, *values: str) -> bool:
        """Whether it is one of these cue words."""
        return self.category == "cue" and self.value in values

    def joined(self, other: "Mention", **changes: Any) -> "Mention":
        """This mention, stretched over another."""
        return replace(self, start=min(self.start, other.start), end=max(self.end, other.end), **changes)


def find_mentions(tokens: Sequence[Token], words: Lexicon) -> list[Mention]:
    """Every token, in order, as part of exactly one mention; what no lexicon knows has the category "unknown"."""
    found: list[Mention] = []
    at = 0
    tagging = False
    while at < len(tokens):
        token = tokens[at]
        tagging = (tagging or bool(found and found[-1].is_cue("tagged"))) and token.text not in {".", ";"}
        if found and found[-1].is_cue("called") and token.text != ":":
            at = _read_names(tokens, at, words, found)
        elif tagging and (tag := _read_tag(tokens, at)) is not None:
            found.append(tag)
            at = tag.end
        elif token.kind in _TECHNICAL:
            found.append(_technical(token, at))
            at += 1
        elif _is_numbered_name(tokens, at, words):
            found.append(Mention("name", token.word[0], at, _run_end(tokens, at)))
            at = found[-1].end
        elif token.kind == "punctuation":
            found.append(Mention("punctuation", token.text, at, at + 1))
            at += 1
        elif matched := words.longest(tokens, at):
            concept, end = matched
            found.append(_of_concept(concept, at, end))
            at = end
        elif token.kind == "number":
            found.append(Mention("number", token.folded.replace(",", "."), at, at + 1))
            at += 1
        else:
            found.append(Mention("unknown", token.text, at, at + 1))
            at += 1
    return _negate(_keep_compounds(found, tokens))


_NUMBERED_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*-[0-9]{1,3}")


def _is_numbered_name(tokens: Sequence[Token], at: int, words: Lexicon) -> bool:
    """Whether a run such as "web-01" names a machine; "debian-12" is a product and its version."""
    run = fold(tokens[at].word[0])
    if tokens[at].kind != "word" or not _NUMBERED_NAME.fullmatch(run) or (at and tokens[at - 1].word == tokens[at].word):
        return False
    matched = words.longest(tokens, at)
    return (
        matched is None
        or matched[0].category in {"role", "stop"}
        or matched[0].implies.get("kind") == "server"
        or (matched[0].category == "kind" and matched[0].value in {"server", "node", "database", "worker", "cache", "bastion"})
    )


def _run_end(tokens: Sequence[Token], at: int) -> int:
    end = at + 1
    while end < len(tokens) and tokens[end].word == tokens[at].word:
        end += 1
    return end


def _read_tag(tokens: Sequence[Token], at: int) -> Mention | None:
    """ "Owner: jane" behind "tagged": a tag, as "Owner=jane" is."""
    colon = _run_end(tokens, at)
    value = colon + 1
    if tokens[at].kind != "word" or value >= len(tokens) or tokens[colon].text != ":":
        return None
    if tokens[value].kind in {"punctuation", "pair"} or tokens[value].start > tokens[colon].end + 1:
        return None
    text = tokens[value].word[0].strip("\"'`“”«»")
    return Mention("pair", f"{tokens[at].word[0]}={text}", at, _run_end(tokens, value))


def _keep_compounds(mentions: list[Mention], tokens: Sequence[Token]) -> list[Mention]:
    """ "Geo-redundant" is no "redundant": a known word that is glued to an unknown one means something else."""
    result: list[Mention] = []
    for mention in mentions:
        last = result[-1] if result else None
        if last and last.category == "unknown" and mention.category in {"flag", "size", "schedule"}:
            glued = tokens[last.end - 1].word == tokens[mention.start].word
            if glued:
                result[-1] = Mention("unknown", last.value, last.start, mention.end)
                continue
        result.append(mention)
    return result


def _technical(token: Token, at: int) -> Mention:
    """A token that is its own mention; addresses that are none are an unknown word."""
    if token.kind != "cidr":
        return Mention(token.kind, token.text, at, at + 1)
    try:
        network = str(ip_network(token.text, strict=False))
    except ValueError:
        return Mention("unknown", token.text, at, at + 1)
    return Mention("cidr", network if "/" in token.text else token.text, at, at + 1)


def _read_names(tokens: Sequence[Token], at: int, words: Lexicon, found: list[Mention]) -> int:
    """The names behind "called": whole unbroken runs ("web-01"); further ones after "and" when they look like names."""
    while at < len(tokens):
        run = tokens[at].word
        end = at
        while end < len(tokens) and tokens[end].word == run:
            end += 1
        text = run[0].strip("\"'`“”«»") if tokens[at].kind == "quoted" else run[0]
        found.append(Mention("name", text, at, end))
        joins = end
        while joins < len(tokens) and (tokens[joins].text == "," or tokens[joins].folded in {"and", "y", "e"}):
            joins += 1
        if joins == end or joins >= len(tokens) or not _looks_like_name(tokens[joins], words):
            return end
        found.extend(Mention("punctuation", ",", index, index + 1) for index in range(end, joins))
        at = joins
    return at


def _looks_like_name(token: Token, words: Lexicon) -> bool:
    run = token.word[0]
    if token.kind == "quoted":
        return True
    return token.kind == "word" and (not words.is_word(token.folded) or ("-" in run and any(c.isdigit() for c in run)))


def _of_concept(concept: Concept, start: int, end: int) -> Mention:
    implies = dict(concept.implies)
    category, value, negated = concept.category, concept.value, False
    if category == "role" and "kind" in implies:
        implies["role"] = value
    if "kind" in implies and category in {"kind", "flag", "role"}:
        category, value = "kind", implies.pop("kind")
    elif "flag" in implies:
        value, negated = implies.pop("flag"), bool(implies.pop("negated"))
    return Mention(category, value, start, end, implies, negated, concept.language)


# What "without" can deny.
_DENIABLE = frozenset({"flag", "kind", "cni", "software", "source"})
# Words that may stand between "without" and what it denies.
_TRANSPARENT = frozenset({"of", "or", "in", "only"})


def _negate(mentions: list[Mention]) -> list[Mention]:
    """Denials reach over "or", "nor", "ni" and adjectives, and end at anything else ("no backups or monitoring, two servers")."""
    result: list[Mention] = []
    denying = False
    for at, mention in enumerate(mentions):
        if mention.is_cue("off"):
            _deny_before(result)
        elif mention.is_cue("without"):
            denying = True
        elif denying and mention.category in _DENIABLE:
            following = mentions[at + 1] if at + 1 < len(mentions) else None
            result.append(replace(mention, negated=not mention.negated))
            denying = following is not None and (following.is_cue("or", "without") or following.category in _DENIABLE)
            continue
        elif denying and not (mention.category == "stop" or (mention.category == "cue" and mention.value in _TRANSPARENT)):
            denying = False
        result.append(mention)
    return result


def _deny_before(mentions: list[Mention]) -> None:
    """ "Backups disabled": the last flag before is denied."""
    for at in range(len(mentions) - 1, max(-1, len(mentions) - 4), -1):
        if mentions[at].category == "flag":
            mentions[at] = replace(mentions[at], negated=True)
            return

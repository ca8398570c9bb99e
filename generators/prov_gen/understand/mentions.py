"""Tokens to mentions: the phrases that mean something, with the span of tokens that says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from prov_gen.understand.lexicon import Concept, Lexicon
from prov_gen.understand.tokens import Token

GLUE = frozenset({"cue", "stop"})
_TECHNICAL = {"quoted", "email", "cidr", "pair", "domain", "zone", "sku"}


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
    while at < len(tokens):
        token = tokens[at]
        if found and found[-1].is_cue("called") and token.text != ":":
            at = _read_names(tokens, at, words, found)
        elif token.kind in _TECHNICAL:
            found.append(_technical(token, at))
            at += 1
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
    return _negate(found)


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

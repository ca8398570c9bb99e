"""Phrases and heads: which words stand together, and which of them name a thing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prov_gen.understand.mentions import Mention

# Cues that end a phrase; the others ("of", "version", "only") stand inside one.
_BREAKS = frozenset(
    {"with", "without", "and", "or", "behind", "in_front", "attached", "called", "tagged", "open", "from", "to", "across", "in"}
    | {"kept", "up_to", "at_least", "between", "budget"}
)
_SENTENCE_ENDS = frozenset(".;!?")
_JOINS = frozenset({"and", "or", ",", ":"})


@dataclass(slots=True)
class Head:
    """A thing that is named: its kind, how many, and what is said of it. `order` is its place among all heads."""

    kind: str
    mentions: list[Mention]
    phrase: int
    sentence: int
    count: int | None = None
    attributes: list[Mention] = field(default_factory=list)
    owner: "Head | None" = None
    repeats: list[Mention] = field(default_factory=list)
    implied: bool = False

    @property
    def start(self) -> int:
        """Index of its first token."""
        return min((mention.start for mention in self.mentions), default=0)

    @property
    def end(self) -> int:
        """Index after its last token."""
        return max((mention.end for mention in self.mentions), default=0)


@dataclass(slots=True)
class Phrase:
    """Mentions without a break between them, the cues and signs that lead into it, and the heads in it."""

    lead: list[str]
    mentions: list[Mention]
    sentence: int
    heads: list[Head] = field(default_factory=list)
    definite: bool = False
    reference: Head | None = None

    @property
    def joins(self) -> bool:
        """Whether it only continues a list."""
        return bool(self.lead) and all(lead in _JOINS for lead in self.lead)

    def content(self) -> list[Mention]:
        """Its mentions without glue."""
        return [mention for mention in self.mentions if mention.category not in {"cue", "stop"}]

    def count(self) -> Mention | None:
        """The number at its beginning, before any head."""
        for mention in self.content():
            if mention.category == "number" and isinstance(mention.value, int):
                return mention
            if mention.category == "kind":
                return None
        return None


_DEFINITE = frozenset({"the", "that", "those", "these", "el", "la", "los", "las", "al", "del", "its", "their", "sus"})


def split_phrases(mentions: Sequence[Mention], word_of: Callable[[Mention], str]) -> list[Phrase]:
    """The phrases of a text, in order. `word_of` gives a mention's folded words."""
    phrases: list[Phrase] = []
    lead: list[str] = []
    current: list[Mention] = []
    sentence = 0
    definite = False

    def close() -> None:
        nonlocal current, lead, definite
        if current:
            phrases.append(Phrase(lead, current, sentence, definite=definite))
            current, lead, definite = [], [], False

    for mention in mentions:
        if mention.category == "punctuation":
            close()
            lead.append(mention.value)
            if mention.value in _SENTENCE_ENDS:
                sentence += 1
        elif mention.category == "cue" and mention.value in _BREAKS:
            close()
            lead.append(mention.value)
            definite = word_of(mention).split()[-1] in _DEFINITE
        elif mention.category == "stop" and not current:
            definite = definite or word_of(mention) in _DEFINITE
        else:
            current.append(mention)
    close()
    return phrases

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
    """A thing that is named: its kind, how many, and what is said of it."""

    kind: str
    mentions: list[Mention]
    phrase: int
    sentence: int
    count: int | None = None
    attributes: list[Mention] = field(default_factory=list)
    owner: "Head | None" = None
    repeats: list[Mention] = field(default_factory=list)
    implied: bool = False
    definite: bool = False
    ordinals: list[tuple[int, "Head"]] = field(default_factory=list)

    @property
    def order(self) -> tuple[int, int]:
        """Its place in the text."""
        return self.phrase, self.start

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
    references: list[Head] = field(default_factory=list)
    host: "Phrase | None" = None

    @property
    def reference(self) -> Head | None:
        """The thing named elsewhere that it speaks of."""
        return self.references[-1] if self.references else None

    @property
    def topics(self) -> list[Head]:
        """What it names or speaks of."""
        return [*self.heads, *self.references]

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


_DEFINITE = frozenset({"the", "that", "both", "those", "these", "el", "la", "los", "las", "al", "del", "its", "their", "sus"})


def split_phrases(mentions: Sequence[Mention], word_of: Callable[[Mention], str]) -> list[Phrase]:
    """The phrases of a text, in order; one in brackets knows the phrase before them. `word_of` gives a mention's folded words."""
    phrases: list[Phrase] = []
    lead: list[str] = []
    current: list[Mention] = []
    sentence = 0
    definite = False
    hosts: list[Phrase] = []

    def close() -> None:
        nonlocal current, lead, definite
        if current:
            phrases.append(Phrase(lead, current, sentence, definite=definite, host=hosts[-1] if hosts else None))
            current, lead, definite = [], [], False

    for at, mention in enumerate(mentions):
        following = mentions[at + 1] if at + 1 < len(mentions) else None
        if mention.category == "punctuation":
            close()
            if mention.value == "(" and phrases and not lead:
                hosts.append(phrases[-1])
                continue
            if mention.value == ")" and hosts:
                hosts.pop()
                continue
            lead.append(mention.value)
            if mention.value in _SENTENCE_ENDS:
                sentence += 1
        elif mention.is_cue("attached") and following is not None and following.value in {"volume", "disk"}:
            current.append(mention)  # "a 2 TB attached volume"
        elif mention.category == "cue" and mention.value in _BREAKS:
            close()
            lead.append(mention.value)
            definite = word_of(mention).split()[-1] in _DEFINITE
        elif mention.category == "stop" and not current:
            definite = definite or word_of(mention) in _DEFINITE
        elif mention.is_cue("only") and not current:
            definite = True
        else:
            current.append(mention)
    close()
    return phrases

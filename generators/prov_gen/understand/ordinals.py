"""Ordinals: "the first server ... the second" are things of their own, parts of what was announced before."""

from dataclasses import replace

from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head, Phrase


def split_ordinals(phrases: list[Phrase]) -> None:
    """Make a head of every "the first", and take these out of the "two servers" that announced them."""
    parts: list[Head] = []
    last: Head | None = None
    for index, phrase in enumerate(phrases):
        ordinal = next((mention for mention in phrase.mentions if mention.category == "ordinal"), None)
        if ordinal is not None and not phrase.definite:
            phrase.mentions = [_plain(mention) for mention in phrase.mentions]
        elif ordinal is not None and (phrase.heads or last is not None):
            if phrase.heads:
                head = phrase.heads[0]
                head.count = head.count or 1
                head.mentions.insert(0, ordinal)
            else:
                head = Head(last.kind if last else "server", [ordinal], index, phrase.sentence, count=1, implied=True)
                phrase.heads.append(head)
            parts.append(head)
        last = phrase.heads[-1] if phrase.heads else last
    if parts:
        _take_out(phrases, parts)


def _plain(mention: Mention) -> Mention:
    return replace(mention, category="stop") if mention.category == "ordinal" else mention


def _value(part: Head) -> int:
    return next(int(mention.value) for mention in part.mentions if mention.category == "ordinal")


def _take_out(phrases: list[Phrase], parts: list[Head]) -> None:
    for phrase in phrases[: parts[0].phrase]:
        for head in phrase.heads:
            own = [part for part in parts if part.kind == head.kind]
            if not own or head.count is None or head.count < len(own) or len(phrase.heads) > 1:
                continue
            phrase.references = own
            head.ordinals = [(_value(part), part) for part in own]
            roles = [mention for mention in head.mentions if "role" in mention.implies]
            for part in own:
                part.attributes.extend(Mention("role", mention.implies["role"], mention.start, mention.end) for mention in roles)
            head.count -= len(own)
            if head.count == 0:
                own[0].repeats.extend(head.mentions)
                phrase.heads = []
            return

"""Rules over a sequence of mentions: where one holds, its result takes the place of what it read."""

from collections.abc import Callable, Sequence

from prov_gen.understand.mentions import Mention


def rewrite(mentions: list[Mention], rule: Callable[[Sequence[Mention], int], tuple[Mention, int] | None]) -> list[Mention]:
    """The mentions after a rule, which answers with a mention and the index behind what it read, or with None."""
    result: list[Mention] = []
    at = 0
    while at < len(mentions):
        if (hit := rule(mentions, at)) is not None:
            result.append(hit[0])
            at = hit[1]
        else:
            result.append(mentions[at])
            at += 1
    return result


def mention_at(mentions: Sequence[Mention], index: int) -> Mention:
    """The mention at an index; one of the category "end" outside of the sequence."""
    return mentions[index] if 0 <= index < len(mentions) else Mention("end", "", 0, 0)


def number_of(mention: Mention) -> float:
    """The number that is written in a mention; of a version such as 1.33.2 the first part."""
    text = str(mention.value)
    if text.count(".") > 1:
        text = text.split(".", 1)[0]
    return float(text)

"""Sums: "four servers: two web and two app" are four, not eight."""

from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head, Phrase

_MACHINES = frozenset({"server", "node", "worker"})


def sum_up(phrases: list[Phrase], role_of: dict[str, str]) -> None:
    """Take out a number of things whose parts follow and add up to it; what was said of all is said of each part."""
    for index, phrase in enumerate(phrases[:-1]):
        if len(phrase.heads) != 1 or (phrase.heads[0].count or 1) < 2:
            continue
        whole = phrase.heads[0]
        behind_colon = phrases[index + 1].lead == [":"]
        parts = _parts(phrases, index, whole, behind_colon=behind_colon)
        if not parts:
            continue
        for part in parts:
            if part.kind in role_of and part.kind not in _MACHINES and part.kind != whole.kind:
                part.attributes.append(Mention("role", role_of[part.kind], part.start, part.end))
            if part.kind != whole.kind and whole.kind in _MACHINES and part.kind != "worker":
                part.kind = whole.kind
        parts[0].repeats.extend(whole.mentions)
        phrase.heads, phrase.references = [], parts


def drop_titles(phrases: list[Phrase]) -> None:
    """ "Databases:" above a list of them names nothing of its own."""
    for index, phrase in enumerate(phrases[:-1]):
        lead = phrases[index + 1].lead
        if len(phrase.heads) != 1 or phrase.heads[0].count is not None or lead[:1] != [":"] or ";" not in lead:
            continue
        title = phrase.heads[0]
        parts = [head for after in phrases[index + 1 :] for head in after.heads if head.kind == title.kind]
        if parts:
            parts[0].repeats.extend(title.mentions)
            phrase.heads, phrase.references = [], parts


def _parts(phrases: list[Phrase], index: int, whole: Head, *, behind_colon: bool) -> list[Head]:
    """The things after a whole that are counted in it: all like it, and as many as it says."""
    found: list[Head] = []
    for phrase in phrases[index + 1 :]:
        for head in phrase.heads:
            if found and sum(part.count or 1 for part in found) == whole.count:
                break
            if behind_colon and head.sentence != whole.sentence:
                break
            if not (behind_colon or head.implied):
                return []
            if _is_like(head, whole, behind_colon=behind_colon):
                found.append(head)
    return found if len(found) > 1 and sum(part.count or 1 for part in found) == whole.count else []


def _is_like(head: Head, whole: Head, *, behind_colon: bool) -> bool:
    if head.kind == whole.kind:
        return True
    named = any(mention.category == "engine" for mention in head.mentions)
    return (
        behind_colon and whole.kind in _MACHINES and not named and (head.kind in _MACHINES or head.kind in {"database", "cache"})
    )

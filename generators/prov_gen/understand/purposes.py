"""What a thing is for: "a bucket for invoices" names it; "for a small team" says nothing about its size."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from prov_gen.understand.mentions import Mention

# Kinds that are named after what they keep.
_NAMED_AFTER = frozenset({"bucket", "queue", "database", "file_system", "registry", "log_group", "volume"})
_FOR = frozenset({"for", "para", "to store", "to keep", "para guardar"})
_MOST_WORDS = 3


def read_purposes(mentions: Sequence[Mention], text_of: Callable[[Mention], str], not_names: frozenset[str]) -> list[Mention]:
    """The mentions with names in place of purposes, and without the sizes of people. `text_of` gives the folded words."""
    result: list[Mention] = []
    at = 0
    while at < len(mentions):
        mention = mentions[at]
        if mention.category == "size" and (end := _people_at(mentions, at + 1)):
            result.append(replace(mention, category="people", value="people", end=mentions[end - 1].end))
            at = end
            continue
        result.append(mention)
        at += 1
        if mention.is_cue("kept") and text_of(mention) in _FOR and _is_named_after(result) and not _is_named(mentions, at):
            end = _purpose_end(mentions, at, text_of, not_names)
            named = [other for other in mentions[at:end] if other.category != "stop"]
            if named:
                result.extend(other for other in mentions[at:end] if other.category == "stop" and other.end <= named[0].start)
                whole = named[0].joined(named[-1], category="name", implies={"purpose": True}, negated=False)
                result.append(replace(whole, value=text_of(whole)))
                at = end
                if at + 1 < len(mentions) and mentions[at].is_cue("and") and _is_plural(result) and _ends(mentions, at + 2):
                    other = mentions[at + 1]
                    if other.category in {"unknown", "role", "size", "flag"}:
                        result += [mentions[at], replace(other, category="name", value=text_of(other), implies={"purpose": True})]
                        at += 2
    return result


def _is_plural(before: Sequence[Mention]) -> bool:
    """Whether more than one of the thing was named."""
    numbers = [mention for mention in before[-6:] if mention.category == "number"]
    return bool(numbers) and str(numbers[-1].value) not in {"1", "01"}


def _ends(mentions: Sequence[Mention], at: int) -> bool:
    return at == len(mentions) or mentions[at].category in {"punctuation", "cue"}


def _people_at(mentions: Sequence[Mention], at: int) -> int:
    end = at
    while end < len(mentions) and mentions[end].category in {"unknown", "stop", "role"} and end < at + 2:
        end += 1
    return end + 1 if end < len(mentions) and mentions[end].category == "people" else 0


def _is_named_after(before: Sequence[Mention]) -> bool:
    """Whether the nearest thing before, in the sentence, is one that is named after what it keeps."""
    for mention in reversed(before):
        if mention.category == "punctuation" and mention.value in {".", ";"}:
            return False
        if mention.category in {"kind", "engine"}:
            return mention.category == "engine" or mention.value in _NAMED_AFTER
        if mention.category in {"image", "role", "name"}:
            return False
    return False


def _is_named(mentions: Sequence[Mention], at: int) -> bool:
    """Whether a name is given anyway, close behind."""
    return any(mention.is_cue("called") for mention in mentions[at : at + 4])


def _purpose_end(mentions: Sequence[Mention], at: int, text_of: Callable[[Mention], str], not_names: frozenset[str]) -> int:
    """The index after the words of a purpose, or `at` where they are no name."""
    end, words = at, 0
    while end < len(mentions):
        mention = mentions[end]
        is_word = mention.category in {"unknown", "role"} or (mention.category, mention.value) == ("flag", "backup")
        if is_word and text_of(mention) not in not_names:
            words += 1
        elif mention.category != "stop":
            break
        end += 1
    while end > at and mentions[end - 1].category == "stop":
        end -= 1
    ended = end == len(mentions) or mentions[end].category in {"punctuation", "cue"}
    return end if 0 < words <= _MOST_WORDS and ended else at

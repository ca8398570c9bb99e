"""Counting words: "twenty-one", "one of 3", "one per zone", replicas, and the places of secrets."""

from collections.abc import Sequence
from dataclasses import replace

from prov_gen.understand.mentions import Mention
from prov_gen.understand.rewriting import mention_at, number_of, rewrite


def join_words(mentions: list[Mention]) -> list[Mention]:
    """ "twenty-one", "treinta y dos": tens and the unit after them."""

    def rule(seen: Sequence[Mention], at: int) -> tuple[Mention, int] | None:
        if seen[at].category != "tens":
            return None
        skip = 2 if mention_at(seen, at + 1).is_cue("and") and mention_at(seen, at).language != "en" else 1
        unit = mention_at(seen, at + skip)
        if unit.category == "number" and unit.language != "any" and 0 < int(unit.value) < 10:
            return replace(
                seen[at].joined(unit), category="number", value=str(int(seen[at].value) + int(unit.value))
            ), at + skip + 1
        return replace(seen[at], category="number"), at + 1

    return rewrite(mentions, rule)


def join_zones(mentions: list[Mention]) -> list[Mention]:
    """ "One per zone", "in each availability zone"."""

    def rule(seen: Sequence[Mention], at: int) -> tuple[Mention, int] | None:
        start = at + 1 if seen[at].category == "number" and seen[at].value == "1" and seen[at].language != "any" else at
        noun = mention_at(seen, start + 1)
        if mention_at(seen, start).is_cue("per", "every") and (noun.category, noun.value) == ("noun", "zone"):
            return seen[at].joined(noun, category="per_zone", value="per_zone", implies={}), start + 2
        return None

    return rewrite(mentions, rule)


def join_ones(mentions: list[Mention]) -> list[Mention]:
    """ "One of 3 m5.large": the pronoun counts nothing."""

    def rule(seen: Sequence[Mention], at: int) -> tuple[Mention, int] | None:
        number, counted = seen[at], mention_at(seen, at + 2)
        if (
            number.category == "number"
            and number.value in {"1", "01"}
            and number.language != "any"
            and mention_at(seen, at + 1).is_cue("of")
            and counted.category == "number"
            and mention_at(seen, at + 3).category not in {"unit", "currency"}
        ):
            return number.joined(counted, value=counted.value, language=counted.language, implies={}), at + 3
        return None

    return rewrite(mentions, rule)


def join_replicas(mentions: list[Mention]) -> list[Mention]:
    """ "Three Postgres read replicas" counts the replicas; replicas without a number are one."""
    result: list[Mention] = []
    for mention in mentions:
        if (mention.category, mention.value) == ("noun", "replica"):
            number = result[-2] if len(result) > 1 and result[-1].category == "engine" else None
            if number is not None and number.category == "number":
                result[-2:] = [result[-1], number.joined(mention, category="replicas", value=int(number_of(number)))]
                continue
            if not (result and result[-1].category == "number"):
                negated = bool(result and result[-1].is_cue("without"))
                implies = {} if negated else {"assumed": "no number of replicas was named"}
                result.append(replace(mention, category="replicas", value=0 if negated else 1, implies=implies))
                continue
        result.append(mention)
    return result


def join_handles(mentions: list[Mention]) -> list[Mention]:
    """ "Password from vault:secret/db#password": the word and the place of the secret are one statement."""

    def rule(seen: Sequence[Mention], at: int) -> tuple[Mention, int] | None:
        if (seen[at].category, seen[at].value) != ("noun", "password"):
            return None
        end = at + 1
        while end < len(seen) and seen[end].category in {"stop", "cue", "unknown", "noun"} and end < at + 5:
            end += 1
        if mention_at(seen, end).category != "handle":
            return None
        return seen[at].joined(seen[end], category="handle", value=seen[end].value), end + 1

    return rewrite(mentions, rule)

"""Numbers in a sequence of mentions: counts, sizes with units, versions, money, time spans, ranges."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prov_gen.understand.counts import join_handles, join_ones, join_replicas, join_words, join_zones
from prov_gen.understand.mentions import Mention
from prov_gen.understand.rewriting import mention_at, number_of, rewrite

_TO_GB = {"mb": 1 / 1024, "gb": 1, "tb": 1024}
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_VERSIONED = {"os": "os_version", "engine": "engine_version", "cni": "cni_version", "cluster": "kubernetes_version"}


def read_quantities(mentions: list[Mention]) -> list[Mention]:
    """Number mentions joined with what they count: the categories cpu, memory, disk, size_gb, iops, days, money, range, version.

    A number that stays alone is a "number" (an int), written or in words.
    """
    for step in (
        join_words,
        join_ones,
        join_zones,
        join_replicas,
        join_handles,
        _join_versions,
        _join_money,
        _join_units,
        _join_ranges,
    ):
        mentions = step(mentions)
    return [_plain(mention) for mention in mentions]


def _known_versions(mention: Mention) -> tuple[str, ...]:
    from prov_corpus.catalogue import cni_versions, engine_versions, engines, images, kubernetes_versions  # noqa: PLC0415 - the catalogue is read on the first description, not on import

    if mention.category == "os":
        return tuple(images()[mention.value].versions)
    if mention.category == "engine":
        return tuple(engine_versions(mention.value)) if mention.value in engines() else ()
    if mention.category == "cni":
        return tuple(cni_versions(mention.value))
    return tuple(kubernetes_versions())


def _join_versions(mentions: list[Mention]) -> list[Mention]:
    """A number behind a product is its version when the catalogue knows it, when "version" says so, or when it has a dot."""

    def rule(seen: Sequence[Mention], at: int) -> tuple[Mention, int] | None:
        number = seen[at]
        if number.category != "number" or number.language != "any" or not number.value[0].isdigit():
            return None
        back = at - 1
        said = False
        while back >= 0 and (
            mention_at(seen, back).is_cue("version", "of", "with")
            or mention_at(seen, back).value == "("
            or (mention_at(seen, back).category == "kind" and mention_at(seen, back).value != "cluster")
        ):
            said = said or mention_at(seen, back).is_cue("version")
            if not said and not mention_at(seen, back).is_cue("version") and mention_at(seen, back).value != "(":
                break
            back -= 1
        product = mention_at(seen, back)
        if said and product.category not in _VERSIONED and product.value != "cluster":
            product = _product_before(seen, back, number)
        key = product.value if product.category == "kind" else product.category
        if key not in _VERSIONED or mention_at(seen, at + 1).category in {"unit", "currency"}:
            return None
        known = _known_versions(product)
        base = ".".join(number.value.split(".")[: 1 + (product.category == "cni" or key == "cluster")])
        if not (said or number.value in known or base in known or "." in number.value):
            return None
        if key == "cluster" and not number.value.startswith("1."):
            return None
        return replace(number, category=_VERSIONED[key], start=seen[back + 1].start), at + 1

    return rewrite(mentions, rule)


def _product_before(seen: Sequence[Mention], index: int, number: Mention) -> Mention:
    """The nearest product before "version N" that has such a version."""
    for at in range(index, -1, -1):
        product = seen[at]
        if (product.category in _VERSIONED or (product.category, product.value) == ("kind", "cluster")) and (
            number.value in _known_versions(product) or ".".join(number.value.split(".")[:2]) in _known_versions(product)
        ):
            return product
    return mention_at(seen, index)


def _tidy(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 3)


def _join_money(mentions: list[Mention]) -> list[Mention]:
    """ "$200 a month", "300 euros al mes"."""

    def rule(seen: Sequence[Mention], at: int) -> tuple[Mention, int] | None:
        first, second = seen[at], mention_at(seen, at + 1)
        if first.category == "currency" and second.category == "number":
            number, currency, end = second, first, at + 2
        elif first.category == "number" and second.category == "currency":
            number, currency, end = first, second, at + 2
        else:
            return None
        value = (_tidy(number_of(number)), currency.value)
        merged = first.joined(second, category="money", value=value)
        while (
            mention_at(seen, end).is_cue("per")
            or (mention_at(seen, end).category in {"unit", "schedule"} and mention_at(seen, end).value in {"month", "@monthly"})
            or (mention_at(seen, end).category == "punctuation" and mention_at(seen, end).value == "/")
        ):
            merged = merged.joined(mention_at(seen, end))
            end += 1
        return merged, end

    return rewrite(mentions, rule)


def _join_units(mentions: list[Mention]) -> list[Mention]:
    """ "4 vCPU", "16 GB of RAM", "memory of 16 GB", "500 GB disk", "30 days", "3 zones", "two replicas"."""

    def rule(seen: Sequence[Mention], at: int) -> tuple[Mention, int] | None:
        number, unit = seen[at], mention_at(seen, at + 1)
        if number.category != "number":
            return None
        if unit.category == "noun" and unit.value in {"zone", "replica"}:
            category = {"zone": "zones", "replica": "replicas"}[unit.value]
            return number.joined(unit, category=category, value=int(number_of(number))), at + 2
        if unit.category != "unit":
            return None
        amount = number_of(number)
        merged, end = number.joined(unit), at + 2
        if unit.value in _DAYS:
            return replace(merged, category="days", value=max(1, int(amount * _DAYS[unit.value]))), end
        if unit.value in {"cpu", "iops"}:
            return replace(merged, category=str(unit.value), value=int(amount)), end
        gigabytes = _tidy(amount * _TO_GB[unit.value])
        after = end
        while mention_at(seen, after).is_cue("of") or mention_at(seen, after).category == "disk_type":
            after += 1
        noun = mention_at(seen, after)
        if noun.category == "noun" and noun.value in {"disk", "storage", "memory", "root_disk"}:
            category = noun.value if noun.value in {"memory", "root_disk"} else "disk"
            between = [mention for mention in seen[end:after] if mention.category == "disk_type"]
            implies = {"disk_type": between[0].value} if between else {}
            return merged.joined(noun, category=category, value=gigabytes, implies=implies), after + 1
        before = at - 1
        while mention_at(seen, before).is_cue("of") or (
            mention_at(seen, before).category == "number" and mention_at(seen, before).language != "any"
        ):
            before -= 1
        noun = mention_at(seen, before)
        if noun.category == "noun" and noun.value in {"disk", "storage", "memory", "root_disk"}:
            return replace(merged, category=noun.value if noun.value in {"memory", "root_disk"} else "disk", value=gigabytes), end
        return replace(merged, category="size_gb", value=gigabytes), end

    return rewrite(mentions, rule)


def _join_ranges(mentions: list[Mention]) -> list[Mention]:
    """ "between 3 and 10", "from 2 to 8", "3-10" and "min 2 max 6" become a range (min, max)."""

    def rule(seen: Sequence[Mention], at: int) -> tuple[Mention, int] | None:
        first, low = seen[at], mention_at(seen, at + 1)
        if first.is_cue("up_to") and low.category == "number" and any(other.value == "autoscaling" for other in seen[:at]):
            return first.joined(low, category="range", value=(None, int(number_of(low)))), at + 2
        if first.is_cue("between", "from", "at_least") and low.category == "number":
            middle, end = at + 2, at + 3
            while mention_at(seen, middle).is_cue("and", "to", "up_to") or mention_at(seen, middle).value in {"-", ","}:
                middle += 1
                end = middle + 1
            high = mention_at(seen, middle)
            if high.category == "number" and middle > at + 2 - (0 if first.is_cue("at_least") else 1):
                return first.joined(high, category="range", value=_bounds(low, high)), end
            return None
        if first.category == "number" and (low.is_cue("to", "up_to") or _is_spanish_to(low) or low.value in {"-", "\u2013"}):
            high = mention_at(seen, at + 2)
            if high.category == "number" and mention_at(seen, at - 1).category != "noun":
                return first.joined(high, category="range", value=_bounds(first, high)), at + 3
        return None

    return rewrite(mentions, rule)


def _is_spanish_to(mention: Mention) -> bool:
    """ "De 3 a 15": what looks like an English article."""
    return mention.category == "number" and mention.value == "1" and mention.language == "en" and mention.end - mention.start == 1


def _bounds(low: Mention, high: Mention) -> tuple[int, int]:
    a, b = int(number_of(low)), int(number_of(high))
    return min(a, b), max(a, b)


def _plain(mention: Mention) -> Mention:
    if mention.category != "number":
        return mention
    value: Any = number_of(mention)
    return replace(mention, value=int(value) if value == int(value) else value)

"""Which thing that disappeared is the same as one that appeared under another name.

The rule, so that it can be told: both are of one kind, at one provider and region, and agree in what makes such a thing
itself (`itself` in replacement.toml: a subnet's addresses, a database's engine). Then either they are equal in everything
but the name and no other could be meant, or they agree in at least `LEAST_ALIKE` of the values that differ from the
defaults, of at least `LEAST_TELLING` such values, with the next candidate on either side `LEAST_AHEAD` behind. Whatever is
ambiguous or less alike is a deletion and a creation.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache

from prov_gen.model.kinds import BY_NAME
from prov_judge.changes.leaves import Leaf, canonical, leaves
from prov_judge.changes.replacement import table
from prov_judge.changes.things import PARTS, Thing, fields_that_name, order

LEAST_ALIKE = 0.75
LEAST_TELLING = 3
LEAST_AHEAD = 0.15
MOST_ALIKE = 16
"""A value that more things than this share leads to no candidates: the work stays linear."""

_ABOUT_NAMES = ("name", "provider", "region", "tags")
_PART_KINDS = frozenset(kind.name for kind in PARTS)

Feature = tuple[str, str]


def renames(gone: Iterable[Thing], new: Iterable[Thing]) -> dict[str, str]:
    """Old address by new address. What others stand on comes first, so that a volume follows its renamed server."""
    left, right = _by_kind(gone), _by_kind(new)
    found: dict[str, str] = {}
    for kind in sorted(left.keys() & right.keys(), key=lambda kind: order(f"{kind}.")):
        if table()[kind].get("never_renamed"):
            continue
        follows = {before: after for after, before in found.items()}
        exact = _exact(left[kind], right[kind], follows)
        taken = set(exact.values())
        near = _near(
            [thing for thing in left[kind] if thing.address not in taken],
            [thing for thing in right[kind] if thing.address not in exact],
            follows,
        )
        found |= exact | near
    return found


def _by_kind(things: Iterable[Thing]) -> dict[str, list[Thing]]:
    kinds: dict[str, list[Thing]] = defaultdict(list)
    for thing in things:
        kinds[thing.kind].append(thing)
    return kinds


def _exact(left: list[Thing], right: list[Thing], follows: Mapping[str, str]) -> dict[str, str]:
    old, new = _by_print(left, follows), _by_print(right, {})
    return {new[key][0]: old[key][0] for key in old if len(old[key]) == 1 and len(new.get(key, ())) == 1}


def _by_print(things: list[Thing], follows: Mapping[str, str]) -> dict[frozenset[Feature], list[str]]:
    prints: dict[frozenset[Feature], list[str]] = defaultdict(list)
    for thing in things:
        prints[frozenset(_features(thing, follows))].append(thing.address)
    return prints


def _near(left: list[Thing], right: list[Thing], follows: Mapping[str, str]) -> dict[str, str]:
    old = {thing.address: _telling(thing, follows) for thing in left}
    new = {thing.address: _telling(thing, {}) for thing in right}
    kinds = {thing.address: _itself(thing) for thing in (*left, *right)}
    shared: dict[Feature, list[str]] = defaultdict(list)
    for address, features in new.items():
        for feature in features:
            shared[feature].append(address)
    alike: dict[str, dict[str, float]] = defaultdict(dict)
    mirrored: dict[str, dict[str, float]] = defaultdict(dict)
    for before, features in old.items():
        lists = (shared.get(feature, []) for feature in features)
        for after in sorted({one for found in lists if len(found) <= MOST_ALIKE for one in found}):
            every = features | new[after]
            if kinds[before] == kinds[after] and len(every) >= LEAST_TELLING:
                alike[before][after] = mirrored[after][before] = len(features & new[after]) / len(every)
    best = {before: _best(scores) for before, scores in alike.items()}
    return {after: before for before, after in best.items() if after and _best(mirrored[after]) == before}


def _best(scores: Mapping[str, float]) -> str | None:
    first, *others = sorted(scores.items(), key=lambda one: -one[1])
    ahead = not others or first[1] - others[0][1] >= LEAST_AHEAD
    return first[0] if first[1] >= LEAST_ALIKE and ahead else None


def _itself(thing: Thing) -> tuple[str, ...]:
    fields = ("provider", "region", *table()[thing.kind].get("itself", ()))
    return tuple(canonical(thing.values.get(field)) for field in fields)


def _features(thing: Thing, follows: Mapping[str, str]) -> set[Feature]:
    """All that it is but its name; names of renamed things are followed."""
    named = _naming(thing.kind)
    own = {(path, canonical(leaf.value)) for path, leaf in thing.leaves.items() if path != "name" and leaf.pattern not in named}
    return own | {(field, follows.get(address, address)) for field, address in thing.names}


def _telling(thing: Thing, follows: Mapping[str, str]) -> set[Feature]:
    """What tells it from a thing with nothing but defaults."""
    if thing.kind in _PART_KINDS:
        paths = set(thing.leaves)
    else:
        default = _default(thing.kind)
        written = leaves(thing.item.record.model_dump(mode="json"))
        paths = {path for path, leaf in written.items() if default.get(path) != leaf}
    fields = {field for field, _ in thing.names}
    return {
        (path, value)
        for path, value in _features(thing, follows)
        if (path in paths or path in fields) and path.partition(".")[0] not in _ABOUT_NAMES
    }


@cache
def _default(kind: str) -> dict[str, Leaf]:
    """The leaves of a thing of which nothing was written."""
    return leaves(BY_NAME[kind].model.model_construct().model_dump(mode="json"))


@cache
def _naming(kind: str) -> frozenset[str]:
    return frozenset(field.removesuffix("[]") for field, _ in fields_that_name(kind))

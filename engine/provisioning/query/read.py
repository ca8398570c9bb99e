"""A question as a filter: kinds, providers, regions, tags, statuses, names, and how to count. Says what it did not understand."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from prov_corpus import catalogue
from prov_corpus.similar import fold
from stratumops.provider import PROVIDERS

TABLE = Path(__file__).with_name("words.toml")
_LONGEST = 4
_TOKEN = re.compile(r"[a-z]+\.[A-Za-z0-9*][\w./@*-]*|[\w:./@-]+=[\w:./@*-]*|\"[^\"]*\"|'[^']*'|[\w][\w.'/-]*|\S")
_ADDRESS = re.compile(r"[a-z_]+\.[A-Za-z0-9][\w./@-]*")


@dataclass
class Question:
    """What was asked for. Empty sets ask for anything; `unknown` are words that nothing was made of."""

    kinds: set[str] = field(default_factory=set)
    providers: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    statuses: set[str] = field(default_factory=set)
    not_statuses: set[str] = field(default_factory=set)
    not_kinds: set[str] = field(default_factory=set)
    not_providers: set[str] = field(default_factory=set)
    not_regions: set[str] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)
    not_tags: dict[str, str] = field(default_factory=dict)
    addresses: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    plans: set[str] = field(default_factory=set)
    is_drifted: bool | None = None
    is_public: bool | None = None
    group: str = ""
    is_count: bool = False
    unknown: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """How the question was read, in words."""
        parts = [" or ".join(sorted(one.replace("_", " ") for one in self.kinds)) or "resource"]
        for title, wanted, refused in (
            ("at", self.providers, self.not_providers),
            ("in", self.regions, self.not_regions),
            ("that is", self.statuses, self.not_statuses),
            ("of plan", self.plans, set()),
            ("called", self.names | self.addresses, set()),
        ):
            parts += [f"{title} {' or '.join(sorted(wanted))}"] if wanted else []
            parts += [f"not {title} {' or '.join(sorted(refused))}"] if refused else []
        parts += [f"not {one.replace('_', ' ')}" for one in sorted(self.not_kinds)]
        parts += [f"tagged {key}{'=' + value if value else ''}" for key, value in sorted(self.tags.items())]
        parts += [f"not tagged {key}{'=' + value if value else ''}" for key, value in sorted(self.not_tags.items())]
        parts += [] if self.is_drifted is None else ["drifted" if self.is_drifted else "in sync"]
        parts += [] if self.is_public is None else ["with a public address" if self.is_public else "without a public address"]
        parts += [f"by {self.group}"] if self.group else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Known:
    """What names in a question can mean here: the recorded regions, names, plans and tag keys."""

    regions: frozenset[str]
    names: frozenset[str]
    plans: frozenset[str]
    tag_keys: Mapping[str, str]


def read(text: str, known: Known) -> Question:
    """The question as a filter."""
    found = Question()
    tokens = _TOKEN.findall(text.strip())
    folded = [_bare(one) for one in tokens]
    place, is_negated = 0, False
    while place < len(tokens):
        taken, concept = _concept(folded, place)
        if concept is None:
            taken = _name(found, tokens, folded, place, known, is_negated=is_negated)
            is_negated = False
        else:
            category, value = concept
            if category == "negation":
                is_negated = True
            elif category == "tag":
                taken += _tag(found, tokens, place + taken, known, is_negated=is_negated)
                is_negated = False
            elif category == "called":
                taken += _called(found, tokens, place + taken)
            elif category != "filler":
                _keep(found, category, value, is_negated=is_negated)
                is_negated = False
        place += taken
    return found


@cache
def phrases() -> Mapping[str, tuple[str, str]]:
    """Every phrase with its category and value."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {phrase: (category, value) for category, row in table.items() for value, words in row.items() for phrase in words}


@cache
def _places() -> Mapping[str, frozenset[str]]:
    """Regions by their ids and by the names of their cities."""
    found: dict[str, set[str]] = {}
    for provider in PROVIDERS:
        for region, facts in catalogue.regions(provider).items():
            for name in (region, facts.name, *facts.aliases):
                found.setdefault(fold(name), set()).add(region)
    return {name: frozenset(regions) for name, regions in found.items()}


@cache
def _countries() -> Mapping[str, frozenset[str]]:
    """Regions by the code of their country."""
    every = [facts for provider in PROVIDERS for facts in catalogue.regions(provider).values()]
    return {code: frozenset(one.id for one in every if one.country == code) for code in {one.country for one in every}}


def _bare(token: str) -> str:
    return fold(token.strip("?!.,;:¿¡\"'()"))


def _concept(folded: list[str], place: int) -> tuple[int, tuple[str, str] | None]:
    for length in range(min(_LONGEST, len(folded) - place), 0, -1):
        phrase = " ".join(folded[place : place + length])
        if phrase in phrases():
            return length, phrases()[phrase]
        if phrase in _places():
            return length, ("region", phrase)
    return 1, None if folded[place] else ("filler", "")


def _keep(found: Question, category: str, value: str, *, is_negated: bool) -> None:
    match category:
        case "kind":
            (found.not_kinds if is_negated else found.kinds).add(value)
        case "provider":
            (found.not_providers if is_negated else found.providers).add(value)
        case "country":
            (found.not_regions if is_negated else found.regions).update(_countries().get(value, frozenset()))
        case "region":
            (found.not_regions if is_negated else found.regions).update(_places()[value])
        case "status":
            (found.not_statuses if is_negated else found.statuses).add(value)
        case "drifted":
            found.is_drifted = (value == "yes") != is_negated
        case "public":
            found.is_public = not is_negated
        case "group":
            found.group = value
        case "count":
            found.is_count = True


def _name(found: Question, tokens: list[str], folded: list[str], place: int, known: Known, *, is_negated: bool) -> int:
    """A word that is in no table: a tag, an address, a region, a plan, the name of something recorded; else it is unknown."""
    token, bare = tokens[place].strip("?!,;:¿¡()"), folded[place]
    if "=" in token:
        key, _, value = token.partition("=")
        (found.not_tags if is_negated else found.tags)[known.tag_keys.get(fold(key), key)] = value.strip("\"'")
    elif bare in known.regions:
        (found.not_regions if is_negated else found.regions).add(bare)
    elif bare in known.plans:
        found.plans.add(bare)
    elif token.strip("\"'").lower() in known.names:
        found.names.add(token.strip("\"'").lower())
    elif _ADDRESS.fullmatch(token.rstrip(".")):
        found.addresses.add(token.rstrip("."))
    elif any(char.isalnum() for char in token):
        found.unknown.append(token)
    return 1


def _tag(found: Question, tokens: list[str], place: int, known: Known, *, is_negated: bool) -> int:
    """What follows "tagged": key=value, or a key that is recorded."""
    taken = 0
    while place + taken < len(tokens) and _bare(tokens[place + taken]) in {"with", "as", "con", "como", ":", "the", "la", ""}:
        taken += 1
    if place + taken >= len(tokens):
        return taken
    key, equals, value = tokens[place + taken].strip("?!,;¿¡\"'()").partition("=")
    if not equals and fold(key) not in known.tag_keys:
        return taken
    (found.not_tags if is_negated else found.tags)[known.tag_keys.get(fold(key), key)] = value.strip("\"'")
    return taken + 1


def _called(found: Question, tokens: list[str], place: int) -> int:
    """What follows "called": a name, whether or not it is recorded."""
    if place >= len(tokens) or not any(char.isalnum() for char in tokens[place]):
        return 0
    found.names.add(tokens[place].strip("?!,;:¿¡\"'()").lower())
    return 1


def known_of(names: Iterable[tuple[str, str, str, Mapping[str, str]]]) -> Known:
    """What can be named, from (name, region, plan, tags) of every recorded resource."""
    rows = list(names)
    return Known(
        frozenset(fold(region) for _, region, _, _ in rows if region),
        frozenset(name.lower() for name, _, _, _ in rows),
        frozenset(fold(plan) for _, _, plan, _ in rows if plan),
        {fold(key): key for _, _, _, tags in rows for key in tags},
    )

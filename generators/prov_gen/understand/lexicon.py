"""The words: TOML files beside this module, one concept a line, and the lookup that forgives number, gender, case and accents."""

import functools
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prov_gen.understand.tokens import Token, TokenKind, fold

FOLDER = Path(__file__).parent / "lexicon"
WORD_FILES = ("kinds", "attributes", "quantities", "function", "unsupported")
# Tables of the word files that hold no words.
_NOT_WORDS = frozenset({"role_of", "not_names"})


@dataclass(frozen=True, slots=True)
class Concept:
    """What a phrase means: a category (kind, size, flag, ...), a value in it, what else it implies, the language it is of."""

    category: str
    value: str
    implies: dict[str, Any]
    language: str


@dataclass(slots=True)
class _Branch:
    branches: dict[str, "_Branch"] = field(default_factory=dict)
    concept: Concept | None = None


def read_table(name: str) -> dict[str, Any]:
    """A TOML file of the lexicon."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def word_forms(word: str) -> Iterator[str]:
    """A folded word, then what its singular and its masculine could be, in English and Spanish."""
    yield word
    if len(word) < 4 and not (len(word) == 3 and word.endswith("s")):
        return
    endings = [word]
    if word.endswith("ies"):
        endings.append(word[:-3] + "y")
    if word.endswith("ces"):
        endings.append(word[:-3] + "z")
    if word.endswith("s"):
        endings.append(word[:-1])
        if word.endswith("es"):
            endings.append(word[:-2])
    yield from endings[1:]
    for ending in endings:
        if ending.endswith("a") and len(ending) > 4:
            yield ending[:-1] + "o"
            yield ending[:-1]


_SPLIT = re.compile(r"[\s-]+")


class Lexicon:
    """All words in one tree, longest match first."""

    def __init__(self) -> None:
        self._root = _Branch()
        self._words: set[str] = set()
        tables = {name: read_table(name) for name in WORD_FILES}
        self.role_of: dict[str, str] = tables["kinds"]["role_of"]
        for table in tables.values():
            for category, concepts in table.items():
                if category in _NOT_WORDS:
                    continue
                for value, row in concepts.items():
                    for language in ("any", "en", "es"):
                        for phrase in row.get(language, ()):
                            self._add(phrase, Concept(category, value, row.get("implies", {}), language))
        self._images = {*tables["attributes"]["software"], *tables["attributes"]["engine"], "postgres", "mongo"}
        self.reasons: dict[str, str] = {value: row["reason"] for value, row in tables["unsupported"]["unsupported"].items()}
        self.not_names = frozenset(tables["unsupported"]["not_names"]["words"])
        self._add_places()
        self.shapes = {name: re.compile(shape) for name, shape in read_table("skus")["shape"].items()}

    def _add(self, phrase: str, concept: Concept) -> None:
        branch = self._root
        for word in _SPLIT.split(fold(phrase)):
            self._words.add(word)
            branch = branch.branches.setdefault(word, _Branch())
        if branch.concept is None:
            branch.concept = concept

    def _add_places(self) -> None:
        """Regions, cities and countries of every provider, and the code names of operating systems."""
        from prov_corpus import PROVIDERS  # noqa: PLC0415 - read on the first description, not on import
        from prov_corpus.catalogue import images, regions  # noqa: PLC0415 - read with the catalogue, on the first description
        from prov_corpus.catalogue.source import read_catalogue  # noqa: PLC0415 - read with the catalogue, on the first description

        self.zones: dict[str, tuple[str, str]] = {}
        self.region_ids: set[str] = set()
        for provider in PROVIDERS:
            for region in regions(provider).values():
                self.region_ids.add(region.id)
                for zone in region.zones:
                    if zone != region.id and len(zone) > 2:
                        self.zones[zone] = (provider, region.id)
                if provider != "local":
                    for name in (region.id, region.name, *region.aliases):
                        self._add(name.replace(".", " "), Concept("place", name, {}, "any"))
        for names in read_catalogue("regions")["countries"].values():
            for name in names:
                self._add(name, Concept("place", name, {}, "any"))
        for image in images().values():
            for release in image.versions.values():
                for alias in release.aliases:
                    if fold(alias) != "lts":
                        implies = {"os_version": release.version}
                        self._add(alias, Concept("os", image.family, implies, "any"))

    def is_word(self, folded: str) -> bool:
        """Whether any phrase holds the word, in any form."""
        return any(form in self._words for form in word_forms(folded))

    def is_whole(self, folded: str) -> TokenKind | None:
        """Whether a run with signs inside is one technical word: a region, a zone, a SKU."""
        if ":" in folded:
            name = folded.partition(":")[0]
            return "image" if "/" in name or name in self._images or not self.is_word(name) else None
        if folded in self.region_ids:
            return "word"
        if folded in self.zones:
            return "zone"
        if folded in self._words and not any(character.isalnum() is False for character in folded):
            return None
        return "sku" if any(shape.fullmatch(folded) for shape in self.shapes.values()) else None

    def longest(self, tokens: Sequence[Token], at: int) -> tuple[Concept, int] | None:
        """The concept of the longest phrase that starts at a token, and the index after it."""
        best: tuple[Concept, int] | None = None
        reached = [(self._root, at)]
        while reached:
            branch, index = reached.pop()
            if branch.concept is not None and (best is None or index > best[1]):
                best = branch.concept, index
            if index >= len(tokens) or tokens[index].kind not in {"word", "number", "sku"}:
                continue
            token = tokens[index]
            forms = [*word_forms(token.folded)]
            # The form that was written wins over a guessed singular: it is looked at last, so the others stay on the stack below.
            reached.extend((following, index + 1) for form in reversed(forms) if (following := branch.branches.get(form)))
            # A region's id ("us-east-1") is one token and several words.
            if "-" in token.folded:
                inner: _Branch | None = branch
                for word in _SPLIT.split(token.folded):
                    inner = inner.branches.get(word) if inner else None
                if inner:
                    reached.append((inner, index + 1))
        return best


@functools.cache
def lexicon() -> Lexicon:
    """The one lexicon, read on the first question (some 15 ms)."""
    return Lexicon()


@functools.cache
def effects() -> dict[str, dict[str, dict[str, Any]]]:
    """`effects.toml`: what an attribute changes, by category, attribute and kind."""
    return read_table("effects")

"""One question against the index: what words and meaning find, fused into one order of documents, with their passages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prov_rag import fusion
from prov_rag.answer import Mode
from prov_rag.dense import Similar
from prov_rag.embed import Embedder
from prov_rag.store import Match, Store
from prov_rag.words import is_spanish, telling

_MOST_WORDS = 60
_NEAREST = 600
_LOOKED_AT = 50
"""Of so many documents the passages are compared; an answer is shorter."""
_BEGINNING = 0.05
"""How much more alike another passage must be than a document's first, which says what it is about."""
_FOREIGN = 0.6
"""What is left of the score of a Spanish document for a question that is not in Spanish: commands and errors are in both."""
_SPANISH_WORDS = 0.5
"""Weight of words, in Spanish documents only, beside meaning for a Spanish question: English text answers it by meaning alone."""


@dataclass(frozen=True, slots=True)
class Found:
    """Scores (from 0 to 1) by document; its rank by words and by each model; the score of each passage of the best ones."""

    scores: dict[int, float]
    passages: dict[int, dict[int, float]]
    ranks: dict[str, dict[int, int]]


def find(
    store: Store, query: str, models: Sequence[Embedder], mode: Mode, allowed: set[int] | None,
    similar: Callable[[Embedder, str], Similar],
) -> Found:  # fmt: skip
    """The documents that answer one question, among those `allowed` (None: all)."""
    spanish = is_spanish(query)
    used = [model for model in models if model.multilingual] if spanish else list(models)
    by_meaning = bool(used)
    pairs: list[Match] = []
    if mode != "semantic" or not by_meaning:
        language = "es" if spanish and by_meaning else ""
        pairs = store.lexical(telling(query, spanish=spanish)[:_MOST_WORDS], fusion.WEIGHTS, _NEAREST, language=language)
    if allowed is not None:
        pairs = [pair for pair in pairs if pair.document in allowed]
    parts: list[tuple[float, Mapping[int, float]]] = []
    ranks: dict[str, dict[int, int]] = {}
    if by_words := fusion.by_document([(one.chunk, one.document, one.score) for one in pairs]):
        parts.append((_SPANISH_WORDS if spanish and by_meaning else 1.0, by_words))
        ranks["words"] = fusion.ranks(by_words)
    alike = [similar(model, query) for model in used]
    for model, found in zip(used, alike, strict=True):
        scores = fusion.of_similar(found, allowed)
        parts.append((fusion.MEANING, scores))
        ranks[model.id.split("/")[0]] = fusion.ranks(scores)
    fused = fusion.fuse(parts)
    if not spanish and (foreign := store.documents_in("es")):
        fused = {document: score * (_FOREIGN if document in foreign else 1.0) for document, score in fused.items()}
    best = set(sorted(fused, key=lambda document: -fused[document])[:_LOOKED_AT])
    return Found(fused, _passages(best, pairs, alike), ranks)


def _passages(documents: set[int], pairs: Sequence[Match], alike: Sequence[Similar]) -> dict[int, dict[int, float]]:
    """Within a document, what the passage itself says counts: path and title are the same for all of them."""
    found: dict[int, dict[int, float]] = {}
    highest = max((one.in_body for one in pairs), default=0.0) or 1.0
    for one in pairs:
        if one.document in documents:
            found.setdefault(one.document, {})[one.chunk] = one.in_body / highest
    for similar in alike:
        for at in _places(similar, documents):
            here = found.setdefault(int(similar.documents[at]), {})
            chunk = int(similar.chunks[at])
            alike_by = float(similar.cosine[at]) + (_BEGINNING if similar.first[at] else 0.0)
            here[chunk] = here.get(chunk, 0.0) + fusion.MEANING * alike_by
    return found


def _places(similar: Similar, documents: set[int]) -> list[int]:
    import numpy as np  # noqa: PLC0415 - only what is searched by meaning needs it

    places: list[int] = np.flatnonzero(np.isin(similar.documents, list(documents))).tolist()
    return places


def together(found: Sequence[Found]) -> Found:
    """Several ways to put a question as one: the mean of the scores, the best of the ranks."""
    if len(found) == 1:
        return found[0]
    whole = Found({}, {}, {})
    for one in found:
        for document, score in one.scores.items():
            whole.scores[document] = whole.scores.get(document, 0.0) + score / len(found)
        for document, chunks in one.passages.items():
            here = whole.passages.setdefault(document, {})
            for chunk, score in chunks.items():
                here[chunk] = here.get(chunk, 0.0) + score
        for name, places in one.ranks.items():
            best = whole.ranks.setdefault(name, {})
            for document, place in places.items():
                best[document] = min(place, best.get(document, place))
    return whole

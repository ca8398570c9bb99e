"""One order out of several: scores by words and by each model, brought to one scale per document and added."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prov_rag.dense import Similar

WEIGHTS = (6.0, 3.0, 1.0)
"""Of a word in the path, in title, headings and tags, in the text. With `MEANING` and `FIRST`, chosen on the dev split only."""
MEANING = 0.6
"""Weight of each model beside words, which have 1."""
FIRST = 0.3
"""Weight of a document's first chunk, which says what the document is about, beside its best one."""
DEPTH = 100
"""The document at this rank has nothing of a score: what lies below is noise."""


def by_document(pairs: Sequence[tuple[int, int, float]]) -> dict[int, float]:
    """The best score of each document, of (chunk, document, score)."""
    found: dict[int, float] = {}
    for _, document, score in pairs:
        if score > found.get(document, float("-inf")):
            found[document] = score
    return found


def of_similar(similar: "Similar", allowed: Collection[int] | None = None) -> dict[int, float]:
    """The score of each of the best `DEPTH` + 1 documents, among those `allowed`: its best chunk, and a part of its first."""
    import numpy as np  # noqa: PLC0415 - only what is searched by meaning needs it

    if not len(similar.chunks):
        return {}
    documents, place = similar.places
    best = np.full(len(documents), -2.0, dtype=np.float32)
    np.maximum.at(best, place, similar.cosine)
    firsts = np.zeros(len(documents), dtype=np.float32)
    firsts[place[similar.first]] = similar.cosine[similar.first]
    scores = best + FIRST * firsts
    if allowed is not None:
        scores[~np.isin(documents, list(allowed))] = -9.0
    top = np.argpartition(-scores, min(DEPTH, len(scores) - 1))[: DEPTH + 1]
    return {int(documents[at]): float(scores[at]) for at in top if scores[at] > -9.0}


def scaled(scores: Mapping[int, float]) -> dict[int, float]:
    """Scores between 0 (rank `DEPTH`) and 1 (the best)."""
    order = sorted(scores.values(), reverse=True)
    if not order:
        return {}
    high = order[0]
    # Fewer than so many: whoever is not among them has nothing, as if they stood at 0.
    low = order[DEPTH] if len(order) > DEPTH else min(0.0, order[-1])
    return {key: (score - low) / (high - low + 1e-9) for key, score in scores.items() if score > low}


def fuse(parts: Sequence[tuple[float, Mapping[int, float]]]) -> dict[int, float]:
    """The weighted sum of scaled scores, divided so that 1 is the best there can be."""
    whole = sum(weight for weight, _ in parts) or 1.0
    found: dict[int, float] = {}
    for weight, scores in parts:
        for key, score in scaled(scores).items():
            found[key] = found.get(key, 0.0) + weight * score / whole
    return found


def ranks(scores: Mapping[int, float]) -> dict[int, int]:
    """The place of each key, from 1."""
    return {key: at for at, key in enumerate(sorted(scores, key=lambda key: (-scores[key], key)), 1)}

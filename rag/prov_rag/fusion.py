"""One order out of several: scores by words and by each model, brought to one scale per document and added."""

from collections.abc import Mapping, Sequence
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


def of_similar(similar: "Similar") -> dict[int, float]:
    """The score of each document: its best chunk, and a part of its first."""
    found: dict[int, float] = {}
    firsts: dict[int, float] = {}
    for document, first, cosine in zip(similar.documents.tolist(), similar.first.tolist(), similar.cosine.tolist(), strict=True):
        if cosine > found.get(document, -2.0):
            found[document] = cosine
        if first:
            firsts[document] = cosine
    return {document: score + FIRST * firsts.get(document, 0.0) for document, score in found.items()}


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

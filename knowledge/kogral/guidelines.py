"""The guidelines that hold for a topic: the project's before a shared one's, without what is superseded; found by words alone."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kogral.node import Node
from prov_rag.words import is_spanish, telling, words

_TITLE, _TAG, _BODY = 4.0, 3.0, 1.0


@dataclass(frozen=True, slots=True)
class Guideline:
    """A guideline that holds, the graph that it stands in, and how well it fits (0 to 1; 1 when nothing was asked)."""

    node: Node
    graph: str
    score: float


def rank(topic: str, nodes: Sequence[Node], limit: int) -> list[Guideline]:
    """Those that share words with the topic, best first; all, by title, when there is no topic."""
    asked = [_stem(one) for one in telling(topic, spanish=is_spanish(topic))]
    if not asked:
        return [Guideline(one, one.graph, 1.0) for one in sorted(nodes, key=lambda one: one.title.lower())][:limit]
    texts = [(node, _weights(node)) for node in nodes]
    rarity = {word: math.log(1 + len(texts) / (1 + sum(word in weights for _, weights in texts))) + 0.1 for word in asked}
    best = sum(rarity.values()) * (_TITLE + _TAG)
    scored = [(sum(rarity[word] * weights[word] for word in asked), node) for node, weights in texts]
    found = [Guideline(node, node.graph, round(min(1.0, score / best), 3)) for score, node in scored if score > 0]
    return sorted(found, key=lambda one: (-one.score, one.node.title.lower()))[:limit]


def matching(terms: Iterable[str], nodes: Sequence[Node], limit: int) -> list[Guideline]:
    """Those whose title, tags or service name any of the terms: what holds for a thing, not what only mentions it."""
    asked = {_stem(part) for term in terms for part in words(term)}
    found = []
    for node in nodes:
        named = {_stem(part) for text in (node.title, *node.tags, node.service) for part in words(text)}
        if shared := asked & named:
            found.append(Guideline(node, node.graph, round(len(shared) / len(named), 3)))
    return sorted(found, key=lambda one: (-one.score, one.node.title.lower()))[:limit]


def _weights(node: Node) -> Counter[str]:
    found: Counter[str] = Counter()
    for weight, text in ((_TITLE, node.title), (_TAG, " ".join([*node.tags, node.service])), (_BODY, node.body)):
        for word in {_stem(one) for one in words(text)}:
            found[word] += weight  # type: ignore[assignment]  # a Counter of weights
    return found


def _stem(word: str) -> str:
    """Singular and plural are one word."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def holding(graphs: Iterable[Sequence[Node]]) -> list[Node]:
    """Of guidelines of several graphs, the nearest first, those that hold.

    A project's takes the place of a shared one of the same id, and of one that it extends or supersedes.
    """
    found: dict[str, Node] = {}
    replaced: set[str] = set()
    for nodes in graphs:
        for node in nodes:
            if node.type != "guideline" or node.status == "superseded" or node.id in found or node.id in replaced:
                continue
            found[node.id] = node
        for node in nodes:
            if node.type == "guideline" and found.get(node.id) is node:
                replaced.update(node.relations.get("supersedes", ()))
                replaced.update(name for name in node.relations.get("extends", ()) if name not in {one.id for one in nodes})
        for name in replaced:
            found.pop(name, None)
    return list(found.values())

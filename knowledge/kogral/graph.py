"""The graph that nodes and their links make: backlinks, a walk that survives circles, what supersedes what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kogral.node import EDGES, Edge, EdgeType, Node, slug


@dataclass(frozen=True)
class Graph:
    """Nodes by id, and the edges between them; `broken` are edges whose target is no node."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    broken: tuple[Edge, ...] = ()

    def of(self, node_id: str) -> tuple[list[Edge], list[Edge]]:
        """(outgoing, incoming) edges of a node."""
        return [one for one in self.edges if one.source == node_id], [one for one in self.edges if one.target == node_id]

    def walk(self, start: str, depth: int) -> "Graph":
        """What can be reached from a node over so many edges, whichever way they point."""
        near: dict[str, set[str]] = defaultdict(set)
        for one in self.edges:
            near[one.source].add(one.target)
            near[one.target].add(one.source)
        reached, edge = {start}, {start}
        for _ in range(max(depth, 0)):
            edge = {other for name in edge for other in near[name]} - reached
            if not edge:
                break
            reached |= edge
        nodes = {name: node for name, node in self.nodes.items() if name in reached}
        return Graph(nodes, tuple(one for one in self.edges if one.source in reached and one.target in reached))

    def superseded(self) -> dict[str, str]:
        """Which node takes the place of which (old id: new id)."""
        return {one.target: one.source for one in self.edges if one.relation == "supersedes"}

    def circles(self, relation: EdgeType) -> list[tuple[str, ...]]:
        """The circles of one kind of edge, each once."""
        following: dict[str, list[str]] = defaultdict(list)
        for one in self.edges:
            if one.relation == relation:
                following[one.source].append(one.target)
        found: dict[frozenset[str], tuple[str, ...]] = {}
        done: set[str] = set()
        for start in sorted(following):
            stack: list[tuple[str, tuple[str, ...]]] = [(start, (start,))]
            while stack:
                name, way = stack.pop()
                for other in following[name]:
                    if other in way:
                        circle = way[way.index(other) :]
                        found.setdefault(frozenset(circle), (*circle, other))
                    elif other not in done:
                        stack.append((other, (*way, other)))
            done.add(start)
        return list(found.values())


def graph_of(nodes: Mapping[str, Node]) -> Graph:
    """The graph of these nodes. A wikilink names a node by its id, its title, or its file's name."""
    names: dict[str, str] = {}
    for node in nodes.values():
        for name in (node.title, node.path.stem if node.path else "", slug(node.title)):
            names.setdefault(name.lower(), node.id)
    names |= {name.lower(): name for name in nodes}
    edges: dict[Edge, None] = {}
    broken: dict[Edge, None] = {}
    for one in _edges(nodes.values()):
        target = names.get(one.target.lower())
        if target is None:
            broken[one] = None
        elif target != one.source:
            edges[Edge(one.source, one.relation, target, one.in_text)] = None
    told = {(one.source, one.target) for one in edges if not one.in_text}
    # A link in the text says nothing more where the front matter says how they relate.
    kept = [one for one in edges if not (one.in_text and (one.source, one.target) in told)]
    return Graph(nodes, tuple(kept), tuple(broken))


def _edges(nodes: Iterable[Node]) -> Iterable[Edge]:
    for node in nodes:
        for relation in EDGES:
            for target in node.relations.get(relation, ()):
                yield Edge(node.id, relation, target)
        for target in node.links_in_text:
            yield Edge(node.id, "relates_to", target, in_text=True)

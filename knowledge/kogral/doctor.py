"""What is wrong with a graph, each thing with where it is."""

from typing import TYPE_CHECKING

from kogral.node import EdgeType
from kogral.store import Problem

if TYPE_CHECKING:
    from kogral.knowledge import Knowledge
    from kogral.node import Node


def examine(knowledge: "Knowledge") -> list[Problem]:
    """Every problem, by kind: unreadable, duplicate, broken_link, circle, orphan, index."""
    graph = knowledge.graph()
    found = list(knowledge.problems)
    found += [
        Problem(
            _path(graph.nodes[one.source]),
            f"{'a wikilink' if one.in_text else one.relation} leads to {one.target!r}, which is no node",
            "broken_link",
        )
        for one in graph.broken
    ]
    ordered: tuple[EdgeType, ...] = ("supersedes", "depends_on")
    found += [
        Problem(_path(graph.nodes[circle[0]]), f"{relation} in a circle: {' -> '.join(circle)}", "circle")
        for relation in ordered
        for circle in graph.circles(relation)
    ]
    linked = {name for one in graph.edges for name in (one.source, one.target)}
    found += [
        Problem(_path(node), "nothing links to it, and it links to nothing", "orphan")
        for node in graph.nodes.values()
        if node.id not in linked and node.type not in {"journal", "execution"} and len(graph.nodes) > 1
    ]
    return [*found, *_index(knowledge)]


def _path(node: "Node") -> str:
    return f"{node.path.parent.name}/{node.path.name}" if node.path else node.id


def _index(knowledge: "Knowledge") -> list[Problem]:
    """Whether the index that is there has what the files have. One that is not there yet is no problem."""
    from prov_rag.errors import IndexBusyError  # noqa: PLC0415 - paid by who asks
    from prov_rag.scan import look  # noqa: PLC0415 - as above

    if not (knowledge.folder.root / ".index" / "index.sqlite").exists() and knowledge._library is None:  # noqa: SLF001 - a part of it
        return []
    try:
        store = knowledge.library().index.store()
        behind = [change for source in knowledge.sources() if (change := look(store, source))]
    except IndexBusyError:
        return []
    count = sum(len(one.changed) + len(one.gone) for one in behind)
    return [Problem(".index", f"{count} files are newer than the index; the next search takes them in", "index")] if count else []

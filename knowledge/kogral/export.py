"""The graph in other forms: markdown with an index, JSON, a picture."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from kogral.errors import GraphUnwritableError
from kogral.files import render, replacing
from kogral.graph import Graph
from kogral.node import FOLDERS, TYPES, Node, NodeType
from stratumops.pictures.graph import Box, graph_svg

MOST_DRAWN = 200
Format = Literal["markdown", "json", "svg"]


def export(graph: Graph, format_: Format, output: Path, types: set[NodeType]) -> list[Path]:
    """Write it: a folder of markdown, or one file (in the folder `output`, or as `output` when it has that ending).

    Raises GraphUnwritableError.
    """
    nodes = {name: node for name, node in graph.nodes.items() if not types or node.type in types}
    edges = tuple(one for one in graph.edges if one.source in nodes and one.target in nodes)
    part = Graph(nodes, edges)
    try:
        if format_ == "markdown":
            return _markdown(part, output)
        file = output if output.suffix == f".{format_}" else output / f"graph.{format_}"
        return [_written(file, as_json(part) if format_ == "json" else as_svg(part))]
    except OSError as error:
        raise GraphUnwritableError(f"{output}: {error.strerror}", hint="give a folder that can be written") from None


def _written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as made:
        made.write_text(text, encoding="utf-8")
    return file


def _markdown(graph: Graph, folder: Path) -> list[Path]:
    written = [_written(folder / FOLDERS[node.type] / f"{node.id}.md", render(node)) for node in graph.nodes.values()]
    by_type: dict[NodeType, list[Node]] = defaultdict(list)
    for node in sorted(graph.nodes.values(), key=lambda one: one.title.lower()):
        by_type[node.type].append(node)
    lines = ["# Knowledge", ""]
    for type_ in TYPES:
        if by_type[type_]:
            lines += [f"## {FOLDERS[type_].capitalize()}", ""]
            lines += [f"- [{_shown(node)}]({FOLDERS[type_]}/{node.id}.md)" for node in by_type[type_]] + [""]
    return [*written, _written(folder / "index.md", "\n".join(lines))]


def _shown(node: Node) -> str:
    title = node.title.replace("[", "\\[").replace("]", "\\]")
    return f"{title} (superseded)" if node.status == "superseded" else title


def as_json(graph: Graph) -> str:
    """Nodes and edges."""
    edges = [
        {"source": one.source, "relation": one.relation, "target": one.target, "in_text": one.in_text} for one in graph.edges
    ]
    return (
        json.dumps({"nodes": [one.as_dict() for one in graph.nodes.values()], "edges": edges}, ensure_ascii=False, indent=2)
        + "\n"
    )


def as_svg(graph: Graph, title: str = "Knowledge") -> str:
    """The graph, a column for each type; of many nodes those with the most links."""
    weight = dict.fromkeys(graph.nodes, 0)
    for one in graph.edges:
        weight[one.source] += 1
        weight[one.target] += 1
    kept = sorted(graph.nodes.values(), key=lambda one: (-weight[one.id], one.id))[:MOST_DRAWN]
    used: list[NodeType] = [one for one in TYPES if any(node.type == one for node in kept)]
    column: Callable[[NodeType], int] = used.index
    boxes = [
        Box(node.id, (node.title[:60], node.updated.date().isoformat()), column(node.type), "warn" if node.status else "quiet")
        for node in sorted(kept, key=lambda one: (column(one.type), one.title.lower()))
    ]
    left_out = len(graph.nodes) - len(kept)
    said = f"{title} ({left_out:,} nodes are left out)" if left_out else title
    return graph_svg(said, [FOLDERS[one].capitalize() for one in used], boxes, [(one.source, one.target) for one in graph.edges])

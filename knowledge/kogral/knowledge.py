"""`Knowledge`: the project's graph and the shared ones as one thing to write to, look things up in and search."""

import builtins
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kogral import guidelines as rules
from kogral import templates
from kogral.errors import CycleError, NodeNotFoundError, NodeRefusedError
from kogral.graph import Graph, graph_of
from kogral.guidelines import Guideline
from kogral.node import EDGES, TYPES, Edge, EdgeType, Node, NodeType, slug, type_named
from kogral.safe_text import as_line
from kogral.store import NodeFolder, Problem
from prov_rag.filters import Filter
from prov_rag.guard import clean
from prov_rag.source import Source

if TYPE_CHECKING:
    from kogral.importing import Flavour, Imported
    from prov_rag.answer import Answer
    from prov_rag.library import Library

PROJECT, SHARED = "kogral", "kogral-shared"
MOST_TAGS = 20
MOST_BODY = 500_000


class Knowledge:
    """What a project knows: its own graph in `project` (a `.kogral` folder, which need not exist before the first write), and the
    `shared` ones, which are only read.

    `library` gives the index that holds `sources()`; without it one is made in `project/.index` when something is first searched.
    """

    def __init__(self, project: Path, shared: Sequence[Path] = (), *, library: "Callable[[], Library] | None" = None) -> None:
        self.folder = NodeFolder(project)
        self.shared = [NodeFolder(folder, name) for folder, name in zip(shared, _names(shared), strict=True)]
        self._library = library
        self._own: Library | None = None
        self._guard = threading.Lock()

    def sources(self) -> builtins.list[Source]:
        """What a library must hold for `search`."""
        found = [Source(PROJECT, self.folder.root, "project")]
        return found + [Source(f"{SHARED}-{one.name}", one.root, "imported") for one in self.shared]

    @property
    def problems(self) -> builtins.list[Problem]:
        """Files that could not be read as nodes at the last look."""
        return [*self.folder.problems, *(problem for one in self.shared for problem in one.problems)]

    def close(self) -> None:
        """Close the index, if it is our own."""
        if self._own is not None:
            self._own.close()

    # Looking up

    def graph(self) -> Graph:
        """Everything; of nodes with one id the project's."""
        nodes: dict[str, Node] = {}
        for one in reversed([self.folder, *self.shared]):
            nodes |= one.nodes()
        return graph_of(nodes)

    def get(self, node_id: str) -> Node:
        """A node by its id or its title. Raises NodeNotFoundError, which names those that are nearly called so."""
        nodes = self.graph().nodes
        if node_id in nodes:
            return nodes[node_id]
        wanted = node_id.strip().lower()
        named = next((one for one in nodes.values() if wanted in {one.title.lower(), one.id.lower()}), None)
        if named is not None:
            return named
        near = get_close_matches(slug(node_id) or wanted, nodes, 3, 0.4)
        hint = f"nearly called so: {', '.join(near)}" if near else "`kogral list` shows them all"
        raise NodeNotFoundError(f"there is no node {node_id[:80]!r}", hint=hint)

    def links(self, node_id: str) -> tuple[builtins.list[Edge], builtins.list[Edge]]:
        """(outgoing, incoming) edges. Raises NodeNotFoundError."""
        node = self.get(node_id)
        return self.graph().of(node.id)

    def walk(self, node_id: str, depth: int = 2) -> Graph:
        """What is linked with a node over so many edges. Raises NodeNotFoundError."""
        node = self.get(node_id)
        return self.graph().walk(node.id, depth)

    def list(
        self, *, types: Iterable[str] = (), tags: Iterable[str] = (), since: str = "", until: str = "", limit: int | None = None
    ) -> builtins.list[Node]:
        """Nodes of any of these types, with any of these tags, updated within these days (ISO); the newest first.

        Raises NodeRefusedError for a type that there is not.
        """
        wanted, marked = {_type(one) for one in types}, {one.lower() for one in tags}
        found = [
            one
            for one in self.graph().nodes.values()
            if (not wanted or one.type in wanted)
            and (not marked or marked & {tag.lower() for tag in one.tags})
            and (not since or one.updated.date().isoformat() >= since[:10])
            and (not until or one.updated.date().isoformat() <= until[:10])
        ]
        found.sort(key=lambda one: (one.updated, one.id), reverse=True)
        return found[:limit]

    def guidelines(self, topic: str, *, include_shared: bool = True, limit: int = 5) -> builtins.list[Guideline]:
        """The guidelines that hold for a topic, best first; all of them for an empty one."""
        folders = [self.folder, *(self.shared if include_shared else ())]
        return rules.rank(topic, rules.holding([builtins.list(one.nodes().values()) for one in folders]), limit)

    def guidelines_for(self, terms: Iterable[str], limit: int = 5) -> builtins.list[Guideline]:
        """The guidelines whose title or tags name any of these things (kinds, providers, services)."""
        folders = [self.folder, *self.shared]
        return rules.matching(terms, rules.holding([builtins.list(one.nodes().values()) for one in folders]), limit)

    def search(
        self, query: str, *, types: Sequence[str] = (), tags: Sequence[str] = (), since: str = "", until: str = "",
        limit: int = 10, semantic: bool = True, threshold: float = 0.4,
    ) -> "Answer":  # fmt: skip
        """Nodes that answer a question, by words and (`semantic`) by meaning; what scores below `threshold` is left out.

        Raises NodeRefusedError for a type that there is not, IndexBusyError.
        """
        sources = [one.name for one in self.sources()]
        only = Filter([_type(one) for one in types], tags, since=since, until=until, sources=sources)
        found = self.library().search(query, only, limit=limit, mode="hybrid" if semantic else "text", wait=10.0)
        return replace(found, hits=tuple(one for one in found.hits if one.score >= threshold))

    def library(self) -> "Library":
        """The index."""
        if self._library is not None:
            return self._library()
        from prov_rag.library import Library  # noqa: PLC0415 - paid by who searches

        with self._guard:
            if self._own is None:
                with self.folder.writing():  # makes the folder, where nothing was written yet
                    pass
                self._own = Library(self.folder.root / ".index", self.sources(), background=False)
            return self._own

    # Writing

    def add(
        self, type: NodeType, title: str, body: str = "", *, tags: Iterable[str] = (), related: Iterable[str] = (),  # noqa: A002 - what the field calls it
        metadata: Mapping[str, str] = {}, author: str = "", relations: Mapping[EdgeType, Sequence[str]] = {},
    ) -> Node:  # fmt: skip
        """Write a new node. `related` are ids or titles; what is no node is kept as a link to nowhere, which the doctor finds.

        Raises NodeRefusedError, GraphUnwritableError.
        """
        kind = _type(type)
        name = as_line(title)[:200]
        if len(body) > MOST_BODY:
            raise NodeRefusedError(
                f"the body has {len(body):,} characters", hint=f"at most {MOST_BODY:,}: split it, or link to it"
            )
        if not slug(name) and not name:
            raise NodeRefusedError("the title has no words", hint="say in a line what it is about")
        now = datetime.now(UTC).replace(microsecond=0)
        wanted = slug(name) or kind
        if kind in {"execution", "journal"} and not wanted[:4].isdigit():
            wanted = f"{now:%Y-%m-%d}-{wanted}"
        told: dict[EdgeType, tuple[str, ...]] = {key: tuple(ids) for key, ids in relations.items() if ids}
        if linked := _cleaned(related):
            told["relates_to"] = linked
        with self.folder.writing():
            taken = set(self.folder.nodes()) | {one for other in self.shared for one in other.nodes()}
            return self.folder.put(
                Node(
                    id=self.folder.free_id(wanted, taken), type=kind, title=name, body=clean(body),
                    tags=_cleaned(tags)[:MOST_TAGS], created=now, updated=now, author=as_line(author)[:200], relations=told,
                    metadata={as_line(key)[:100]: as_line(str(value))[:1_000] for key, value in metadata.items()},
                )
            )  # fmt: skip

    def add_execution(
        self, title: str, *, context: str = "", root_cause: str = "", resolution: str = "", action_items: Sequence[str] = (),
        tags: Iterable[str] = (), started: datetime | None = None, detected: datetime | None = None,
        resolved: datetime | None = None, related: Sequence[str] = (), metadata: Mapping[str, str] = {}, author: str = "",
    ) -> Node:  # fmt: skip
        """Write down an incident or an execution. Raises NodeRefusedError (the times are not in order), GraphUnwritableError."""
        known = graph_names(self.graph())
        shown = [f"[[{known[one.lower()]}]]" if one.lower() in known else one for one in related]
        body = templates.execution(title, context, (started, detected, resolved), root_cause, resolution, action_items, shown)
        linked = [known[one.lower()] for one in related if one.lower() in known]
        return self.add("execution", title, body, tags=tags, related=linked, metadata=metadata, author=author)

    def add_decision(
        self, title: str, *, context: str, decision: str, consequences: str, alternatives: str = "", tags: Iterable[str] = (),
        related: Sequence[str] = (), metadata: Mapping[str, str] = {}, supersedes: str = "", author: str = "",
    ) -> Node:  # fmt: skip
        """Write an ADR; with `supersedes` it takes the place of another one. Raises NodeNotFoundError, NodeRefusedError."""
        old = self._writable(supersedes) if supersedes else None
        body = templates.decision(context, decision, consequences, alternatives)
        made = self.add("decision", title, body, tags=tags, related=related, metadata=metadata, author=author)
        if old is not None:
            self.supersede(old.id, made.id)
            return self.get(made.id)
        return made

    def link(self, source: str, relation: EdgeType, target: str) -> Edge:
        """Say how one node relates to another. Raises NodeNotFoundError, NodeRefusedError (no such relation), CycleError."""
        if relation not in EDGES:
            raise NodeRefusedError(f"there is no relation {str(relation)[:40]!r}", hint=f"one of {', '.join(EDGES)}")
        one, other = self._writable(source), self.get(target)
        if one.id == other.id:
            raise NodeRefusedError(f"{one.id} cannot be linked to itself", hint="name another node")
        edge = Edge(one.id, relation, other.id)
        graph = self.graph()
        if relation in {"supersedes", "depends_on"} and Graph({}, (*graph.edges, edge)).circles(relation):
            raise CycleError(
                f"{one.id} {relation} {other.id} would close a circle", hint=f"`kogral graph {one.id}` shows the way"
            )
        with self.folder.writing():
            now = self.folder.nodes().get(one.id, one)
            ids = tuple(dict.fromkeys([*now.relations.get(relation, ()), other.id]))
            self._put_changed(now, relations={**now.relations, relation: ids})
        return edge

    def supersede(self, old: str, new: str) -> None:
        """The new node takes the place of the old one, which is marked. Raises as `link`."""
        before = self._writable(old)
        self.link(new, "supersedes", before.id)
        with self.folder.writing():
            now = self.folder.nodes().get(before.id, before)
            self._put_changed(now, status="superseded")

    def _put_changed(self, node: Node, **changes: object) -> Node:
        changed = replace(node, updated=datetime.now(UTC).replace(microsecond=0), **changes)  # type: ignore[arg-type]  # fields of a node
        return self.folder.put(changed)

    def _writable(self, node_id: str) -> Node:
        node = self.get(node_id)
        if node.graph != self.folder.name:
            raise NodeRefusedError(
                f"{node.id} is in the shared graph {node.graph}", hint="shared graphs are changed where they are kept"
            )
        return node

    # In and out

    def export(self, form: Literal["markdown", "json", "svg"], output: Path, *, types: Iterable[str] = ()) -> builtins.list[Path]:
        """Write the graph elsewhere; answers with the files. Raises GraphUnwritableError, NodeRefusedError."""
        from kogral.export import export  # noqa: PLC0415 - paid by who exports

        return export(self.graph(), form, output, {_type(one) for one in types})

    def import_folder(self, folder: Path, flavour: "Flavour" = "auto") -> "Imported":
        """Take a folder of markdown in, again too. Raises NodeNotFoundError (no folder)."""
        from kogral.importing import import_folder  # noqa: PLC0415 - paid by who imports

        return import_folder(self.folder, folder, flavour)

    def doctor(self) -> builtins.list[Problem]:
        """What is wrong: unreadable files, doubled ids, links to nowhere, lonely nodes, circles, an index that is behind."""
        from kogral.doctor import examine  # noqa: PLC0415 - paid by who asks

        return examine(self)


def graph_names(graph: Graph) -> dict[str, str]:
    """The ids of nodes by what people call them, in lower case."""
    found = {one.title.lower(): one.id for one in graph.nodes.values()}
    return found | {name.lower(): name for name in graph.nodes}


def _names(folders: Sequence[Path]) -> builtins.list[str]:
    names: builtins.list[str] = []
    for folder in folders:
        real = folder.resolve()
        name = slug(real.parent.name if real.name == ".kogral" else real.name) or "shared"
        names.append(name if name not in names else f"{name}-{len(names) + 1}")
    return names


def _type(name: str) -> NodeType:
    found = type_named(str(name).lower().strip())
    if found is None:
        raise NodeRefusedError(f"there is no type {str(name)[:40]!r}", hint=f"one of {', '.join(TYPES)}")
    return found


def _cleaned(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for one in words if (text := as_line(one)[:200])))

"""Nodes and edges: the six types of each, as their files name them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

from prov_rag.words import without_accents

NodeType = Literal["note", "decision", "guideline", "pattern", "journal", "execution"]
EdgeType = Literal["relates_to", "depends_on", "implements", "extends", "supersedes", "explains"]
TYPES = cast("tuple[NodeType, ...]", get_args(NodeType))
EDGES = cast("tuple[EdgeType, ...]", get_args(EdgeType))
FOLDERS: Mapping[NodeType, str] = {
    "note": "notes",
    "decision": "decisions",
    "guideline": "guidelines",
    "pattern": "patterns",
    "journal": "journal",
    "execution": "executions",
}
"""Where the nodes of a type lie, below `.kogral/`."""
MOST_ID = 60
_WIKILINK = re.compile(r"(?<!\\)\[\[([^\[\]|#\n]+)(?:#[^\[\]|\n]*)?(?:\|[^\[\]\n]*)?\]\]")
_FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Edge:
    """From one node to another. `in_text`: a wikilink of the body, which relates without saying how."""

    source: str
    relation: EdgeType
    target: str
    in_text: bool = False


@dataclass(frozen=True)
class Node:
    """One file of a graph. Times are in UTC; `relations` name other nodes by id; `extra` are keys that mean nothing here.

    `graph` is `project`, or the name of a shared graph; `path` is the file, None for a node that was never written.
    """

    id: str
    type: NodeType
    title: str
    body: str
    tags: tuple[str, ...] = ()
    created: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    updated: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    author: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    relations: Mapping[EdgeType, tuple[str, ...]] = field(default_factory=dict)
    status: str = ""
    graph: str = "project"
    path: Path | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def links_in_text(self) -> tuple[str, ...]:
        """The wikilinks of the body, as they are written, each once; those in fences are text."""
        found = _WIKILINK.findall(_FENCE.sub("", self.body))
        return tuple(dict.fromkeys(name.strip() for name in found if name.strip()))

    @property
    def service(self) -> str:
        """The service that it is about, where it says so."""
        return str(self.metadata.get("service", ""))

    def as_dict(self) -> dict[str, Any]:
        """The node as JSON has it."""
        return {
            "id": self.id,
            "type": self.type,
            "title": self.title,
            "content": self.body,
            "tags": list(self.tags),
            "created_at": as_text(self.created),
            "updated_at": as_text(self.updated),
            "author": self.author,
            "metadata": dict(self.metadata),
            "relations": {relation: list(ids) for relation, ids in self.relations.items()},
            "status": self.status,
            "graph": self.graph,
        }


def type_named(text: str) -> NodeType | None:
    """The type of that name, or of that folder."""
    for one, folder in FOLDERS.items():
        if text in {one, folder}:
            return one
    return None


def as_text(moment: datetime) -> str:
    """A moment as files and answers have it: `2026-11-24T10:30:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def slug(text: str) -> str:
    """A title as an id: ASCII words with hyphens, at most `MOST_ID` characters; empty when it has none."""
    words = re.sub(r"[^a-z0-9]+", "-", without_accents(text.replace("ß", "ss")).lower()).strip("-")
    return words if len(words) <= MOST_ID else words[: MOST_ID + 1].rpartition("-")[0] or words[:MOST_ID]

"""A node as a file: YAML front matter in a fixed order, then markdown. What a person wrote there is kept."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from kogral.node import EDGES, EdgeType, Node, NodeType, as_text, type_named

MOST_BYTES = 1 << 20
_KEYS = ("id", "type", "title", "status", "tags", "created", "updated", "author", *EDGES, "metadata")


class UnreadableError(Exception):
    """A file that is no node; its text says why."""


def parse(data: bytes, file: Path, type_: NodeType, graph: str, modified: float) -> Node:
    """The node of a file in the folder of `type_`, what it does not say filled in. Raises UnreadableError."""
    if len(data) > MOST_BYTES:
        raise UnreadableError(f"it has {len(data) / 1e6:.1f} MB (at most 1 MiB)")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UnreadableError("it is not UTF-8 text") from None
    head, body = _split(text)
    stem = file.stem
    written = datetime.fromtimestamp(modified, UTC)
    said = str(head.get("type", type_)).lower()
    return Node(
        id=_line(head.get("id")) or stem,
        type=type_named(said) or type_,
        title=_line(head.get("title")) or _heading(body) or stem.replace("-", " "),
        body=body.strip("\n") + "\n" if body.strip() else "",
        tags=tuple(dict.fromkeys(_list(head.get("tags")))),
        created=moment(head.get("created")) or written,
        updated=moment(head.get("updated")) or written,
        author=_line(head.get("author")),
        metadata=_metadata(head.get("metadata")),
        relations=_relations(head),
        status=_line(head.get("status")),
        graph=graph,
        path=file,
        extra={str(key): value for key, value in head.items() if key not in _KEYS},
    )


def _split(text: str) -> tuple[dict[str, Any], str]:
    if not text.startswith("---\n"):
        return {}, text
    end = re.search(r"^---[ \t]*$", text[4:], re.MULTILINE)
    if end is None:
        raise UnreadableError("its front matter has no end (a line with ---)")
    try:
        head = yaml.safe_load(text[4 : 4 + end.start()])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UnreadableError(f"its front matter is not YAML{f' (line {mark.line + 2})' if mark else ''}") from None
    except (ValueError, RecursionError):
        raise UnreadableError("its front matter holds a value that cannot be") from None
    if head is not None and not isinstance(head, dict):
        raise UnreadableError("its front matter is no table of keys")
    return head or {}, text[4 + end.end() :].removeprefix("\n")


def _line(value: Any) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _list(value: Any) -> Iterator[str]:
    items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    for item in items:
        if text := _line(item).removeprefix("[[").removesuffix("]]"):
            yield text


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): as_text(item) if isinstance(item, datetime) else str(item) for key, item in value.items() if item is not None
    }


def _relations(head: Mapping[str, Any]) -> dict[EdgeType, tuple[str, ...]]:
    found: dict[EdgeType, tuple[str, ...]] = {relation: tuple(dict.fromkeys(_list(head.get(relation)))) for relation in EDGES}
    told: dict[EdgeType, tuple[str, ...]] = {relation: ids for relation, ids in found.items() if ids}
    return told


def _heading(body: str) -> str:
    match = re.search(r"^# +(.+?)[ #]*$", body[:4_000], re.MULTILINE)
    return match.group(1) if match else ""


def moment(value: Any) -> datetime | None:
    """A moment in UTC of what YAML or a person wrote; without a zone it is UTC. None for what is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None


def render(node: Node) -> str:
    """The file of a node. Read again it is the same node."""
    head: dict[str, Any] = {"id": node.id, "type": node.type, "title": node.title}
    head |= {"status": node.status} if node.status else {}
    head |= {"tags": list(node.tags), "created": as_text(node.created), "updated": as_text(node.updated)}
    head |= {"author": node.author} if node.author else {}
    head |= {relation: list(node.relations[relation]) for relation in EDGES if node.relations.get(relation)}
    head |= {"metadata": dict(node.metadata)} if node.metadata else {}
    text = yaml.safe_dump(head | dict(node.extra), sort_keys=False, allow_unicode=True, default_flow_style=None, width=10_000)
    body = node.body.strip("\n")
    return f"---\n{text}---\n\n{body}\n" if body else f"---\n{text}---\n"


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A new file beside this one, which takes its place when the block ends well: whole, or not at all."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem[:20]}-", suffix=".new")
    os.close(handle)
    made = Path(name)
    try:
        yield made
        with made.open("rb") as written:
            os.fsync(written.fileno())
        made.chmod(0o644)
        made.replace(file)
    finally:
        made.unlink(missing_ok=True)

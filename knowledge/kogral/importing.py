"""Markdown of elsewhere as nodes: plain folders, Logseq, Obsidian. Imported again, what changed is brought up to date."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from kogral.errors import NodeNotFoundError
from kogral.files import MOST_BYTES, UnreadableError, parse
from kogral.node import Node, NodeType, slug
from kogral.store import NodeFolder
from prov_rag.guard import clean

Flavour = Literal["auto", "markdown", "logseq", "obsidian"]
_LEFT_OUT = {".git", ".obsidian", "logseq", ".trash", "node_modules", ".kogral", "whiteboards", "bak"}
_TYPE_OF_FOLDER: dict[str, NodeType] = {
    "journals": "journal",
    "journal": "journal",
    "daily": "journal",
    "decisions": "decision",
    "adr": "decision",
    "adrs": "decision",
    "guidelines": "guideline",
    "patterns": "pattern",
    "postmortems": "execution",
    "incidents": "execution",
    "executions": "execution",
}
_PROPERTY = re.compile(r"^\s*(?:- )?([A-Za-z][\w-]*):: ?(.*)$")
_EMBED = re.compile(r"!\[\[([^\]|#]+)(?:[#|][^\]]*)?\]\]")
_TAG = re.compile(r"(?<![\w&/#])#([A-Za-z][\w/-]+)")
ORIGIN, SUM = "imported_from", "imported_sha256"


@dataclass
class Imported:
    """What an import did; `warnings` name files that were left out, and why."""

    flavour: str
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    """Nodes that somebody changed here since they were imported: they stay as they are."""
    warnings: list[str] = field(default_factory=list)


def import_folder(target: NodeFolder, folder: Path, flavour: Flavour) -> Imported:
    """Take the markdown below a folder in. Raises NodeNotFoundError, GraphUnwritableError."""
    if not folder.is_dir():
        raise NodeNotFoundError(
            f"there is no folder {folder}", hint="give a folder of markdown, a Logseq graph or an Obsidian vault"
        )
    told = _told(folder) if flavour == "auto" else flavour
    done = Imported(told)
    with target.writing():
        here = {one.metadata.get(ORIGIN): one for one in target.nodes().values() if one.metadata.get(ORIGIN)}
        taken = set(target.nodes())
        for file in _files(folder):
            origin = file.relative_to(folder).as_posix()
            try:
                data = file.read_bytes()
                if len(data) > MOST_BYTES:
                    raise UnreadableError(f"it has {len(data) / 1e6:.1f} MB (at most 1 MiB)")  # noqa: TRY301 - one end for all reasons
                node = _node(file, folder, data, told)
            except (UnreadableError, OSError) as error:
                done.warnings.append(f"{origin}: {error}")
                continue
            digest = hashlib.sha256(data).hexdigest()
            old = here.get(origin)
            metadata = {**node.metadata, ORIGIN: origin, SUM: f"{digest[:16]} {_sum(node)}"}
            if old is None:
                name = target.free_id(slug(node.id) or slug(node.title) or node.type, taken)
                taken.add(name)
                target.put(replace(node, id=name, path=None, metadata=metadata))
                done.added += 1
            elif old.metadata.get(SUM, "").split(" ")[0] == digest[:16]:
                done.unchanged += 1
            elif old.metadata.get(SUM, "").split(" ")[-1] != _sum(old):
                done.kept += 1
                done.warnings.append(f"{origin}: changed there and here ({old.id}); what is here stays")
            else:
                target.put(replace(node, id=old.id, path=old.path, type=old.type, created=old.created, metadata=metadata))
                done.updated += 1
    return done


def _sum(node: Node) -> str:
    """What tells whether somebody changed a node here since."""
    return hashlib.sha256(f"{node.title}\n{node.body.strip()}".encode()).hexdigest()[:16]


def _told(folder: Path) -> Literal["markdown", "logseq", "obsidian"]:
    if (folder / "logseq").is_dir() or ((folder / "pages").is_dir() and (folder / "journals").is_dir()):
        return "logseq"
    return "obsidian" if (folder / ".obsidian").is_dir() else "markdown"


def _files(folder: Path) -> Iterator[Path]:
    base = folder.resolve()
    for place, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if name not in _LEFT_OUT and not name.startswith("."))
        for name in sorted(files):
            file = Path(place) / name
            if file.suffix.lower() in {".md", ".markdown"} and file.resolve().is_relative_to(base):
                yield file


def _node(file: Path, folder: Path, data: bytes, flavour: str) -> Node:
    parents = [part.lower() for part in file.relative_to(folder).parts[:-1]]
    type_: NodeType = "note"
    for parent in parents:
        type_ = _TYPE_OF_FOLDER.get(parent, type_)
    modified = file.stat().st_mtime
    node = parse(clean(data.decode("utf-8-sig", errors="replace")).encode(), file, type_, "project", modified)
    if flavour == "logseq":
        return _from_logseq(node, file, modified)
    if flavour == "obsidian":
        tags = tuple(dict.fromkeys([*node.tags, *_TAG.findall(_without_fences(node.body))]))
        return replace(node, body=_EMBED.sub(r"[[\1]]", node.body), tags=tags)
    return node


def _from_logseq(node: Node, file: Path, modified: float) -> Node:
    """Properties become front matter, top-level bullets paragraphs."""
    properties: dict[str, str] = {}
    lines: list[str] = []
    in_fence = False
    for line in node.body.splitlines():
        in_fence ^= line.strip().removeprefix("- ").startswith("```")
        found = None if in_fence else _PROPERTY.match(line)
        if found and found.group(1).lower() not in {"http", "https"}:
            # A block's own properties (collapsed, id) mean nothing outside of Logseq.
            if not line.startswith((" ", "\t")):
                properties.setdefault(found.group(1).lower(), found.group(2).strip())
            continue
        lines.append(_bullet(line))
    name = file.stem.replace("___", "/").replace("%2F", "/")
    day = re.fullmatch(r"(\d{4})[_-](\d\d)[_-](\d\d)", name)
    created = datetime(*map(int, day.groups()), tzinfo=UTC) if day else node.created  # type: ignore[misc,arg-type]  # three numbers
    tags = [one.strip().strip("#").removeprefix("[[").removesuffix("]]") for one in properties.pop("tags", "").split(",")]
    title = properties.pop("title", "") or ("-".join(day.groups()) if day else name)
    kind = properties.pop("type", "")
    return replace(
        node,
        id=slug(title) or node.id,
        title=title,
        type="journal" if day else kind if kind in {"decision", "guideline", "pattern", "execution"} else node.type,  # type: ignore[arg-type]  # just compared
        body="\n".join(lines).strip("\n") + "\n",
        tags=tuple(dict.fromkeys([*node.tags, *(one for one in tags if one)])),
        created=created,
        updated=datetime.fromtimestamp(modified, UTC),
        metadata={**node.metadata, **{key: value for key, value in properties.items() if value}},
    )


def _bullet(line: str) -> str:
    """A block of the first level is a paragraph; what is below it stays a list."""
    if line.startswith("- "):
        return f"\n{line[2:]}"
    return line[1:] if line.startswith("\t") else line.removeprefix("  ")


def _without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)

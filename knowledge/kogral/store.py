"""A folder of nodes: read again when files change, written whole or not at all, one writer at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kogral.errors import GraphUnwritableError
from kogral.files import UnreadableError, parse, render, replacing
from kogral.node import FOLDERS, Node, NodeType

MOST_NODES = 50_000
_ABOUT = """# What this is

The knowledge of this project, one markdown file a node; `kogral` (or any editor) writes them, git keeps them.
Folders: notes, decisions, guidelines, patterns, journal, executions. `[[id]]` links to another node;
`kogral doctor` finds links to nowhere.
"""
_IGNORED = ".index/\n.lock\n*.new\n"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file or a node; `path` is relative to the graph's folder."""

    path: str
    message: str
    kind: str = "unreadable"


class NodeFolder:
    """The nodes in `root` (a `.kogral` folder, which need not exist). `name` is `project`, or that of a shared graph."""

    def __init__(self, root: Path, name: str = "project") -> None:
        self.root = root
        self.name = name
        self.problems: list[Problem] = []
        self._read: dict[Path, tuple[tuple[int, int, int], Node | str]] = {}

    def nodes(self) -> dict[str, Node]:
        """The nodes by id as the files are now. Of files with one id the first by path has it; the others are problems."""
        found: dict[str, Node] = {}
        self.problems = []
        seen: dict[Path, tuple[tuple[int, int, int], Node | str]] = {}
        for type_, file in self._files():
            try:
                info = file.stat()
            except OSError:
                continue
            stamp = (info.st_mtime_ns, info.st_size, info.st_ino)
            known = self._read.get(file)
            one = known[1] if known and known[0] == stamp else self._one(file, type_, info.st_mtime)
            seen[file] = (stamp, one)
            path = file.relative_to(self.root).as_posix()
            if isinstance(one, str):
                self.problems.append(Problem(path, one))
            elif one.id in found:
                first = found[one.id].path
                assert first is not None
                said = f"its id {one.id!r} is that of {first.relative_to(self.root).as_posix()} already"
                self.problems.append(Problem(path, said, "duplicate"))
            else:
                found[one.id] = one
        self._read = seen
        return found

    def _files(self) -> Iterator[tuple[NodeType, Path]]:
        count = 0
        base = self.root.resolve()
        for type_, folder in FOLDERS.items():
            for file in sorted((self.root / folder).rglob("*.md")):
                if file.name.startswith(".") or not file.is_file() or not file.resolve().is_relative_to(base):
                    continue
                count += 1
                if count > MOST_NODES:
                    return
                yield type_, file

    def _one(self, file: Path, type_: NodeType, modified: float) -> Node | str:
        try:
            return parse(file.read_bytes(), file, type_, self.name, modified)
        except UnreadableError as error:
            return str(error)
        except OSError as error:
            return f"it cannot be read ({error.strerror})"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder against other writers, and make it if it is not there. Raises GraphUnwritableError."""
        try:
            is_new = not self.root.exists()
            self.root.mkdir(parents=True, exist_ok=True)
            if is_new:
                (self.root / "README.md").write_text(_ABOUT, encoding="utf-8")
                (self.root / ".gitignore").write_text(_IGNORED, encoding="utf-8")
            handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _unwritable(self.root, error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise _unwritable(self.root, error) from None
        finally:
            os.close(handle)

    def free_id(self, wanted: str, taken: set[str]) -> str:
        """The id, or with the first number behind it that is free; inside `writing`."""
        number, chosen = 1, wanted
        files = {file.stem for _, file in self._files()}
        while chosen in taken or chosen in files:
            number += 1
            chosen = f"{wanted}-{number}"
        return chosen

    def put(self, node: Node) -> Node:
        """Write a node, in the file that it came from or a new one; inside `writing`."""
        file = node.path or self.root / FOLDERS[node.type] / f"{node.id}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.parent.resolve().is_relative_to(self.root.resolve()):
            raise GraphUnwritableError(f"{file.parent} leads out of the graph", hint="replace the link by a folder")
        with replacing(file) as made:
            made.write_text(render(node), encoding="utf-8")
        body = node.body.strip("\n")
        return replace(node, path=file, graph=self.name, body=f"{body}\n" if body else "")


def _unwritable(root: Path, error: OSError) -> GraphUnwritableError:
    return GraphUnwritableError(f"{root}: {error.strerror}", hint="let it be written there, or make room")

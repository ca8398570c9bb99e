"""The library and the graph of a workspace, made when they are first asked for; one set of embedding models for a process."""

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from stratumops.errors import InvalidInputError
from stratumops.settings_groups import KnowledgeSettings, RagSettings
from stratumops.workspace import Workspace

if TYPE_CHECKING:
    from kogral.knowledge import Knowledge
    from prov_rag.library import Library
    from prov_rag.models import Models
    from prov_rag.source import Source

SHIPPED, WORKSPACE, GRAPH = "stratumops", "workspace", "kogral"
GRAPH_FOLDER = ".kogral"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """`stratumops` in the user's cache folder (XDG)."""
    base = environment.get("XDG_CACHE_HOME", "")
    home = environment.get("HOME") or os.fspath(Path.home())
    return (Path(base) if base.startswith("/") else Path(home) / ".cache") / "stratumops"


@cache
def models(choice: str, folder: Path) -> "Models":
    """The models of this process: several servers in one process do not hold them twice."""
    from prov_rag.models import Models  # noqa: PLC0415 - what finds documents is paid by who searches

    return Models(choice, folder)


class KnowledgeAccess:
    """Opens nothing before it is asked for. Safe to use from threads."""

    def __init__(
        self,
        workspace: Workspace,
        rag: RagSettings,
        knowledge: KnowledgeSettings,
        environment: Mapping[str, str] = os.environ,
        *,
        is_server: bool = False,
    ) -> None:
        self._is_server = is_server
        self._workspace = workspace
        self._rag = rag
        self._knowledge = knowledge
        self._environment = environment
        self._library: Library | None = None
        self._graph: Knowledge | None = None
        self._stamp: tuple[int, int] = (-1, -1)
        self._lock = Lock()

    @property
    def models_folder(self) -> Path:
        """Where a fetched model lies."""
        return cache_folder(self._environment) / "models"

    def library(self) -> "Library":
        """The documents, with the folders that are added now.

        Raises NotAdoptedError (somebody else's `.prov`), InvalidInputError (a folder in the settings), UnavailableError.
        """
        from prov_server.knowledge.sources import Sources  # noqa: PLC0415 - as above

        with self._lock:
            stamp = Sources(self._workspace.own).stamp()
            if self._library is None:
                self._require_ours()
                self._library = self._made()
            elif stamp != self._stamp:
                self._library.index.sources = tuple(self._sources())
            self._stamp = stamp
            return self._library

    def graph(self) -> "Knowledge":
        """What is known of the workspace, and the shared graphs."""
        from kogral.knowledge import Knowledge  # noqa: PLC0415 - as above

        with self._lock:
            if self._graph is None:
                self._graph = Knowledge(
                    self._workspace.root / GRAPH_FOLDER,
                    [Path(one).expanduser() for one in self._knowledge.shared],
                    library=self.library,
                )
            return self._graph

    @property
    def records_executions(self) -> bool:
        """Whether every operation leaves a node."""
        return self._knowledge.record_executions

    def _require_ours(self) -> None:
        from prov_server.engine.adoption import Adoption  # noqa: PLC0415 - as above

        self._workspace.make_own()
        Adoption.of_user(self._workspace.own, self._environment).require()

    def _made(self) -> "Library":
        from prov_corpus.documents import FOLDER  # noqa: PLC0415 - as above
        from prov_rag.library import Library  # noqa: PLC0415 - as above

        # Another installation has other documents: each has an index of its own to begin with.
        here = hashlib.sha256(os.fsencode(FOLDER)).hexdigest()[:12]
        return Library(
            self._workspace.own / "index",
            self._sources(),
            models(self._rag.embedder, self.models_folder),
            chroma=self._rag.chroma_url,
            exact_most=self._rag.exact_chunks,
            seed=cache_folder(self._environment) / "documents" / here,
            background=self._is_server,
        )

    def _sources(self) -> "list[Source]":
        from prov_corpus.documents import FOLDER  # noqa: PLC0415 - as above
        from prov_rag.source import Source  # noqa: PLC0415 - as above
        from prov_server.knowledge.sources import Sources  # noqa: PLC0415 - as above

        found = self._graph_sources()
        for number, name in enumerate(self._rag.sources):
            folder = (self._workspace.root / name).resolve()
            if not folder.is_relative_to(self._workspace.root.resolve()):
                raise InvalidInputError(
                    f"rag.sources: {name!r} is not in the workspace", hint="add it with `prov rag add FOLDER`"
                )
            found.append(Source(WORKSPACE if number == 0 else f"{WORKSPACE}-{number + 1}", folder, "project"))
        found += [Source(one.name, Path(one.folder), "imported") for one in Sources(self._workspace.own).all()]
        if self._rag.shipped:
            found.append(Source(SHIPPED, FOLDER, "shipped"))
        return found

    def _graph_sources(self) -> "list[Source]":
        from kogral.knowledge import Knowledge  # noqa: PLC0415 - as above

        shared = [Path(one).expanduser() for one in self._knowledge.shared]
        return Knowledge(self._workspace.root / GRAPH_FOLDER, shared).sources()

    def close(self) -> None:
        """End what goes on in the background."""
        with self._lock:
            library, self._library = self._library, None
        if library is not None:
            library.close()

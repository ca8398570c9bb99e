"""A library of documents: what is written in its sources is found by the next search."""

import difflib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prov_rag.answer import Answer, Hit, Mode
from prov_rag.chroma import Chroma
from prov_rag.dense import Exact, Similar
from prov_rag.embed import Embedder, installed
from prov_rag.errors import DocumentNotFoundError
from prov_rag.filters import Filter
from prov_rag.finder import Found, find, together
from prov_rag.guard import clean, orders
from prov_rag.index import Index
from prov_rag.models import Models
from prov_rag.scan import Progress, Taken
from prov_rag.source import Source

if TYPE_CHECKING:
    from prov_rag.store import Store
    from prov_rag.tables import Row

EVERYTHING = Filter()
_CLOSE_SECONDS = 10.0
_AT_ONCE = 16
"""So many new chunks are embedded within the search that finds them; more in the background."""


class Library:
    """The documents of `sources`, found through an index in `folder`.

    `models` are shared by all libraries of a process: they hold some 60 MB. Beyond `exact_most` chunks Chroma looks for what is
    similar, in a folder beside the index or at the server `chroma`. `seed` is a folder of this user's for an index of what is
    shipped: each library begins with a copy of it. With `background` many new passages get their vectors while searches go on;
    without, as in a process that soon ends, only `make` gives them.
    """

    def __init__(
        self, folder: Path, sources: Sequence[Source], models: Models | None = None, *, chroma: str = "", exact_most: int = 5_000,
        seed: Path | None = None, background: bool = True,
    ) -> None:  # fmt: skip
        shipped = [source for source in sources if source.trust == "shipped"]
        self.index = Index(folder, sources, Index(seed, shipped) if seed and shipped else None)
        self.models = models or Models()
        self._exact_most = exact_most
        self._background = background
        self._chroma = Chroma(folder / "chroma", chroma)
        self._exact: dict[str, Exact] = {}
        self._lock = threading.Lock()
        self._embedding: threading.Thread | None = None
        self._stopping = threading.Event()
        self._users = 0
        self._idle = threading.Condition()

    @contextmanager
    def _using(self) -> Iterator[None]:
        """While the index is used: `close` waits for the end of it."""
        with self._idle:
            self._users += 1
        try:
            yield
        finally:
            with self._idle:
                self._users -= 1
                self._idle.notify_all()

    def close(self) -> None:
        """Stop what goes on in the background, after its present batch; searches of other threads end first."""
        self._stopping.set()
        with self._idle:
            self._idle.wait_for(lambda: not self._users, _CLOSE_SECONDS)
        if self._embedding is not None:
            self._embedding.join()
        self.index.close()

    # --- indexing

    def make(self, progress: Progress | None = None, *, seconds: float = 60.0) -> Taken:
        """Bring the whole index up to date, vectors included: what `prov rag index` does.

        Unchanged documents cost a look at their size and time.
        """
        with self._using():
            refreshed = self.index.refresh(everything=True, progress=progress, seconds=seconds)
            for model in self.models.ready(seconds) or []:
                with self.index.writing(seconds, "embedding.lock"):
                    self.index.embed(model, progress=progress, seconds=seconds)
            self._fill()
        return refreshed.taken

    @property
    def is_made(self) -> bool:
        """Whether there is an index by now: the first search of a workspace makes one, which takes some seconds."""
        return self.index.file.exists()

    def _is_large(self, store: "Store") -> bool:
        return store.counts()[1] > self._exact_most and installed("chromadb")

    def _fill(self) -> None:
        store = self.index.store()
        if self._is_large(store):
            with self._lock, self.index.writing(60.0) as mine:
                if mine:
                    for model in self.models.ready() or []:
                        self._chroma.fill(store, model.id)

    def _embed_later(self) -> None:
        with self._lock:
            if self._background and (self._embedding is None or not self._embedding.is_alive()):
                self._embedding = threading.Thread(target=self._embed, name="embedding", daemon=True)
                self._embedding.start()

    def _embed(self) -> None:
        for model in self.models.ready(120.0) or []:
            with self.index.writing(0.0, "embedding.lock") as mine:  # another process that does it does it for us too
                while mine and not self._stopping.is_set() and self.index.embed(model, most=256):
                    pass
        if not self._stopping.is_set():
            self._fill()

    def _pending(self, store: "Store", models: Sequence[Embedder]) -> int:
        return max((store.count_unembedded(model.id) for model in models), default=0)

    # --- searching

    def search(
        self, query: str | Sequence[str], only: Filter = EVERYTHING, *, limit: int = 8, mode: Mode = "hybrid", wait: float = 0.0
    ) -> Answer:
        """The passages that answer one question, or several ways to put it (the scores are averaged); one of each document.

        `mode` text looks for words, semantic for meaning, hybrid for both. While the models load, for `wait` seconds at most,
        words alone answer, and `degraded` says so.

        Raises:
            IndexBusyError: the index is being made again by another process.
        """
        queries = tuple(text for text in ([query] if isinstance(query, str) else query) if text.strip())
        with self._using():
            try:
                return self._search(queries, only, limit, mode, wait)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) and "lock" in str(error):
                    raise
                self.index.give_up()
                self._exact.clear()
                return self._search(queries, only, limit, mode, wait)

    def _search(self, queries: tuple[str, ...], only: Filter, limit: int, mode: Mode, wait: float) -> Answer:
        refreshed = self.index.refresh()
        store = self.index.store()
        models, degraded = ([], "") if mode == "text" else self._meaning(store, wait)
        condition, values = only.condition()
        allowed = store.allowed(condition, values) if condition else None
        similar = partial(self._similar, store)
        hits: tuple[Hit, ...] = ()
        if queries:
            found = together([find(store, query, models, mode, allowed, similar) for query in queries])
            hits = tuple(_hits(store, found, max(limit, 0)))
        notices, self.index.notices = tuple(self.index.notices), []
        return Answer(
            query=queries, mode=mode, embedder=" + ".join(model.id for model in models) or "none", degraded=degraded,
            generation=store.generation, indexed_at=store.meta("indexed_at"), stale=refreshed.stale, hits=hits, notices=notices,
        )  # fmt: skip

    def _meaning(self, store: "Store", wait: float) -> tuple[list[Embedder], str]:
        """The models to use now, and what is not used."""
        models = self.models.ready(wait)
        if models is None:
            self._embed_later()
            return [], "the embedding models are loading: found by words alone"
        if not models:
            return [], f"{self.models.problem or 'embedding is switched off'}: found by words alone"
        pending = self._pending(store, models)
        if pending:
            for model in models:
                self.index.take_made(model)
            pending = self._pending(store, models)
        if 0 < pending <= _AT_ONCE:
            for model in models:
                self.index.embed(model)
            pending = 0
        if pending:
            self._embed_later()
            later = "" if self._background else "; `prov rag index` gives them vectors, once"
            return models, f"{pending:,} passages are found by words alone until they have vectors{later}"
        return models, self.models.problem

    def _similar(self, store: "Store", model: Embedder, query: str) -> Similar:
        vector = self.models.query(model, query)
        if self._is_large(store):
            with self._lock:
                return self._chroma.similar(store, model.id, vector)
        exact = self._exact.get(model.id)
        if exact is None or exact.generation != store.generation:
            exact = self._exact[model.id] = Exact(store, model.id)
        return exact.similar(vector)

    # --- reading

    def read(self, uri: str) -> tuple[str, str]:
        """(text, trust) of a document by its address (`prov://doc/SOURCE/PATH`) or `SOURCE/PATH`, without what hides in it.

        Raises:
            DocumentNotFoundError: no document has this path; those that are nearly called so are named.
        """
        with self._using():
            return self._read(uri)

    def _read(self, uri: str) -> tuple[str, str]:
        name, _, path = uri.removeprefix("prov://doc/").partition("/")
        self.index.refresh()
        store = self.index.store()
        found = store.find(name, path)
        source = next((source for source in self.index.sources if source.name == name), None)
        if found is not None and source is not None:
            root = source.root.resolve()
            file = root if root.is_file() else root / path
            if file.resolve() == root or file.resolve().is_relative_to(root):
                return clean(file.read_bytes().decode("utf-8-sig", errors="replace").replace("\r\n", "\n")), found[1]
        near = difflib.get_close_matches(f"{name}/{path}", [f"{row[1]}/{row[2]}" for row in store.documents()], 3, 0.5)
        hint = f"Nearly called so: {', '.join(near)}." if near else "Search for it: paths stand in every answer."
        raise DocumentNotFoundError(f"there is no document {name}/{path}", hint=hint)

    def documents(self) -> list[tuple[str, str, str, str, str]]:
        """(source, path, title, type, trust) of every document, by source and path, as the files are now."""
        with self._using():
            self.index.refresh()
            trust = {one.name: one.trust for one in self.index.sources}
            rows = self.index.store().documents()
            return [(source, path, title, kind, trust.get(source, "imported")) for _, source, path, title, kind, *_rest in rows]

    def status(self, *, wait: float = 0.0) -> dict[str, Any]:
        """What the index holds: documents and chunks by source, what was left out and why, vectors, models, bytes.

        Waits so many seconds for the models.
        """
        models = self.models.ready(wait) or []
        with self._using():
            return self._status(models)

    def _status(self, models: Sequence[Embedder]) -> dict[str, Any]:
        store = self.index.store()
        counted = store.sources()
        return {
            "index": str(self.index.file), "bytes": self.index.file.stat().st_size, "generation": store.generation,
            "indexed_at": store.meta("indexed_at"),
            "sources": [
                {"name": source.name, "root": str(source.root), "trust": source.trust,
                 "documents": counted.get(source.name, (0, 0))[0], "chunks": counted.get(source.name, (0, 0))[1]}
                for source in self.index.sources
            ],
            "skipped": [{"path": f"{name}/{path}", "reason": reason} for name, path, reason in store.skipped()],
            "warnings": [{"path": f"{name}/{path}", "warning": warning} for name, path, warning in store.warned()],
            "models": [{"id": model.id, "without_vectors": store.count_unembedded(model.id)} for model in models],
            "dense": "chroma" if self._is_large(store) else "exact", "problem": self.models.problem,
            "vector_bytes_in_memory": sum(exact.bytes for exact in self._exact.values()),
        }  # fmt: skip


def _hits(store: "Store", found: Found, limit: int) -> Iterator[Hit]:
    top = sorted(found.scores, key=lambda document: (-found.scores[document], document))[:limit]
    chosen = store.best_chunks(top)  # of a document that only its front matter's words found, the first
    for document in top:
        if passages := found.passages.get(document):
            chosen[document] = max(passages, key=passages.__getitem__)
    rows = store.rows(chosen.values())
    for document in top:
        if (row := rows.get(chosen.get(document, -1))) is not None:
            ranks = {name: places[document] for name, places in found.ranks.items() if document in places}
            yield _hit(row, found.scores[document], ranks)


def _hit(row: "Row", score: float, ranks: dict[str, int]) -> Hit:
    text = clean(row.body)
    return Hit(
        id=row.id, uri=f"prov://doc/{row.source}/{row.path}", source=row.source, path=row.path, lines=row.lines, title=row.title,
        heading=" > ".join(row.headings), type=row.type, service=row.service, tags=row.tags, language=row.language,
        score=round(score, 4), ranks=ranks, sha256=row.sha256, updated_at=row.updated, trust=row.trust, text=text,
        warnings=() if row.trust == "shipped" else orders(text),
    )  # fmt: skip

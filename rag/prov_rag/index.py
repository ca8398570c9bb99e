"""The index on disk: opened, made again when broken or old, brought up to what lies in the sources, given its vectors."""

import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prov_rag.embed import Embedder
from prov_rag.errors import IndexBusyError
from prov_rag.scan import Change, Progress, Taken, embedded_text, look, take
from prov_rag.source import Source
from prov_rag.store import Store

_BATCH = 128
_POLL = 0.02


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a look at the sources brought; `stale`: another process was writing, and what changed is not yet in the index."""

    taken: Taken
    stale: bool


class Index:
    """The index in `folder`.

    Any number of threads and processes read; who writes has the lock file, and others go on with what was.
    """

    def __init__(self, folder: Path, sources: Sequence[Source], seed: "Index | None" = None) -> None:
        """`seed` is an index of what is shipped, made once for all workspaces of a user: a new index begins as its copy."""
        self.folder = folder
        self.file = folder / "index.sqlite"
        self.sources = tuple(sources)
        self._seed = seed
        self.notices: list[str] = []
        self._own = threading.local()
        self._opened: list[Store] = []
        self._looked: set[str] = set()
        self._guard = threading.Lock()

    # --- opening

    def store(self) -> Store:
        """This thread's connection. An index that is broken, or that another version made, is made again.

        Raises:
            IndexBusyError: another process is making it again, and did not finish in time.
        """
        have: tuple[Store, int] | None = getattr(self._own, "store", None)
        if have is not None and self._inode() == have[1]:
            return have[0]
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._seed is not None and not self.file.exists():
            self._begin_as_copy(self._seed)
        store = self._open()
        self._own.store = (store, self._inode())
        with self._guard:
            self._opened.append(store)
        return store

    def _begin_as_copy(self, seed: "Index") -> None:
        with self.writing(30.0) as mine:
            if not mine or self.file.exists():
                return
            seed.refresh(seconds=30.0)
            made = self.file.with_name("index.new")
            made.unlink(missing_ok=True)
            seed.store().copy_to(made)
            made.rename(self.file)

    def _inode(self) -> int:
        try:
            return self.file.stat().st_ino
        except OSError:
            return 0

    def _open(self) -> Store:
        try:
            store = Store(self.file)
            if store.fits():
                return store
            store.close()
            why = "was made by another version"
        except sqlite3.OperationalError as error:
            if "lock" in str(error) or "busy" in str(error):
                raise IndexBusyError("another process is writing the index", hint="Try again in a moment.") from error
            why = "could not be read"
        except sqlite3.DatabaseError:
            why = "was broken"
        with self.writing(5.0) as mine:
            if not mine:
                raise IndexBusyError("another process is making the index again", hint="Try again in a moment.")
            try:  # it may have been done while we waited
                store = Store(self.file)
                if store.fits():
                    return store
                store.close()
            except sqlite3.DatabaseError:
                pass
            self._set_aside(why)
            return Store(self.file)

    def _set_aside(self, why: str) -> None:
        kept = self.file.with_name(f"index.{datetime.now(UTC):%Y%m%dT%H%M%S}.broken")
        if why == "was broken" and self.file.exists():
            self.file.rename(kept)
            self.notices.append(f"The index {why} and is made again; the broken file is kept as {kept.name}.")
        else:
            self.file.unlink(missing_ok=True)
            self.notices.append(f"The index {why} and is made again.")
        for end in ("-wal", "-shm"):
            self.file.with_name(self.file.name + end).unlink(missing_ok=True)
        self._looked.clear()

    def give_up(self) -> None:
        """Set a file aside that broke under use; the next `store` makes a new one."""
        with self.writing(5.0) as mine:
            have: tuple[Store, int] | None = getattr(self._own, "store", None)
            if mine and have is not None and have[1] == self._inode():
                self._set_aside("was broken")
        self._own.store = None

    def close(self) -> None:
        """Close the connections of all threads; none may be searching."""
        with self._guard:
            for store in self._opened:
                store.close()
            self._opened.clear()
        if self._seed is not None:
            self._seed.close()
        self._own = threading.local()

    @contextmanager
    def writing(self, seconds: float, name: str = "writer.lock") -> Iterator[bool]:
        """Whether this thread is the one that writes, among all threads and processes; waits so long at most."""
        self.folder.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + seconds
        handle = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    if time.monotonic() >= until:
                        yield False
                        return
                    time.sleep(_POLL)
                else:
                    break
            yield True
        finally:
            os.close(handle)

    # --- taking in

    def _changes(self, store: Store, *, everything: bool) -> tuple[list[Change], list[str]]:
        # What is shipped changes with the version only: once in a process is enough.
        wanted = [source for source in self.sources if everything or source.trust != "shipped" or source.name not in self._looked]
        dropped = [name for name in store.known_sources() if name not in {source.name for source in self.sources}]
        return [change for source in wanted if (change := look(store, source))], dropped

    def refresh(self, *, seconds: float = 2.0, everything: bool = False, progress: Progress | None = None) -> Refreshed:
        """Take in what changed on disk. Waits so many seconds for another writer at most."""
        store = self.store()
        changes, dropped = self._changes(store, everything=everything)
        taken = Taken()
        if changes or dropped:
            with self.writing(seconds) as mine:
                if not mine:
                    return Refreshed(taken, stale=True)
                changes, dropped = self._changes(store, everything=everything)
                if dropped:
                    with store.writing():
                        for name in dropped:
                            store.remove_source(name)
                        store.advance()
                taken = take(store, changes, progress)
                if changes or dropped:
                    with store.writing():
                        store.drop_unused_vectors()
                        store.note(indexed_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        self._looked.update(source.name for source in self.sources)
        return Refreshed(taken, stale=False)

    def embed(self, model: Embedder, *, most: int | None = None, progress: Progress | None = None, seconds: float = 0.0) -> int:
        """Give vectors to chunks that have none (`most` of them at most); how many were given. Waits so long for another process.

        What is shipped gets them in the seed, where there is one, and from there: it is embedded once for all workspaces.
        """
        store = self.store()
        if self._seed is None:
            return self._embed(store, model, most, progress, own=False)
        self._seed.refresh(seconds=seconds)
        store.take_vectors(self._seed.file, model.id)
        done = self._embed(store, model, most, progress, own=True)
        if (most is None or done < most) and store.count_unembedded(model.id):
            with self._seed.writing(seconds, "embedding.lock") as mine:
                # Where another process is at it, what it has is taken, and the next search asks again.
                made = self._seed.embed(model, most=None if most is None else most - done, progress=progress) if mine else 0
            store.take_vectors(self._seed.file, model.id)
            done += made
        return done

    def take_made(self, model: Embedder) -> None:
        """Take what the seed has by now."""
        if self._seed is not None and self._seed.file.exists():
            self.store().take_vectors(self._seed.file, model.id)

    def _embed(self, store: Store, model: Embedder, most: int | None, progress: Progress | None, *, own: bool) -> int:
        import numpy as np  # noqa: PLC0415 - words alone work without it

        whole = store.count_unembedded(model.id)
        done = 0
        while most is None or done < most:
            rows = store.unembedded(model.id, _BATCH if most is None else min(_BATCH, most - done), own=own)
            if not rows:
                break
            vectors = model.passages(
                [embedded_text(path, title, json.loads(headings), body) for _, path, title, headings, body in rows]
            )
            with store.writing():
                store.put_vectors(
                    model.id, [(row[0], vector.astype(np.float16).tobytes()) for row, vector in zip(rows, vectors, strict=True)]
                )
                store.advance()
            done += len(rows)
            if progress:
                progress(f"embedding ({model.id.split('/')[0]})", min(done, whole), whole)
        return done

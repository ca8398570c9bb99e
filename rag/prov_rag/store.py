"""The index's one source of truth: documents, chunks, full text and vectors in SQLite. All else is derived from it."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from prov_rag.chunk import VERSION as CHUNKER
from prov_rag.chunk import Chunk
from prov_rag.document import Document
from prov_rag.tables import FORMAT, SELECT_ROWS, TABLES, Row, row_of
from prov_rag.words import split_humps, without_accents, words

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a file, enough to see that it has changed."""

    size: int
    modified_ns: int
    sha256: str


def context(source_path: str, title: str, headings: Sequence[str]) -> str:
    """What stands above a chunk: its path in words, title and breadcrumb. The largest single gain in finding it."""
    path = split_humps(re.sub(r"[/_.-]+", " ", re.sub(r"\.\w+$", "", source_path)))
    return " > ".join(dict.fromkeys([path, title, *headings]))


T = TypeVar("T")


class Match(NamedTuple):
    """A chunk that holds words of a question; higher is better. `in_body` counts only its own text."""

    chunk: int
    document: int
    score: float
    in_body: float


class Store:
    """One SQLite file in write-ahead mode: any number of readers see the last committed state while one writer works.

    Not thread-safe: every thread opens its own.
    """

    def __init__(self, file: Path, *, create: bool = True) -> None:
        self.file = file
        self._memory: dict[str, Any] = {}
        self._state = (-1, -1)
        self._db = sqlite3.connect(file, timeout=5.0, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=normal")
            self._db.execute("pragma foreign_keys=on")
            if create:
                self._prepare()
            self._db.execute("select count(*) from meta").fetchone()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        with self.writing():
            if not self._db.execute("select 1 from sqlite_master where name = 'meta'").fetchone():
                for statement in TABLES.split(";\n"):
                    if statement.strip():
                        self._db.execute(statement)
                self._put("format", str(FORMAT))
                self._put("chunker", str(CHUNKER))
                self._put("generation", "0")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: all of it, or nothing."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def close(self) -> None:
        self._db.close()

    def meta(self, key: str) -> str:
        found = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return str(found[0]) if found else ""

    def _put(self, key: str, value: str) -> None:
        self._db.execute("insert into meta values(?, ?) on conflict(key) do update set value = excluded.value", (key, value))

    def note(self, **values: str) -> None:
        """Write down facts of the index itself (`indexed_at`, ...); inside `writing`."""
        for key, value in values.items():
            self._put(key, value)

    @property
    def generation(self) -> int:
        """A number that grows with every change of what can be found."""
        return int(self.meta("generation") or 0)

    def fits(self) -> bool:
        """Whether this code wrote it: same tables, same chunks."""
        return self.meta("format") == str(FORMAT) and self.meta("chunker") == str(CHUNKER)

    def advance(self) -> None:
        self._put("generation", str(self.generation + 1))

    def known(self, source: str) -> dict[str, Known]:
        """The files of a source, documents and skipped ones, by path."""
        rows = self._db.execute("select path, size, modified_ns, sha256 from documents where source = ?", (source,)).fetchall()
        rows += self._db.execute("select path, size, modified_ns, '' from skipped where source = ?", (source,)).fetchall()
        return {path: Known(size, modified, sha256) for path, size, modified, sha256 in rows}

    def stamps(self, source: str) -> dict[str, tuple[int, int]]:
        """(size, time) of each file of a source by path; remembered for as long as nobody, here or elsewhere, writes."""
        return self._remembered(
            f"stamps {source}", lambda: {path: (one.size, one.modified_ns) for path, one in self.known(source).items()}
        )

    def _remembered(self, key: str, make: Callable[[], T]) -> T:
        """What `make` answers, which only changes when this or another connection writes."""
        state = (self._db.total_changes, int(self._db.execute("pragma data_version").fetchone()[0]))
        if self._state != state:
            self._memory.clear()
            self._state = state
        if key not in self._memory:
            self._memory[key] = make()
        found: T = self._memory[key]
        return found

    def documents_in(self, language: str) -> frozenset[int]:
        """The documents in a language (`es`, `en`)."""
        sql = "select id from documents where language = ?"
        return self._remembered(f"in {language}", lambda: frozenset(row[0] for row in self._db.execute(sql, (language,))))

    def sources(self) -> dict[str, tuple[int, int]]:
        """(documents, chunks) by source."""
        rows = self._db.execute(
            """select d.source, count(distinct d.id), count(c.id)
            from documents d left join chunks c on c.document = d.id group by d.source order by d.source"""
        )
        return {source: (documents, chunks) for source, documents, chunks in rows}

    def known_sources(self) -> set[str]:
        """The sources that the index holds anything of."""
        return {row[0] for row in self._db.execute("select source from documents union select source from skipped")}

    def skipped(self) -> list[tuple[str, str, str]]:
        """(source, path, reason) of each file that is no document."""
        return self._db.execute("select source, path, reason from skipped order by source, path").fetchall()

    def warned(self) -> list[tuple[str, str, str]]:
        """(source, path, warning) of each document whose front matter could not be read."""
        return self._db.execute(
            "select source, path, warning from documents where warning != '' order by source, path"
        ).fetchall()

    def remove(self, source: str, path: str) -> None:
        """Forget a file; inside `writing`."""
        self._db.execute(
            """delete from found where rowid in (
                select c.id from chunks c join documents d on d.id = c.document where d.source = ? and d.path = ?)""",
            (source, path),
        )
        self._db.execute("delete from documents where source = ? and path = ?", (source, path))
        self._db.execute("delete from skipped where source = ? and path = ?", (source, path))

    def remove_source(self, source: str) -> None:
        for path in list(self.known(source)):
            self.remove(source, path)

    def touch(self, source: str, path: str, size: int, modified_ns: int) -> None:
        """The same content under a new time."""
        self._db.execute(
            "update documents set size = ?, modified_ns = ? where source = ? and path = ?", (size, modified_ns, source, path)
        )

    def skip(self, source: str, path: str, size: int, modified_ns: int, reason: str) -> None:
        self.remove(source, path)
        self._db.execute("insert into skipped values(?, ?, ?, ?, ?)", (source, path, size, modified_ns, reason))

    def put(
        self, source: str, trust: str, document: Document, chunks: Iterable[tuple[Chunk, str]], size: int, modified_ns: int
    ) -> None:
        """Put a document in place of what its path held, each chunk with the sha256 of its embedded text; inside `writing`."""
        self.remove(source, document.path)
        cursor = self._db.execute(
            """insert into documents(source, path, size, modified_ns, sha256, title, type, service, tags, language, updated,
                trust, warning)
            values(?,?,?,?,?,?,?,?,?,?,?,?,?)""",
            (source, document.path, size, modified_ns, document.sha256, document.title, document.type, document.service,
             json.dumps(document.tags), document.language, document.updated, trust, document.warning),
        )  # fmt: skip
        number = cursor.lastrowid
        path = " ".join(words(re.sub(r"\.\w+$", "", document.path)))
        for position, (chunk, sha256) in enumerate(chunks):
            row = self._db.execute(
                "insert into chunks(document, position, headings, first, last, body, sha256) values(?,?,?,?,?,?,?)",
                (number, position, json.dumps(chunk.headings), *chunk.lines, chunk.text, sha256),
            )
            heading = " ".join(words(" ".join([document.title, *chunk.headings, *document.tags, document.service])))
            names = [part for name in re.findall(r"\w*[a-z_][A-Z_]\w*", chunk.text) for part in words(name)]
            self._db.execute(
                "insert into found(rowid, path, heading, body) values(?,?,?,?)",
                (row.lastrowid, path, without_accents(heading), f"{chunk.text} {' '.join(names)}"),
            )

    def lexical(
        self, tokens: Sequence[str], weights: tuple[float, float, float], most: int, *, language: str = ""
    ) -> list[Match]:
        """The chunks that hold any of the words, best first."""
        if not tokens:
            return []
        question = " OR ".join(f'"{token}"' for token in tokens)
        where = " and d.language = ?" if language else ""
        sql = f"""select c.id, c.document, f.score, f.body
            from (
                select rowid, -bm25(found, ?, ?, ?) score, -bm25(found, 0.0, 0.0, 1.0) body
                from found where found match ? order by score desc limit ?) f
            join chunks c on c.id = f.rowid join documents d on d.id = c.document where true{where} order by f.score desc"""  # noqa: S608 - the inserted text is ours
        rows = self._db.execute(sql, (*weights, question, most * (4 if language else 1), *([language] if language else [])))
        return [Match(*row) for row in rows]

    def rows(self, ids: Iterable[int]) -> dict[int, Row]:
        wanted = list(ids)
        found: dict[int, Row] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            for values in self._db.execute(f"{SELECT_ROWS} where c.id in ({','.join('?' * len(part))})", part):
                found[values[0]] = row_of(values)
        return found

    def documents(self) -> list[tuple[int, str, str, str, str, str, str, tuple[str, ...], str, str]]:
        """(id, source, path, title, type, service, language, tags, updated, sha256) of every document."""
        rows = self._db.execute(
            "select id, source, path, title, type, service, language, tags, updated, sha256 from documents order by source, path"
        )
        return [(*row[:7], tuple(json.loads(row[7])), row[8], row[9]) for row in rows]

    def allowed(self, where: str, values: Sequence[object]) -> set[int]:
        """The documents that a condition of `search` lets through."""
        return {row[0] for row in self._db.execute(f"select id from documents where {where}", values)}  # noqa: S608 - conditions are ours, values bound

    def unembedded(self, model: str, most: int, *, own: bool = False) -> list[tuple[str, str, str, str, str]]:
        """(sha256, path, title, headings, body) of chunks without a vector of this model; what is shipped comes last."""
        return self._db.execute(
            """select c.sha256, d.path, d.title, c.headings, c.body from chunks c join documents d on d.id = c.document
            where not exists (select 1 from vectors v where v.model = ? and v.sha256 = c.sha256)
            and (d.trust != 'shipped' or not ?) group by c.sha256 order by d.trust = 'shipped', c.id limit ?""",
            (model, own, most),
        ).fetchall()

    def count_unembedded(self, model: str) -> int:
        """How many different chunks have no vector of this model."""
        sql = """select count(distinct c.sha256) from chunks c
            where not exists (select 1 from vectors v where v.model = ? and v.sha256 = c.sha256)"""
        return self._remembered(f"unembedded {model}", lambda: int(self._db.execute(sql, (model,)).fetchone()[0]))

    def take_vectors(self, file: Path, model: str) -> None:
        """Take over from another index what it has of this model for chunks that are here too."""
        self._db.execute("attach ? as other", (str(file),))
        try:
            with self.writing():
                taken = self._db.execute(
                    """insert or ignore into vectors select o.model, o.sha256, o.vector from other.vectors o
                    where o.model = ? and o.sha256 in (select sha256 from chunks)""",
                    (model,),
                ).rowcount
                if taken:
                    self.advance()
        finally:
            self._db.execute("detach other")

    def copy_to(self, file: Path) -> None:
        """Write the whole index, as it is now, into a new file."""
        target = sqlite3.connect(file)
        try:
            self._db.backup(target)
        finally:
            target.close()

    def put_vectors(self, model: str, vectors: Iterable[tuple[str, bytes]]) -> None:
        self._db.executemany(
            "insert or replace into vectors values(?, ?, ?)", ((model, sha256, vector) for sha256, vector in vectors)
        )

    def drop_unused_vectors(self) -> None:
        self._db.execute("delete from vectors where sha256 not in (select sha256 from chunks)")

    def vectors(self, model: str, *, after: int = 0) -> "tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]":
        """(chunk ids, document ids, positions, vectors of 32-bit floats) of this model, for chunks after a number."""
        import numpy as np  # noqa: PLC0415 - only what is searched by meaning needs it

        rows = self._db.execute(
            """select c.id, c.document, c.position, v.vector from chunks c
            join vectors v on v.sha256 = c.sha256 and v.model = ? where c.id > ? order by c.id""",
            (model, after),
        ).fetchall()
        ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
        documents = np.fromiter((row[1] for row in rows), dtype=np.int64, count=len(rows))
        positions = np.fromiter((row[2] for row in rows), dtype=np.int64, count=len(rows))
        if not rows:
            return ids, documents, positions, np.zeros((0, 1), dtype=np.float32)
        width = len(rows[0][3]) // 2
        matrix = np.frombuffer(b"".join(row[3] for row in rows), dtype=np.float16).reshape(len(rows), width).astype(np.float32)
        return ids, documents, positions, matrix

    def documents_of(self, chunks: Sequence[int]) -> dict[int, int]:
        """The document of each of these chunks that still exists."""
        marks = ",".join("?" * len(chunks))
        return dict(self._db.execute(f"select id, document from chunks where id in ({marks})", chunks).fetchall())  # noqa: S608 - only question marks are inserted

    def best_chunks(self, documents: Sequence[int]) -> dict[int, int]:
        """The first chunk of each document."""
        marks = ",".join("?" * len(documents))
        sql = f"select document, id from chunks where position = 0 and document in ({marks})"  # noqa: S608 - only question marks are inserted
        return dict(self._db.execute(sql, documents).fetchall())

    def find(self, source: str, path: str) -> tuple[str, str, str] | None:
        """(sha256, trust, title) of a document."""
        sql = "select sha256, trust, title from documents where source = ? and path = ?"
        found: tuple[str, str, str] | None = self._db.execute(sql, (source, path)).fetchone()
        return found

    def chunk_ids(self) -> set[int]:
        return {row[0] for row in self._db.execute("select id from chunks")}

    def counts(self) -> tuple[int, int]:
        """(documents, chunks)."""
        return (
            int(self._db.execute("select count(*) from documents").fetchone()[0]),
            int(self._db.execute("select count(*) from chunks").fetchone()[0]),
        )

    def check(self) -> str:
        """What SQLite says of the file: `ok`, or what is broken."""
        return str(self._db.execute("pragma quick_check(1)").fetchone()[0])

"""Chroma as the dense index for many chunks: derived from the store, thrown away and made again whenever they differ.

Chroma answers a reader in a second process with what was there when it opened, without a word. Here chunk numbers only grow: the
store says up to which number the collection was filled, a reader that knows another number opens again, newer chunks are
compared exactly, and numbers that the store no longer has are left out.
"""

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from prov_rag.dense import Exact, Similar
from prov_rag.errors import SourceRefusedError

if TYPE_CHECKING:
    import numpy as np

    from prov_rag.store import Store

_BATCH = 5_000  # Chroma takes 5,461 at once
_NEAREST = 400


def collection_name(model: str, build: str) -> str:
    """A name that Chroma takes: letters and digits, three or more."""
    return f"prov-{hashlib.sha256(model.encode()).hexdigest()[:16]}-{build}"


class Chroma:
    """The collections of one index, in a folder, or at a server's address (`http://127.0.0.1:8000`)."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self._folder = folder
        self._address = address
        self._client: Any = None
        self._seen: dict[str, str] = {}
        self._exact: dict[str, Exact] = {}

    def _open(self) -> Any:
        import chromadb  # noqa: PLC0415 - half a second of imports
        from chromadb.api.shared_system_client import SharedSystemClient  # noqa: PLC0415 - as above
        from chromadb.config import Settings  # noqa: PLC0415 - as above

        if self._client is None:
            quiet = Settings(anonymized_telemetry=False)
            if self._address:
                parts = urlsplit(self._address)
                if parts.scheme not in {"http", "https"} or not parts.hostname:
                    raise SourceRefusedError(
                        f"{self._address!r} is no address of a Chroma server", hint="Say it as http://127.0.0.1:8000"
                    )
                port = parts.port or (443 if parts.scheme == "https" else 8000)
                self._client = chromadb.HttpClient(host=parts.hostname, port=port, ssl=parts.scheme == "https", settings=quiet)
            else:
                SharedSystemClient.clear_system_cache()  # else the same old view of the folder comes back
                self._client = chromadb.PersistentClient(path=str(self._folder), settings=quiet)
        return self._client

    @staticmethod
    def filled_to(store: "Store", model: str) -> int:
        """The number of the newest chunk that the collection of this model holds; 0 when there is none."""
        return int((store.meta(f"chroma:{model}") or "0 0").split()[0])

    def fill(self, store: "Store", model: str) -> None:
        """Bring the collection up to the store; the caller holds the writer's lock.

        A collection of which more than a fifth is no longer true is made again.
        """
        to, count = (int(part) for part in (store.meta(f"chroma:{model}") or "0 0").split()[:2])
        build = store.meta("chroma_build") or "1"
        all_ids = store.chunk_ids()
        live = sum(number <= to for number in all_ids)
        client = self._open()
        name = collection_name(model, build)
        if to and (count - live > count / 5 or name not in {found.name for found in client.list_collections()}):
            if name in {found.name for found in client.list_collections()}:
                client.delete_collection(name)
            to = count = 0
        collection = client.get_or_create_collection(name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}})
        ids, documents, positions, matrix = store.vectors(model, after=to)
        for start in range(0, len(ids), _BATCH):
            part = slice(start, start + _BATCH)
            collection.upsert(
                ids=[str(number) for number in ids[part].tolist()],
                embeddings=matrix[part],
                metadatas=[
                    {"d": int(document), "p": int(position)}
                    for document, position in zip(documents[part].tolist(), positions[part].tolist(), strict=True)
                ],
            )
        if len(ids):
            with store.writing():
                store.note(**{f"chroma:{model}": f"{int(ids[-1])} {count + len(ids)}", "chroma_build": build})
                store.advance()

    def similar(self, store: "Store", model: str, vector: "np.ndarray") -> Similar:
        """The nearest chunks: those of the collection, and those that are newer than it."""
        import numpy as np  # noqa: PLC0415 - only what is searched by meaning needs it

        state = store.meta(f"chroma:{model}")
        if self._seen.get(model) != state:
            self._client = None
            self._seen[model] = state
        to = self.filled_to(store, model)
        exact = self._exact.get(model)
        if exact is None or exact.generation != store.generation:
            exact = self._exact[model] = Exact(store, model, after=to)
        newer = exact.similar(vector)
        if not to:
            return newer
        collection = self._open().get_collection(
            collection_name(model, store.meta("chroma_build") or "1"), embedding_function=None
        )
        answer = collection.query(query_embeddings=[vector], n_results=_NEAREST, include=["distances", "metadatas"])
        ids = [int(number) for number in answer["ids"][0]]
        alive = store.documents_of(ids)
        kept = [at for at, number in enumerate(ids) if number in alive and number <= to]
        old = Similar(
            np.array([ids[at] for at in kept], dtype=np.int64),
            np.array([alive[ids[at]] for at in kept], dtype=np.int64),
            np.array([answer["metadatas"][0][at]["p"] == 0 for at in kept], dtype=bool),
            np.array([1.0 - answer["distances"][0][at] for at in kept], dtype=np.float32),
        )
        return Similar(
            np.concatenate([old.chunks, newer.chunks]),
            np.concatenate([old.documents, newer.documents]),
            np.concatenate([old.first, newer.first]),
            np.concatenate([old.cosine, newer.cosine]),
        )

    def forget(self) -> None:
        """Throw the folder away: it is made again from the store."""
        self._client = None
        if not self._address:
            shutil.rmtree(self._folder, ignore_errors=True)

"""Exact search by meaning: all vectors of a model in memory, compared with one product."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from prov_rag.store import Store


@dataclass(frozen=True, slots=True)
class Similar:
    """Similarity (cosine) of chunks to a question: arrays of the same length; `first` tells a document's first chunk.

    `grouped` are the documents, each once, and the place of each chunk's document among them, where that is known already.
    """

    chunks: "np.ndarray"
    documents: "np.ndarray"
    first: "np.ndarray"
    cosine: "np.ndarray"
    grouped: "tuple[np.ndarray, np.ndarray] | None" = None

    @property
    def places(self) -> "tuple[np.ndarray, np.ndarray]":
        """As `grouped`."""
        return self.grouped or _grouped(self.documents)


def _grouped(documents: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    import numpy as np  # noqa: PLC0415 - only what is searched by meaning needs it

    found, place = np.unique(documents, return_inverse=True)
    return found, place


class Exact:
    """The vectors of one model as the store held them at one generation."""

    def __init__(self, store: "Store", model: str, *, after: int = 0) -> None:
        self.generation = store.generation
        self.chunks, self.documents, positions, self._matrix = store.vectors(model, after=after)
        self.first = positions == 0
        self._groups = _grouped(self.documents)

    @property
    def bytes(self) -> int:
        return int(self._matrix.nbytes)

    def similar(self, vector: "np.ndarray") -> Similar:
        """The similarity of every chunk."""
        import numpy as np  # noqa: PLC0415 - only what is searched by meaning needs it

        found = self._matrix @ vector if len(self.chunks) else np.zeros(0, dtype=np.float32)
        return Similar(self.chunks, self.documents, self.first, found, self._groups)

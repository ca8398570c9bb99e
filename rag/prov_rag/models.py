"""The embedding models of one process: loaded once, in the background, while words alone already answer."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from prov_rag.embed import Embedder, loaders

if TYPE_CHECKING:
    import numpy as np

_MOST_QUERIES = 256


class Models:
    """The models that a choice names.

    `problem` says why some or all are not there: a search then answers with what is.
    """

    def __init__(self, choice: str = "auto", folder: Path | None = None) -> None:
        self.choice = choice
        self._folder = folder or Path()
        self._loaded: list[Embedder] = []
        self._done = threading.Event()
        self._started = threading.Lock()
        self._thread: threading.Thread | None = None
        self._queries: OrderedDict[tuple[str, str], np.ndarray] = OrderedDict()
        self._lock = threading.Lock()
        self.problem = ""

    def start(self) -> None:
        """Begin to load, if nothing has yet; returns at once."""
        with self._started:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, name="embedding models", daemon=True)
                self._thread.start()

    def _load(self) -> None:
        try:
            wanted, self.problem = loaders(self.choice, self._folder)
            self._loaded = [found for load in wanted if (found := self._one(load)) is not None]
        finally:
            self._done.set()

    def _one(self, load: Callable[[], Embedder]) -> Embedder | None:
        try:
            return load()
        except Exception as error:  # noqa: BLE001 - whatever a model's library raises, words still answer
            self.problem = (
                f"{self.problem + '; ' if self.problem else ''}an embedding model could not be loaded ({type(error).__name__})"
            )
            return None

    def ready(self, seconds: float = 0.0) -> list[Embedder] | None:
        """The models (perhaps none), or None while they load; waits so many seconds at most."""
        self.start()
        return self._loaded if self._done.wait(seconds) else None

    def query(self, model: Embedder, text: str) -> "np.ndarray":
        """The vector of a question; the last 256 are remembered."""
        key = (model.id, text)
        with self._lock:
            if key in self._queries:
                self._queries.move_to_end(key)
                return self._queries[key]
        vector = model.query(text)
        with self._lock:
            self._queries[key] = vector
            while len(self._queries) > _MOST_QUERIES:
                self._queries.popitem(last=False)
        return vector

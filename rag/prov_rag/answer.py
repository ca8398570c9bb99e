"""What a search answers: the shape is the same for programs, people and models."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Mode = Literal["hybrid", "text", "semantic"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage of a document.

    `score` is from 0 to 1 within its answer; `ranks` its place by words and by each model (from 1); `citation` can be checked by
    reading it: `path#L3-L9@` and the first eight characters of the file's sha256; `warnings` name orders to a model in the text.
    """

    id: int
    uri: str
    source: str
    path: str
    lines: tuple[int, int]
    title: str
    heading: str
    type: str
    service: str
    tags: tuple[str, ...]
    language: str
    score: float
    ranks: dict[str, int]
    sha256: str
    updated_at: str
    trust: str
    text: str
    warnings: tuple[str, ...] = ()

    @property
    def citation(self) -> str:
        return f"{self.source}/{self.path}#L{self.lines[0]}-L{self.lines[1]}@{self.sha256[:8]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, best first, and what they were found with.

    `degraded` says what was not used; `stale` that changes on disk are not yet in it.
    """

    query: tuple[str, ...]
    mode: Mode
    embedder: str
    degraded: str
    generation: int
    indexed_at: str
    stale: bool
    hits: tuple[Hit, ...] = ()
    notices: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        found = asdict(self)
        index = {key: found.pop(key) for key in ("generation", "indexed_at", "stale")}
        hits = [asdict(hit) | {"citation": hit.citation} for hit in self.hits]
        return found | {"index": index, "hits": hits}

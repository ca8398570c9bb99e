"""The index's speed: 1,200 documents taken in with both offline models, again unchanged, and searches among 20,000 passages.

Documents are made: sections of words drawn from the shipped documents, so that words are as frequent as in real ones. They have
no meaning, which changes nothing about the time. What is found is measured by `retrieval`.
"""

import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.measure import Benchmark, NotMeasuredError, Sample

DOCUMENTS, PASSAGES = 1_200, 20_000
QUERIES = (
    "replication slot fills the disk", "how do I rotate an expired certificate", "pods evicted because of disk pressure",
    "el servidor no responde por la red", "KubeNodeNotReady", "x509: certificate signed by unknown authority",
)  # fmt: skip
_ROUNDS = 8
_PROGRAM = (
    "import json, sys; from benchmarks.index import measured; print(json.dumps(measured(int(sys.argv[1]), int(sys.argv[2]))))"
)


def _write(folder: Path, documents: int, sections: int) -> None:
    from prov_corpus.documents import FOLDER

    chosen = random.Random(1)
    texts = [path.read_text(encoding="utf-8") for path in sorted((FOLDER / "runbooks").rglob("*.md"))]
    words = re.findall(r"\S+", " ".join(texts))
    for number in range(documents):
        parts = [f"# Page {number} {' '.join(chosen.sample(words, 4))}"]
        for _ in range(sections):
            parts += [f"## {' '.join(chosen.sample(words, 3))}", " ".join(chosen.choices(words, k=120))]
        file = folder / f"area{number % 40}" / f"page{number}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n\n".join(parts).replace("```", ""), encoding="utf-8")


def measured(documents: int, sections: int) -> dict[str, Any]:
    """Seconds of indexing and of doing it again, milliseconds of searches, megabytes; in a process of its own."""
    import resource

    from prov_rag.library import Library
    from prov_rag.models import Models
    from prov_rag.source import Source

    models = Models("offline")
    if not models.ready(120.0):
        return {"problem": models.problem}
    with tempfile.TemporaryDirectory() as place:
        (folder := Path(place, "books")).mkdir()
        _write(folder, documents, sections)
        # Chroma's part is measured apart; all passages are compared, as without it.
        library = Library(Path(place, "index"), [Source("books", folder, "project")], models, exact_most=1_000_000)
        started = time.perf_counter()
        library.make(seconds=600.0)
        indexed = time.perf_counter() - started
        started = time.perf_counter()
        library.make()
        again = time.perf_counter() - started
        library.search(QUERIES[0])
        times = []
        for at in range(_ROUNDS):
            for query in QUERIES:
                began = time.perf_counter()
                library.search(f"{query} {at}")  # a vector that is not remembered
                times.append((time.perf_counter() - began) * 1000)
        chunks = library.index.store().counts()[1]
        library.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return {"indexed": indexed, "again": again, "times": times, "chunks": chunks, "megabytes": peak}


@cache
def _run(documents: int, sections: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(documents), str(sections)],
        capture_output=True,
        text=True,
        timeout=1_200,
        check=False,
    )
    if done.returncode:
        raise NotMeasuredError(done.stderr.strip().rpartition("\n")[2] or "the process failed")
    found: dict[str, Any] = json.loads(done.stdout)
    if problem := found.get("problem"):
        raise NotMeasuredError(problem)
    return found


def _shipped() -> dict[str, Any]:
    return _run(DOCUMENTS, 4)


def _many() -> dict[str, Any]:
    return _run(PASSAGES // 10, 10)


def indexed() -> Sample:
    """The first time."""
    return Sample([_shipped()["indexed"]], f"{DOCUMENTS:,} documents, {_shipped()['chunks']:,} passages, two models")


def again() -> Sample:
    """When nothing has changed."""
    return Sample([_shipped()["again"]], f"{DOCUMENTS:,} documents, nothing changed")


def median() -> Sample:
    """The middle of the searches, embedding of the question included."""
    return Sample([statistics.median(_many()["times"])], f"{_many()['chunks']:,} passages, {len(_many()['times'])} searches")


def slow() -> Sample:
    """The 95th percentile."""
    times = sorted(_many()["times"])
    return Sample([times[int(len(times) * 0.95)]], f"95th percentile; longest {times[-1]:.0f} ms")


def memory() -> Sample:
    """Of the process at its largest."""
    return Sample([_many()["megabytes"]], f"peak RSS while {_many()['chunks']:,} passages were indexed and searched; both models")


BENCHMARKS = (
    Benchmark("index-1200", "index 1,200 documents", "s", indexed, 90),
    Benchmark("index-again", "index them again, unchanged", "s", again, 2),
    Benchmark("search-p50", "search among 20,000 passages, p50", "ms", median, 40),
    Benchmark("search-p95", "search among 20,000 passages, p95", "ms", slow, 100),
    Benchmark("index-memory", "memory of index, search and models", "MB", memory),
)

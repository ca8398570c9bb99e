"""The quality of the index: a judged set of questions over a folder of runbooks, its dev split only.

The set is no part of the project; its folder is the setting `STRATUMOPS_EVALUATION`. It holds `corpus/` (markdown),
`queries.jsonl` (id, kind, split, text) and `qrels.tsv` (query, document, grade). A document is named by its path without `.md`.
"""

import json
import math
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.measure import Benchmark, NotMeasuredError, Sample

SETTING = "STRATUMOPS_EVALUATION"
SPLIT = "dev"
DEPTH, RECALL_DEPTH = 10, 5


@dataclass(frozen=True, slots=True)
class Judged:
    """A question, and the grade of each document that answers it."""

    kind: str
    text: str
    grades: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over questions: nDCG at 10, recall at 5, the reciprocal rank, and how many questions they are of."""

    ndcg: float
    recall: float
    reciprocal: float
    questions: int


def judged(folder: Path, split: str) -> list[Judged]:
    """The questions of a split that have a relevant document."""
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        grades[query][document] = int(grade)
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    return [Judged(q["kind"], q["text"], grades[q["id"]]) for q in queries if q["split"] == split and grades[q["id"]]]


def quality(answers: Sequence[tuple[Judged, Sequence[str]]]) -> Quality:
    """How well ranked documents answer judged questions."""
    ndcg, recall, reciprocal = [], [], []
    for question, found in answers:
        gained = sum(question.grades.get(name, 0) / math.log2(at + 2) for at, name in enumerate(found[:DEPTH]))
        best = sorted(question.grades.values(), reverse=True)[:DEPTH]
        ndcg.append(gained / sum(grade / math.log2(at + 2) for at, grade in enumerate(best)))
        recall.append(len(set(found[:RECALL_DEPTH]) & question.grades.keys()) / len(question.grades))
        reciprocal.append(next((1 / at for at, name in enumerate(found[:DEPTH], 1) if name in question.grades), 0.0))
    count = len(answers)
    if not count:
        return Quality(0.0, 0.0, 0.0, 0)
    return Quality(sum(ndcg) / count, sum(recall) / count, sum(reciprocal) / count, count)


@cache
def _answers() -> tuple[tuple[Judged, tuple[str, ...]], ...]:
    from prov_rag.library import Library
    from prov_rag.models import Models
    from prov_rag.source import Source

    given = os.environ.get(SETTING)
    if not given or not (folder := Path(given)).joinpath("qrels.tsv").is_file():
        raise NotMeasuredError(f"{SETTING} names no folder with queries.jsonl, qrels.tsv and corpus/")
    models = Models("offline")
    if not models.ready(120.0):
        raise NotMeasuredError(models.problem)
    with tempfile.TemporaryDirectory() as place:
        library = Library(Path(place), [Source("eval", folder / "corpus", "imported")], models)
        library.make()
        answers = []
        for question in judged(folder, SPLIT):
            hits = library.search(question.text, limit=DEPTH).hits
            answers.append((question, tuple(hit.path.removesuffix(".md") for hit in hits)))
        library.close()
    return tuple(answers)


def _of(kind: str = "") -> Quality:
    return quality([(question, found) for question, found in _answers() if question.kind.startswith(kind)])


def _note(found: Quality) -> str:
    return f"{found.questions} questions of the {SPLIT} split, offline models; reciprocal rank {found.reciprocal:.3f}"


def ndcg() -> Sample:
    """Of all questions."""
    return Sample([_of().ndcg], _note(_of()))


def recall() -> Sample:
    """Of all questions."""
    return Sample([_of().recall], _note(_of()))


def spanish() -> Sample:
    """Of the questions in Spanish, over documents in English."""
    return Sample([_of("es").ndcg], _note(_of("es")))


BENCHMARKS = (
    Benchmark("search-ndcg", "search: nDCG@10", "", ndcg, 0.88, inclusive=True, at_least=True),
    Benchmark("search-recall", "search: recall@5", "", recall, 0.93, inclusive=True, at_least=True),
    Benchmark("search-spanish", "search: nDCG@10 of Spanish questions", "", spanish, 0.75, inclusive=True, at_least=True),
)

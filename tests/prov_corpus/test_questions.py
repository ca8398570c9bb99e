"""What an operator asks is answered by the page that says it, in the right section; by words alone, as on a fresh machine."""

from collections.abc import Iterator

import pytest

from prov_corpus.documents import FOLDER
from prov_rag.filters import Filter
from prov_rag.library import Library
from prov_rag.models import Models
from prov_rag.source import Source

QUESTIONS = [
    ("replication slot fills the disk with WAL", "runbooks/postgresql/replication-slot-fills-disk.md"),
    ("etcdserver: mvcc: database space exceeded", "runbooks/etcd/database-space-exceeded-alarm.md"),
    ("FATAL: sorry, too many clients already", "runbooks/postgresql/connections-exhausted.md"),
    ("container OOMKilled exit code 137", "runbooks/kubernetes/oomkilled-container-memory-limit.md"),
    ("nf_conntrack: table full, dropping packet", "runbooks/networking/conntrack-table-full-drops.md"),
    ("toomanyrequests pull rate limit image", "runbooks/containers/containerd-image-pull-rate-limit.md"),
    ("Multi-Attach error for volume", "runbooks/kubernetes/volume-multi-attach-error.md"),
    ("Vault is sealed after restart", "runbooks/vault/sealed-after-restart.md"),
    ("el certificado TLS ha caducado", "es/runbooks/certificados/"),
    ("disco lleno pero du no encuentra los archivos", "es/runbooks/linux/disco-lleno-archivos-borrados.md"),
    ("what does the error plan_stale mean", "reference/errors/plan-stale.md"),
    ("prov rag add command options", "reference/commands/prov/rag-add.md"),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = Library(tmp_path_factory.mktemp("index"), [Source("stratumops", FOLDER, "shipped")], Models("none"))
    yield made
    made.close()


@pytest.mark.parametrize(("question", "path"), QUESTIONS)
def test_the_page_that_answers_is_among_the_first_three(library: Library, question: str, path: str):
    hits = library.search(question, limit=3).hits
    assert any(hit.path.startswith(path) for hit in hits), [hit.path for hit in hits]


def test_the_passage_and_its_lines_are_those_that_say_it(library: Library):
    (hit,) = library.search("drop the inactive replication slot", Filter(service="postgresql"), limit=1).hits
    lines = (FOLDER / hit.path).read_text(encoding="utf-8").splitlines()[hit.lines[0] - 1 : hit.lines[1]]
    assert "slot" in "\n".join(lines)
    assert hit.text.splitlines()[0] == lines[0]


def test_every_shipped_document_is_in_the_index_without_a_warning(library: Library):
    library.search("anything")
    status = library.status()
    assert status["skipped"] == []
    assert status["warnings"] == []
    assert status["sources"][0]["documents"] == len(list(FOLDER.rglob("*.md")))

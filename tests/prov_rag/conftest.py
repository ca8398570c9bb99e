"""One set of models for all tests of a process, and a folder of documents to search."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prov_rag.library import Library
from prov_rag.models import Models
from prov_rag.source import Source

SLOTS = """---
type: runbook
title: Replication slot fills the disk
service: postgresql
tags: [replication, disk]
updated: 2026-05-01
---
## Symptom

The volume of `pg_wal` grows without end while the database is idle.

## Fix

Drop the slot that nobody reads: `select pg_drop_replication_slot('old');`
"""
DNS = """---
type: runbook
title: Names resolve slowly in pods
service: coredns
tags: [dns]
updated: 2026-01-01
---
## Symptom

Lookups take five seconds because of ndots and search domains. The alert is KubeDnsSlow.
"""
SPANISH = """---
type: runbook
title: El certificado ha caducado
service: certificados
tags: [tls]
---
## Síntoma

Los navegadores avisan de que la conexión no es segura porque el certificado del servidor ha caducado.
"""


@pytest.fixture(scope="session")
def models() -> Models:
    found = Models("offline")
    assert found.ready(120.0), found.problem
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "books"
    (root / "runbooks" / "postgresql").mkdir(parents=True)
    (root / "runbooks" / "postgresql" / "slot.md").write_text(SLOTS)
    (root / "runbooks" / "dns.md").write_text(DNS)
    (root / "runbooks" / "tls.md").write_text(SPANISH)
    return root


@pytest.fixture
def library_of(tmp_path: Path, models: Models) -> Iterator[Callable[..., Library]]:
    opened: list[Library] = []

    def make(root: Path, trust="project", with_models: Models | None = None, **options) -> Library:
        opened.append(Library(tmp_path / "index", [Source("books", root, trust)], with_models or models, **options))
        return opened[-1]

    yield make
    for library in opened:
        library.close()

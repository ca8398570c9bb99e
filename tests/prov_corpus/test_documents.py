"""The shipped documents: as many as promised, as the rules want them, none twice; commands run where their service is."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import numpy as np
import psycopg
import pytest

from etcd_servers import etcd_cluster
from programs import free_ports, program, wait_until
from prov_corpus.documents import FOLDER
from prov_rag.document import Document, parse
from prov_rag.embed import WordLlama
from servers import postgresql_server

from .document_rules import Page, pages, wrong, wrong_together

ALL = list(pages())
MARKED = [
    (page, mark) for page in ALL for mark in sorted({info.partition("run:")[2] for info, _ in page.fences if "run:" in info})
]
SECONDS = 30
NEARLY_THE_SAME = 0.94
"""Cosine of whole documents. The nearest two that say different things have 0.91."""


def test_there_are_as_many_as_promised():
    every = list(FOLDER.rglob("*.md"))
    assert len(every) >= 1_200
    assert len(ALL) >= 500
    assert sum(page.language == "es" for page in ALL) >= 100


def test_each_document_is_as_the_rules_want_it():
    assert [line for page in ALL for line in wrong(page)] == []


def test_no_two_documents_share_their_words():
    assert wrong_together(ALL) == []


def test_no_two_documents_mean_nearly_the_same():
    vectors = WordLlama().passages([f"{page.head['title']}\n{page.body}"[:6_000] for page in ALL])
    likeness = np.triu(vectors @ vectors.T, 1)
    pairs = np.argwhere(likeness > NEARLY_THE_SAME)
    assert [(ALL[a].name, ALL[b].name) for a, b in pairs] == []


def test_every_document_with_the_reference_pages_can_be_indexed_under_a_title_of_its_own():
    titles: dict[tuple[str, str], str] = {}
    for file in sorted(FOLDER.rglob("*.md")):
        path = file.relative_to(FOLDER).as_posix()
        found = parse(file.read_bytes(), path)
        assert isinstance(found, Document), path
        assert not found.warning, path
        key = (found.language if path.startswith("es/") else "en", found.title.lower())
        assert key not in titles, (path, titles[key])
        titles[key] = path


def test_a_rule_that_is_broken_is_said():
    head = {"type": "runbook", "title": "A title of some length", "service": "x", "tags": ["a", "b"], "updated": "2026-01-01"}
    page = Page(FOLDER / "runbooks" / "x" / "y.md", "runbooks/x/y.md", "en", head, "## Symptom\n\n```sh\nfrobnicate now\n```\n")
    said = "\n".join(wrong(page))
    for part in ("updated is not a date", "sections are", "words, not", "unknown programs ['frobnicate']", "has no command"):
        assert part in said, part


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Places"]:
    """The services that marked fences reach, each started when a page first asks for it."""
    with Places(tmp_path_factory) as found:
        yield found


class Places:
    """The environment of each mark."""

    def __init__(self, temporary: pytest.TempPathFactory) -> None:
        import contextlib

        self._temporary = temporary
        self._open = contextlib.ExitStack()
        self._known: dict[str, Mapping[str, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def of(self, mark: str) -> Mapping[str, str]:
        """Skips the test where the service cannot be here."""
        if mark not in self._known:
            self._known[mark] = getattr(self, f"_{mark}")()
        return self._known[mark]

    def _linux(self) -> dict[str, str]:
        return {}

    def _postgresql(self) -> dict[str, str]:
        psql = program("psql", package="postgresql-client")
        server = self._open.enter_context(postgresql_server())
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
            connection.execute("create database app")
            connection.execute("create role app_user login")
        server.stop()
        server.start()
        with psycopg.connect(server.url("app"), autocommit=True) as connection:
            connection.execute("create extension pg_stat_statements")
            connection.execute(
                "create table customers(id bigserial primary key, email text, created_at timestamptz default now())"
            )
            connection.execute(
                """create table orders(id bigserial primary key, customer_id bigint references customers(id), total numeric,
                status text, created_at timestamptz default now())"""
            )
            connection.execute("insert into customers(email) select 'c' || n || '@example.org' from generate_series(1, 100) n")
            connection.execute(
                "insert into orders(customer_id, total, status) select n % 100 + 1, n, 'paid' from generate_series(1, 1000) n"
            )
        return {
            "PGHOST": server.host, "PGPORT": str(server.port), "PGUSER": server.superuser, "PGPASSWORD": server.password,
            "DB": "app", "PATH": f"{psql.parent}:{os.environ['PATH']}",
        }  # fmt: skip

    def _etcd(self) -> dict[str, str]:
        client = program("etcdctl", package="etcd-client")
        cluster = self._open.enter_context(etcd_cluster())
        environment = {"ETCDCTL_ENDPOINTS": ",".join(cluster.endpoints), "ETCDCTL_API": "3"}
        for key in ("/registry/pods/a", "/app/config"):
            subprocess.run([client, "put", key, "value"], env={**os.environ, **environment}, check=True, capture_output=True)
        return environment

    def _nats(self) -> dict[str, str]:
        server = program("nats-server", package="nats-server")
        port, monitor = free_ports(2)
        folder = self._temporary.mktemp("nats")
        process = subprocess.Popen(
            [server, "-a", "127.0.0.1", "-p", str(port), "-m", str(monitor), "-js", "-sd", str(folder), "-l", str(folder / "log")]
        )
        self._open.callback(process.wait)
        self._open.callback(process.terminate)
        wait_until(
            lambda: subprocess.run(["curl", "-sf", f"http://127.0.0.1:{monitor}/healthz"], check=False).returncode == 0,
            process,
            folder / "log",
        )
        return {"NATS_MONITOR": f"http://127.0.0.1:{monitor}"}

    def _svault(self) -> dict[str, str]:
        folder, (port,) = self._temporary.mktemp("svault"), free_ports(1)
        environment = {"VAULT_ADDR": f"http://127.0.0.1:{port}", "VAULT_TOKEN": "root-of-a-test", "HOME": str(folder)}
        svault = str(Path(sys.executable).with_name("svault"))
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [svault, "server", "-dev", f"-dev-listen-address=127.0.0.1:{port}", "-dev-root-token-id=root-of-a-test"],
                env={**os.environ, **environment}, stdout=output, stderr=output,
            )  # fmt: skip
        self._open.callback(process.wait)
        self._open.callback(process.terminate)

        def asked(*words: str) -> bool:
            return (
                subprocess.run([svault, *words], env={**os.environ, **environment}, capture_output=True, check=False).returncode
                == 0
            )

        wait_until(lambda: asked("status"), process, log)
        for words in (("secrets", "enable", "transit"), ("secrets", "enable", "pki"), ("kv", "put", "secret/app", "password=x")):
            assert asked(*words), words
        return {**environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def _prov(self) -> dict[str, str]:
        folder = self._temporary.mktemp("prov")
        (folder / "infra.ncl").write_text('{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }\n')
        (folder / "prov.toml").write_text('[engine]\nprovider = "sandbox"\n')
        return {"PROV_WORKSPACE": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PWD": str(folder)}


@pytest.mark.parametrize(("page", "mark"), MARKED, ids=[f"{page.name}: {mark}" for page, mark in MARKED])
def test_what_a_page_says_to_type_works_where_its_service_is(page: Page, mark: str, places: Places, tmp_path: Path):
    environment = {**os.environ, **places.of(mark), "TMPDIR": str(tmp_path)}
    for info, script in page.fences:
        if info != f"sh run:{mark}":
            continue
        done = subprocess.run(
            ["bash", "-c", script], env=environment, cwd=environment.get("PWD", tmp_path), capture_output=True, text=True,
            timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if "command not found" in done.stderr:
            pytest.skip(f"not on this machine: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, f"{script}\n{done.stdout[-500:]}\n{done.stderr[-800:]}"

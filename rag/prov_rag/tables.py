"""The tables of the index, and a chunk with its document as a row of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = 1
"""Raised when the tables change: an index of another format is made again."""

TABLES = """
create table meta(key text primary key, value text not null) strict;
create table documents(
    id integer primary key autoincrement,
    source text not null, path text not null, size integer not null, modified_ns integer not null, sha256 text not null,
    title text not null, type text not null, service text not null, tags text not null, language text not null,
    updated text not null, trust text not null, warning text not null,
    unique(source, path)) strict;
create table skipped(
    source text not null, path text not null, size integer not null, modified_ns integer not null, reason text not null,
    primary key(source, path)) strict;
create table chunks(
    id integer primary key autoincrement, document integer not null references documents(id) on delete cascade,
    position integer not null, headings text not null, first integer not null, last integer not null,
    body text not null, sha256 text not null) strict;
create index chunks_document on chunks(document);
create index chunks_sha256 on chunks(sha256);
create table vectors(
    model text not null, sha256 text not null, vector blob not null, primary key(model, sha256)) strict, without rowid;
create virtual table found using fts5(path, heading, body, tokenize='porter unicode61 remove_diacritics 2');
"""

SELECT_ROWS = """select c.id, d.id, d.source, d.path, d.title, d.type, d.service, d.tags, d.language, d.updated, d.trust,
d.sha256, c.headings, c.first, c.last, c.body, d.warning from chunks c join documents d on d.id = c.document"""


@dataclass(frozen=True, slots=True)
class Row:
    """A chunk with its document, as a hit needs it."""

    id: int
    document: int
    source: str
    path: str
    title: str
    type: str
    service: str
    tags: tuple[str, ...]
    language: str
    updated: str
    trust: str
    sha256: str
    headings: tuple[str, ...]
    lines: tuple[int, int]
    body: str
    warning: str


def row_of(values: Sequence[Any]) -> Row:
    """A row of `SELECT_ROWS`."""
    # fmt: off
    (chunk, document, source, path, title, kind, service, tags, language, updated, trust, sha256, headings, first, last, body,
     warning) = values
    # fmt: on
    return Row(
        chunk,
        document,
        source,
        path,
        title,
        kind,
        service,
        tuple(json.loads(tags)),
        language,
        updated,
        trust,
        sha256,
        tuple(json.loads(headings)),
        (first, last),
        body,
        warning,
    )  # fmt: skip

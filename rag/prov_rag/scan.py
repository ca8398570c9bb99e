"""What changed on disk, taken into the index: by size and time first, by content where those differ."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prov_rag.chunk import chunks
from prov_rag.document import MOST_BYTES, Document, parse
from prov_rag.source import Seen, Source, files
from prov_rag.store import Known, Store, context

Progress = Callable[[str, int, int], None]
"""Told (what is being done, how much of it, of how much)."""

KINDS = {
    "runbooks": "runbook", "runbook": "runbook", "guidelines": "guideline", "patterns": "pattern", "decisions": "decision",
    "adr": "decision", "adrs": "decision", "postmortems": "postmortem", "reference": "reference", "executions": "execution",
    "journal": "journal",
}  # fmt: skip
"""The type of a document that does not name one, by a folder above it."""


@dataclass(frozen=True, slots=True)
class Change:
    """Files of a source that are new or other than the index knows them, and those that are gone."""

    source: Source
    changed: tuple[Seen, ...]
    gone: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.gone)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many documents were put, skipped and removed."""

    put: int = 0
    skipped: int = 0
    removed: int = 0


def _kind(path: str) -> str:
    return next((KINDS[part.lower()] for part in path.split("/")[:-1] if part.lower() in KINDS), "")


def look(store: Store, source: Source) -> Change:
    """What differs; nothing is read but names, sizes and times."""
    here = list(files(source))
    known = store.stamps(source.name)
    changed: list[Seen] = []
    missing = set(known)
    for seen in here:
        missing.discard(seen.path)
        if known.get(seen.path) != (seen.size, seen.modified_ns):
            changed.append(seen)
    return Change(source, tuple(changed), tuple(sorted(missing)))


def embedded_text(path: str, title: str, headings: Sequence[str], body: str) -> str:
    """What a model reads of a chunk: where it stands, then what it says."""
    return f"{context(path, title, headings)}\n{body}"


def _put(store: Store, source: Source, document: Document, seen: Seen) -> None:
    parts = chunks(document.body, first_line=document.first_line)
    read = [embedded_text(document.path, document.title, part.headings, part.text) for part in parts]
    sums = [hashlib.sha256(text.encode()).hexdigest() for text in read]
    store.put(source.name, source.trust, document, zip(parts, sums, strict=True), seen.size, seen.modified_ns)


def _take_one(store: Store, source: Source, seen: Seen, before: Known | None) -> str:
    if seen.size > MOST_BYTES:
        store.skip(
            source.name,
            seen.path,
            seen.size,
            seen.modified_ns,
            f"it has {seen.size / 1e6:.1f} MB (at most {MOST_BYTES >> 20} MiB)",
        )
        return "skipped"
    try:
        data = seen.file.read_bytes()
    except OSError as error:
        store.skip(source.name, seen.path, seen.size, seen.modified_ns, f"it cannot be read ({error.strerror})")
        return "skipped"
    if before is not None and before.sha256 == hashlib.sha256(data).hexdigest():
        store.touch(source.name, seen.path, seen.size, seen.modified_ns)
        return ""
    document = parse(data, seen.path, modified=seen.modified_ns / 1e9, kind=_kind(seen.path))
    if isinstance(document, Document):
        _put(store, source, document, seen)
        return "put"
    store.skip(source.name, seen.path, seen.size, seen.modified_ns, document.reason)
    return "skipped"


def take(store: Store, changes: Sequence[Change], progress: Progress | None = None) -> Taken:
    """Take the changes in.

    One transaction for every hundred files: readers go on with what was, a crash loses at most the last hundred.
    """
    work = [(change.source, seen) for change in changes for seen in change.changed]
    gone = [(change.source.name, path) for change in changes for path in change.gone]
    counts = {"put": 0, "skipped": 0, "": 0}
    known = {change.source.name: store.known(change.source.name) for change in changes}
    if gone:
        with store.writing():
            for name, path in gone:
                store.remove(name, path)
            store.advance()
    for start in range(0, len(work), 100):
        with store.writing():
            before = dict(counts)
            for source, seen in work[start : start + 100]:
                counts[_take_one(store, source, seen, known[source.name].get(seen.path))] += 1
            if counts["put"] != before["put"] or counts["skipped"] != before["skipped"]:
                store.advance()
        if progress:
            progress("reading documents", min(start + 100, len(work)), len(work))
    return Taken(counts["put"], counts["skipped"], len(gone))

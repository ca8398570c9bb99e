"""A file as a document: its front matter, what it is called, and its body; or the reason why it is none."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from prov_rag.words import is_spanish, split_humps

MOST_BYTES = 1 << 20
"""A text of more than this is a log or a dump, not something to be read."""
SUFFIXES = frozenset({".md", ".markdown", ".txt", ".rst"})
_MOST_TAGS = 20


@dataclass(frozen=True, slots=True)
class Document:
    """A text that can be found. `first_line` is the line of the file where the body begins (from 1); `updated` is an ISO date."""

    path: str
    title: str
    type: str
    service: str
    tags: tuple[str, ...]
    language: str
    updated: str
    sha256: str
    body: str
    first_line: int
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is no document, and why."""

    path: str
    reason: str


def _front_matter(text: str) -> tuple[dict[str, Any], str, int, str]:
    """(front matter, body, first line of the body, warning)."""
    if not text.startswith("---\n"):
        return {}, text, 1, ""
    end = re.search(r"^(?:---|\.\.\.)[ \t]*$", text[4:], re.MULTILINE)
    if end is None:
        return {}, text, 1, "its front matter has no end"
    head, body = text[4 : 4 + end.start()], text[4 + end.end() :].removeprefix("\n")
    first = text[: len(text) - len(body)].count("\n") + 1
    if len(head) > 20_000:
        return {}, body, first, "its front matter is too long"
    import yaml  # noqa: PLC0415 - only documents need it

    try:
        found = yaml.safe_load(head)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 2})" if mark is not None else ""
        return {}, body, first, f"its front matter is not YAML{where}"
    except (ValueError, RecursionError):  # a date such as 2026-13-40
        return {}, body, first, "its front matter holds a value that cannot be"
    if not isinstance(found, dict):
        return {}, body, first, "" if found is None else "its front matter is not a table of keys"
    return found, body, first, ""


def _word(value: Any) -> str:
    return " ".join(str(value).split())[:200] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _tags(value: Any) -> tuple[str, ...]:
    items = value.replace(",", " ").split() if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(dict.fromkeys(_word(item).lower().lstrip("#") for item in items if _word(item)))[:_MOST_TAGS]


def _day(value: Any, modified: float) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        return value[:10]
    return datetime.fromtimestamp(modified, UTC).date().isoformat()


def _title(head: dict[str, Any], body: str, path: str) -> str:
    if title := _word(head.get("title")):
        return title
    fenced = re.sub(r"^(```|~~~).*?^\1", "", body[:20_000], flags=re.MULTILINE | re.DOTALL)
    if match := re.search(r"^#{1,2} +(.+?)[ #]*$", fenced, re.MULTILINE):
        return match.group(1).strip()[:200]
    return split_humps(re.sub(r"[-_]+", " ", Path(path).stem)).strip() or path


def parse(data: bytes, path: str, *, modified: float = 0.0, kind: str = "") -> Document | Skipped:
    """The document in `data`, the content of the file `path` (relative to its source, with `/`).

    `modified` (seconds since the epoch) dates a document that does not say when it was updated; `kind` is the type of one that
    does not name it.
    """
    if len(data) > MOST_BYTES:
        return Skipped(path, f"it has {len(data) / 1e6:.1f} MB (at most {MOST_BYTES >> 20} MiB)")
    if b"\0" in data:
        return Skipped(path, "it is not text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
        if sum(not char.isprintable() and char not in "\r\n\t" for char in text) > len(text) * 0.02:
            return Skipped(path, "it is not text")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head, body, first, warning = _front_matter(text)
    if not re.search(r"\w", body) and not head.get("title"):
        return Skipped(path, "it is empty")
    about = head.get("metadata")
    service = _word(head.get("service")) or _word(about.get("service") if isinstance(about, dict) else "")
    named = _word(head.get("lang") or head.get("language")).lower()[:2]
    language = named or (
        "es"
        if path.startswith("es/") or is_spanish(re.sub(r"^```.*?^```", "", body, flags=re.MULTILINE | re.DOTALL)[:2_000])
        else "en"
    )
    return Document(
        path=path, title=_title(head, body, path), type=(_word(head.get("type")) or kind or "note").lower(),
        service=service.lower(),
        tags=_tags(head.get("tags")), language=language, updated=_day(head.get("updated") or head.get("date"), modified),
        sha256=hashlib.sha256(data).hexdigest(), body=body, first_line=first, warning=warning,
    )  # fmt: skip

"""Passages that were found: title and place, the text, and the citation to open."""

from rich.console import Console
from rich.text import Text

from prov_rag.answer import Answer as Found
from prov_rag.answer import Hit
from prov_server.cli.console import visible
from prov_server.cli.views import Answer

_MOST_LINES = 8


def show(answer: Answer) -> None:
    """Print the passages, best first."""
    found = getattr(answer.output, "whole", None)
    assert isinstance(found, Found)
    out, notes = answer.session.out, answer.session.notes
    for number, hit in enumerate(found.hits, 1):
        _show_hit(out, number, hit)
    if not found.hits:
        notes.print("nothing was found: other words, or `prov rag add FOLDER` for your own documents", style="warning")
    for said in (*found.notices, *([found.degraded] if found.degraded else [])):
        notes.print(Text(visible(said), "warning"), soft_wrap=True)
    if found.stale:
        notes.print("another process is indexing: the newest changes are not in it yet", style="warning")


def _show_hit(out: Console, number: int, hit: Hit) -> None:
    place = hit.heading if hit.heading and hit.heading != hit.title else ""
    out.print(
        Text.assemble(
            (f"{number}. ", "quiet"), (visible(hit.title), "heading"), (f"  {visible(place)}" if place else "", "name")
        ),
        soft_wrap=True,
    )
    facts = [hit.type, hit.service, hit.updated_at, "" if hit.trust == "shipped" else hit.trust]
    said = f"{visible(hit.citation)}  ({', '.join(filter(None, facts))}; {hit.score:.2f})"
    out.print(Text(f"   {said}", "quiet"), soft_wrap=True)
    for warning in hit.warnings:
        out.print(Text(f"   careful: this text {warning}", "warning"), soft_wrap=True)
    lines = [line for line in visible_lines(hit.text) if line.strip()]
    more = [f"... {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES + 1 else []
    kept = lines[:_MOST_LINES] if more else lines
    for line in [*kept, *more]:
        out.print(Text(f"   {line}"), soft_wrap=True)
    out.print()


def visible_lines(text: str) -> list[str]:
    """The lines of a text as a terminal may have them."""
    return [visible(line) for line in text.splitlines()]

"""Citations beside another answer: runbooks and past incidents about the same, where words and meaning agree on them."""

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING

from prov_tools.context import Context
from stratumops.errors import StratumError

if TYPE_CHECKING:
    from prov_rag.answer import Hit

_MOST = 3
_SECONDS = 3.0
"""A first search may index all documents: an answer about something else does not wait for that."""
_log = logging.getLogger(__name__)


async def citations(query: str, ctx: Context) -> list[str]:
    """Titles with their citations; none before the first search made an index, or where it cannot be read in time."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await asyncio.to_thread(_found, query, ctx)
    except (StratumError, OSError, sqlite3.Error, TimeoutError) as error:
        _log.info("no_citations: %s", type(error).__name__)
        return []


def _found(query: str, ctx: Context) -> list[str]:
    from prov_rag.filters import Filter  # noqa: PLC0415 - paid by who searches
    from prov_rag.words import is_spanish, telling  # noqa: PLC0415 - as above

    library = ctx.library()
    if not library.is_made:
        return []
    asked = set(telling(query, spanish=is_spanish(query)))
    hits = library.search(query, Filter(types=["runbook", "postmortem", "execution"]), limit=_MOST * 2).hits
    return [f"{hit.title} ({hit.citation})" for hit in hits if _is_about(hit, asked)][:_MOST]


def _is_about(hit: "Hit", asked: set[str]) -> bool:
    """A score is relative to the best there is. What counts: its service or a tag is asked for, and all rank it high."""
    from prov_rag.words import words  # noqa: PLC0415 - as above

    named = {hit.service, *(word for tag in hit.tags for word in words(tag))}
    # A shipped postmortem is an example: nothing of it happened here.
    is_example = hit.trust == "shipped" and hit.type != "runbook"
    ranked = hit.ranks.get("words", 1_000) <= _MOST and all(rank <= _MOST * 3 for rank in hit.ranks.values())
    return not is_example and bool(asked & named) and ranked

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
    """Titles with their citations; none where the index is not ready in time, or cannot be read."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await asyncio.to_thread(_found, query, ctx)
    except (StratumError, OSError, sqlite3.Error, TimeoutError) as error:
        _log.info("no_citations: %s", type(error).__name__)
        return []


def _found(query: str, ctx: Context) -> list[str]:
    from prov_rag.filters import Filter  # noqa: PLC0415 - paid by who searches

    only = Filter(types=["runbook", "postmortem", "execution"])
    hits = ctx.library().search(query, only, limit=_MOST * 2).hits
    return [f"{hit.title} ({hit.citation})" for hit in hits if _is_about(hit)][:_MOST]


def _is_about(hit: "Hit") -> bool:
    """A score is relative to the best there is; what counts is that words and every model rank it high."""
    return hit.ranks.get("words", 1_000) <= _MOST and all(rank <= _MOST * 3 for rank in hit.ranks.values())

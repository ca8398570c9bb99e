"""Structured logs on stderr. stdout belongs to answers and, over stdio, to protocol bytes alone.

An exception is logged by its type and its frames. Its text stays out: validation errors and other programs' errors quote
the values that they were about, which may be secrets.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import PurePath
from typing import Any, Literal

import structlog

from stratumops.redact import Redactor

Level = Literal["debug", "info", "warning", "error"]


def describe(error: BaseException) -> dict[str, Any]:
    """An exception for a log: `error` is its type, `frames` where it was raised (file:line:function, innermost last).

    `caused_by` lists the same of the exceptions that led to it, nearest first.
    """
    found: dict[str, Any] = {"error": type(error).__name__, "frames": _frames(error)}
    if causes := [f"{type(one).__name__} at {' > '.join(_frames(one)) or '(nowhere)'}" for one in _causes(error)]:
        found["caused_by"] = causes
    return found


def _frames(error: BaseException) -> list[str]:
    return [
        f"{'/'.join(PurePath(frame.f_code.co_filename).parts[-2:])}:{line}:{frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    one = error
    while (before := one.__cause__ or (None if one.__suppress_context__ else one.__context__)) and id(before) not in seen:
        seen.add(id(before))
        yield before
        one = before


def _without_text(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: what a logger knows about an exception becomes what `describe` says about it."""
    known = event.pop("exc_info", None)
    if known is True:
        known = sys.exc_info()
    error = known[1] if isinstance(known, tuple) else known
    if isinstance(error, BaseException):
        event.update(describe(error))
    return event


def configure(
    *,
    level: Level = "warning",
    format: Literal["auto", "console", "json"] = "auto",  # noqa: A002 - the setting's name
    redactor: Redactor | None = None,
) -> None:
    """Send structlog and the standard library's records to stderr in one format; call it once, at start.

    `auto` is coloured text on a terminal and JSON lines elsewhere. What `redactor` knows is written nowhere.
    """
    hide = (Redactor() if redactor is None else redactor).processor
    as_text = format == "console" or (format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    colours = sys.stderr.isatty()
    last: Any = structlog.dev.ConsoleRenderer(colors=colours) if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            _without_text,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            # Other libraries' exceptions lose their text here; the console's own renderer would show local variables too.
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_text,
                hide,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())

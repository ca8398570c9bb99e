"""Structured logs on stderr. stdout belongs to answers and, over stdio, to protocol bytes alone."""

import logging
import sys
from typing import Any, Literal

import structlog

Level = Literal["debug", "info", "warning", "error"]


def configure(*, level: Level = "warning", format: Literal["auto", "console", "json"] = "auto") -> None:  # noqa: A002 - the setting's name
    """Send structlog and the standard library's records to stderr in one format; call it once, at start.

    `auto` is coloured text on a terminal and JSON lines elsewhere.
    """
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
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            # Other libraries' tracebacks become text here: the console's own would show local variables, JSON none at all.
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())

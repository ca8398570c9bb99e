"""Who is calling: declared once, handed along with every call, whichever face it came through."""

from dataclasses import dataclass

TOOLS = "tools"
"""Scope: list and call tools, over MCP and REST."""

METRICS = "metrics"
"""Scope: read the server's counters."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller and what it may do. State that must not mix between callers (toolsets, slots, sessions) is kept by `subject`."""

    subject: str
    scopes: frozenset[str]


LOCAL = Principal("local", frozenset({TOOLS, METRICS}))
"""The person at this machine: the command line, a client that started us as its child, a server without authentication."""

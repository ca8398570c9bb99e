"""What is written down of a call: who, which tool, what was decided, how long it took. Never a value: of arguments and answers
only keyed digests, which cannot be guessed from without the workspace's key.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import perf_counter, time
from typing import Any

import structlog

from prov_server.audit.trail import Trail
from prov_tools.call_log import BEGUN, CALL
from prov_tools.context import Context
from stratumops.errors import InternalError, StratumError, UnavailableError
from stratumops.middleware import Call, Face, Proceed
from stratumops.redact import Redactor
from stratumops.settings_groups import AuditSettings
from stratumops.tool import Tool, ToolOutput

log = structlog.get_logger(__name__)

UNKNOWN = "unknown"
"""The tool of a call whose tool does not exist: its name is the caller's text."""
MAX_NAME = 80


@dataclass(slots=True)
class Entry:
    """A call on its way; whoever knows more about it writes that down. `result` is the answer's JSON text, as it is sent."""

    principal: str
    face: Face
    client: str
    arguments: Any = field(repr=False)
    tool: str = UNKNOWN
    effect: str = "read"
    is_allowed: bool = False
    """Whether every link let it pass, up to the tool's handler."""
    code: str = "ok"
    result: str = field(default="", repr=False)
    id: str = field(default_factory=partial(secrets.token_hex, 8))
    at: float = field(default_factory=time)
    started: float = field(default_factory=perf_counter)

    def begun(self, key: bytes) -> bytes:
        """The line before a call that changes something."""
        return _line({"type": BEGUN, **self._about(), "decision": "allowed", "arguments": digest(key, canonical(self.arguments))})

    def ended(self, key: bytes, seconds: float) -> bytes:
        """The line after a call."""
        return _line(
            {
                "type": CALL,
                **self._about(),
                "decision": "allowed" if self.is_allowed else "refused",
                "code": self.code,
                "arguments": digest(key, canonical(self.arguments)),
                "result": digest(key, self.result),
                "ms": round(seconds * 1000, 3),
            }
        )

    def _about(self) -> dict[str, Any]:
        said = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {
            "call": self.id,
            "time": said,
            "principal": self.principal,
            "face": self.face,
            "client": self.client,
            "tool": self.tool,
            "effect": self.effect,
        }


_current: ContextVar[Entry] = ContextVar("audit_entry")


class Audit:
    """The audit of one application. `trouble` says why the last entry is missing; empty while none is."""

    def __init__(self, trail: Trail, settings: AuditSettings, redactor: Redactor) -> None:
        self._trail, self._settings, self._redactor = trail, settings, redactor
        self.trouble = ""

    @asynccontextmanager
    async def watch(self, *, principal: str, face: Face, client: str, arguments: Any) -> AsyncIterator[Entry]:
        """Around one call, inside of whatever turns its errors into an answer.

        Raises UnavailableError when the entry of a call that worked cannot be written and the settings say that it must.
        """
        clean = self._redactor.text
        entry = Entry(clean(principal)[:MAX_NAME], face, clean(client)[:MAX_NAME], arguments)
        token = _current.set(entry)
        try:
            yield entry
        except StratumError as error:
            entry.code, entry.result = error.code, canonical(error.as_dict())
            await self._end(entry, is_required=False)
            raise
        except (asyncio.CancelledError, KeyboardInterrupt):
            # Nobody may wait here any more; the writer has the line, and closing waits for the writer.
            entry.code = "cancelled"
            self._append_end(entry)
            raise
        except Exception:
            entry.code = InternalError.code
            await self._end(entry, is_required=False)
            raise
        else:
            await self._end(entry, is_required=self._settings.required and entry.effect == "read")
        finally:
            _current.reset(token)

    async def admit(self, tool: Tool[Any, Any, Any]) -> None:
        """Every link has let the call pass. What changes something is written down before it starts, or does not start.

        Raises UnavailableError.
        """
        entry = _current.get()
        entry.is_allowed = True
        if not tool.runs_in_read_only and self._settings.enabled:
            try:
                await _written(self._trail.append(entry.begun))
            except UnavailableError:
                entry.is_allowed = False
                raise

    def close(self) -> None:
        """Sign the chain and let it go. Blocks."""
        self._trail.close()

    async def _end(self, entry: Entry, *, is_required: bool) -> None:
        writing = self._append_end(entry)
        if writing is None:
            return
        try:
            await _written(writing)
        except UnavailableError as error:
            if is_required:
                raise
            if not self.trouble:
                log.warning("audit_not_written", reason=error.message)
            self.trouble = error.message
        else:
            self.trouble = ""

    def _append_end(self, entry: Entry) -> "Future[None] | None":
        if not self._settings.enabled or (entry.face == "cli" and entry.effect == "read" and not self._trail.is_in_workspace):
            return None
        seconds = perf_counter() - entry.started
        return self._trail.append(lambda key: entry.ended(key, seconds))


@dataclass(frozen=True, slots=True)
class Admitted:
    """The innermost link: what comes here was allowed."""

    audit: Audit

    async def __call__(self, call: Call[Context], proceed: Proceed[Context]) -> ToolOutput:
        await self.audit.admit(call.tool)
        return await proceed(call)


async def _written(writing: "Future[None]") -> None:
    """Wait for a line. A caller that leaves meanwhile does not take it back."""
    await asyncio.shield(asyncio.wrap_future(writing))


def canonical(value: Any) -> str:
    """A JSON value as text: sorted keys, no spaces, ASCII. Empty for what is no JSON value."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return ""


def digest(key: bytes, text: str) -> str:
    """HMAC-SHA256 of a text's UTF-8; empty for an empty text."""
    if not text:
        return ""
    return f"hmac-sha256:{hmac.digest(key, text.encode('utf-8', 'surrogatepass'), 'sha256').hex()}"


def _line(members: dict[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode("ascii")

"""The redactor: it knows the values that were resolved, and the looks of well-known tokens, and takes both out of texts.

Looking for thousands of needles must not cost more with each: the text is cut into words of K bytes, and a needle of at least
2K - 1 bytes holds one of them whole, wherever it stands. The K words that can begin in a needle's first K bytes are known, so one
look into a dictionary for each word of the text says that it holds none of them.
"""

import logging
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Literal

from stratumops.redact import tokens
from stratumops.redact.needles import MIN_LENGTH, Needle, needles

REDACTED = "[redacted]"
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
Span = tuple[int, int]


class _Words:
    """Needles of at least 2K - 1 bytes, by their words of K bytes (`Q` is 8, `I` is 4)."""

    def __init__(self, code: Literal["Q", "I"]) -> None:
        self._code: Literal["Q", "I"] = code
        self._size = struct.calcsize(code)
        self.min_length = 2 * self._size - 1
        self._known: dict[int, tuple[Needle, ...]] = {}

    def add(self, needle: Needle) -> None:
        for word in self._words(needle):
            self._known[word] = (*self._known.get(word, ()), needle)

    def remove(self, needle: Needle) -> None:
        for word in self._words(needle):
            left = tuple(one for one in self._known[word] if one != needle)
            if left:
                self._known[word] = left
            else:
                del self._known[word]

    def spans(self, data: bytes) -> Iterator[Span]:
        """Where needles stand."""
        known, size = self._known, self._size
        if not known:
            return
        words = memoryview(data)[: len(data) // size * size].cast("B").cast(self._code).tolist()
        if known.keys().isdisjoint(words):
            return
        for number, word in enumerate(words):
            for needle in known.get(word, ()):
                at = number * size
                start = data.find(needle.data, max(0, at - size + 1), at + len(needle.data))
                if start >= 0:
                    yield _widened(data, needle, start)

    def _words(self, needle: Needle) -> set[int]:
        return {int.from_bytes(needle.data[start : start + self._size], sys.byteorder) for start in range(self._size)}


class _Short:
    """The few needles that are too short for that: each is looked for."""

    min_length = 0

    def __init__(self) -> None:
        self._known: tuple[Needle, ...] = ()

    def add(self, needle: Needle) -> None:
        self._known = (*self._known, needle)

    def remove(self, needle: Needle) -> None:
        self._known = tuple(one for one in self._known if one != needle)

    def spans(self, data: bytes) -> Iterator[Span]:
        """Where needles stand."""
        for needle in self._known:
            start = data.find(needle.data)
            while start >= 0:
                yield _widened(data, needle, start)
                start = data.find(needle.data, start + 1)


def _widened(data: bytes, needle: Needle, start: int) -> Span:
    end = start + len(needle.data)
    if needle.takes_left and start and data[start - 1] in _BASE64:
        start -= 1
    if needle.takes_right and end < len(data) and data[end] in _BASE64:
        end += 1
    return start, end


class Redactor:
    """Hides registered values, in all their usual encodings, and well-known forms of tokens. Safe to use from several threads.

    A value is known for `ttl` seconds after it was last registered; of more than `max_values` the oldest is forgotten. Values
    shorter than six bytes are not looked for.
    """

    def __init__(self, *, max_values: int = 2048, ttl: float = 86_400.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_values, self._ttl, self._clock = max_values, ttl, clock
        self._indexes = (_Words("Q"), _Words("I"), _Short())
        self._values: dict[str, float] = {}
        self._counted: dict[Needle, int] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Redactor({len(self._values)} values)"

    def __len__(self) -> int:
        return len(self._values)

    def register(self, value: str) -> bool:
        """Hide this value from now on; False when it is too short for that."""
        if len(value.encode("utf-8", "surrogatepass")) < MIN_LENGTH:
            return False
        with self._lock:
            now = self._clock()
            is_new = self._values.pop(value, None) is None
            self._values[value] = now + self._ttl
            if is_new:
                for needle in needles(value):
                    self._count(needle, 1)
            self._forget(now)
        return True

    def text(self, text: str) -> str:
        """The text with `[redacted]` in place of everything that must not leave."""
        if self._values and next(iter(self._values.values()), 0.0) <= self._clock():
            with self._lock:
                self._forget(self._clock())
        data = text.encode("utf-8", "surrogatepass")
        spans = [span for index in self._indexes for span in index.spans(data)]
        for start, end in tokens.found(text):
            before = start if len(data) == len(text) else len(text[:start].encode("utf-8", "surrogatepass"))
            spans.append((before, before + len(text[start:end].encode("utf-8", "surrogatepass"))))
        return _without(data, spans).decode("utf-8", "surrogatepass") if spans else text

    def value(self, value: Any) -> Any:
        """A JSON value with its texts, keys and numbers redacted; other objects as their redacted text."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            shown = str(value)
            return REDACTED if len(shown) >= MIN_LENGTH and self.text(shown) != shown else value
        if isinstance(value, Mapping):
            return {self.value(key) if isinstance(key, str) else key: self.value(one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(one) for one in value]
        return self.text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))

    def processor(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ARG002 - structlog's signature
        """A structlog processor: put it right before the renderer."""
        return {key: one if key.startswith("_") else self.value(one) for key, one in event.items()}

    def _count(self, needle: Needle, change: int) -> None:
        index = next(index for index in self._indexes if len(needle.data) >= index.min_length)
        before = self._counted.get(needle, 0)
        if before == 0:
            index.add(needle)
        if before + change == 0:
            index.remove(needle)
            del self._counted[needle]
        else:
            self._counted[needle] = before + change

    def _forget(self, now: float) -> None:
        while self._values:
            oldest, until = next(iter(self._values.items()))
            if until > now and len(self._values) <= self._max_values:
                return
            del self._values[oldest]
            for needle in needles(oldest):
                self._count(needle, -1)


def _without(data: bytes, spans: list[Span]) -> bytes:
    parts: list[bytes] = []
    end = 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += (data[end:start], REDACTED.encode())
        end = max(end, stop)
    return b"".join((*parts, data[end:]))


class RedactingFilter(logging.Filter):
    """A filter for a logging handler: the record's message, arguments and exception text are redacted."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; it always passes."""
        if not isinstance(record.msg, Mapping):
            record.msg = self._redactor.text(record.getMessage())
            record.args = ()
        else:
            record.msg = self._redactor.value(record.msg)  # structlog's event on its way to the formatter
        if record.exc_text:
            record.exc_text = self._redactor.text(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.text(record.stack_info)
        return True

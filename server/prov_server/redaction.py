"""What leaves through a face, without secrets: JSON values, errors, words about progress. `output_redaction` has typed answers.

Nearly every answer holds none. So all its texts are looked at in one go first; only where something is found is each text
looked at by itself and the answer made anew.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from stratumops.errors import StratumError
from stratumops.progress import Report
from stratumops.redact import Redactor
from stratumops.redact.needles import MIN_LENGTH

_SEPARATOR = "\n"
"""Between two texts that are looked at together: no form of a secret begins before it and ends behind it unseen."""
_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\"": '"', r"\/": "/", r"\\": "\\"}
_ESCAPE = re.compile(r'\\[ntr"/\\]')


@cache
def process_redactor() -> Redactor:
    """The redactor of this process: of its logs, and of the application that a command or a server makes."""
    return Redactor()


def clean_json(redactor: Redactor, value: Any) -> Any:
    """A JSON value without secrets; the same object when there are none."""
    return value if is_clean(redactor, texts_of(value)) else redactor.value(value)


def is_clean_text(redactor: Redactor, text: str) -> bool:
    """Whether a JSON text holds no secret, whatever stands beside it or in it as an escape."""
    if redactor.text(text) != text:
        return False
    if "\\" not in text:
        return True
    plain = _ESCAPE.sub(lambda found: _ESCAPES[found[0]], text)
    return redactor.text(plain) == plain


def clean_error(redactor: Redactor, error: StratumError) -> None:
    """Take secrets out of an error that is on its way to a caller."""
    error.message, error.hint = redactor.text(error.message), redactor.text(error.hint)
    error.details = clean_json(redactor, error.details)
    error.args = (error.message,)


def clean_report(redactor: Redactor, report: Report) -> Report:
    """A report of progress whose words are without secrets."""

    async def tell(done: float, total: float | None, words: str) -> None:
        await report(done, total, redactor.text(words))

    return tell


def is_clean(redactor: Redactor, texts: Iterable[str]) -> bool:
    """Whether none of these texts holds a secret."""
    joined = _SEPARATOR.join(texts)
    return redactor.text(joined) == joined


def texts_of(value: Any) -> Iterator[str]:
    """Every text, key and longer number of a JSON value, in order."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            yield from (key for key in one if isinstance(key, str))
            waiting.extend(one.values())
        elif isinstance(one, list | tuple | set | frozenset):
            waiting.extend(one)
        elif isinstance(one, int | float) and not isinstance(one, bool):
            shown = str(one)
            if len(shown) >= MIN_LENGTH:
                yield shown
        elif one is not None and not isinstance(one, bool):
            yield one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)

"""The durable record holds JSON and nothing else: whoever can write into it must not be able to run code by it.

DBOS pickles by default, and each row of its tables says itself how it is to be read. So what is written here is JSON, and what
says that it is a pickle is refused, wherever it comes from.
"""

import json
from typing import Any, NoReturn

from dbos._serialization import DefaultSerializer, Serializer

from stratumops.errors import PermissionDeniedError, StratumError

NAME = "stratumops_json"
_ARGUMENTS = frozenset({"args", "kwargs"})


class PlainRecord(Serializer):
    """JSON of what the workflows record: ids, small dicts, and the names and words of errors."""

    def name(self) -> str:
        """What rows that it wrote say."""
        return NAME

    def serialize(self, data: Any) -> str:
        """JSON. Raises TypeError for what JSON cannot say."""
        if isinstance(data, BaseException):
            # The words of what is not our own may quote secrets.
            return json.dumps({"error": type(data).__name__, "said": str(data) if isinstance(data, StratumError) else ""})
        return json.dumps(data)

    def deserialize(self, serialized_data: str) -> Any:
        """The inverse. Raises ValueError for what is no JSON."""
        found = json.loads(serialized_data)
        if isinstance(found, dict) and found.keys() == {"error", "said"}:
            return RecordedError(f"{found['error']}: {found['said']}")
        if isinstance(found, dict) and found.keys() == _ARGUMENTS:
            return {"args": tuple(found["args"]), "kwargs": found["kwargs"]}
        return found


class RecordedError(Exception):
    """An error as the record tells it."""


def refuse_pickles() -> None:
    """Make it impossible for this process to read a pickle from the record. Again: nothing."""

    def refuse(*_: object) -> NoReturn:
        raise PermissionDeniedError(
            "the record of operations holds a value that could run a program: it was not read",
            hint="somebody altered workflows.db, or an older version wrote it; move the file away, then make a new plan",
        )

    # The class, not its instances: DBOS makes some of its own.
    DefaultSerializer.deserialize = staticmethod(refuse)  # type: ignore[method-assign,assignment] # on purpose

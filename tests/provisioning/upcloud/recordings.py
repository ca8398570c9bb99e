"""The recorded exchanges of the real API (recorded/README.md)."""

import copy
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    scenario: str
    method: str
    path: str
    body: Any
    status: int
    answer: Any


@cache
def scenario(name: str) -> tuple[Exchange, ...]:
    """The exchanges of a scenario, in their order."""
    return tuple(Exchange(name, **one) for one in json.loads((FOLDER / f"{name}.json").read_text()))


@cache
def names() -> tuple[str, ...]:
    """Every scenario."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def answer(name: str, method: str, path: str, number: int = 0) -> Any:
    """A copy of the answer to the n-th request of a scenario whose path has this in it."""
    found = [one for one in scenario(name) if one.method == method and path in one.path]
    return copy.deepcopy(found[number].answer)

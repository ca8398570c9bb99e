"""What AWS tells about a resource, as the leaves that are compared for drift."""

from collections.abc import Iterator, Mapping
from typing import Any

from prov_judge.changes.leaves import leaves


def observed(told: Mapping[str, Any], values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Leaves of what was told, in the shape of the resource's values.

    A field that is told as None, an empty list or an empty dictionary is known not to be there: where the recorded values have
    it, its leaves are None. A single value that they leave to AWS (a zone) is left out: whatever it is, it is no drift. Without
    recorded values (a resource that was found by its tags) everything is told.
    """
    seen = {path: leaf.value for path, leaf in leaves(told).items()}
    if values is None:
        return seen
    wanted = leaves(values)
    whole = tuple(_known(told, ""))
    chosen = {path: value for path, value in seen.items() if path in wanted or isinstance(value, list) or _is_in(path, whole)}
    absent = {path: None for path in wanted if path not in seen and _is_in(path, whole, itself=True)}
    return chosen | absent


def _is_in(path: str, whole: tuple[str, ...], *, itself: bool = False) -> bool:
    return any(path.startswith((f"{one}.", f"{one}[")) or (itself and path == one) for one in whole)


def _known(told: Mapping[str, Any], start: str) -> Iterator[str]:
    """Paths below which everything is told: lists, dictionaries of texts, and what is told to be absent."""
    for name, value in told.items():
        path = f"{start}{name}"
        if value is None or isinstance(value, list) or name in ("tags", "labels"):
            yield path
        elif isinstance(value, Mapping):
            yield from _known(value, f"{path}.")

"""A record as its leaves: one value for each dotted path, in an order that nobody wrote.

Elements of a list are told apart by what they are, not by their place: a record by its name or port, a rule by what it says.
Two configurations that differ only in the order of a list therefore have the same leaves.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Lists whose order means something: services are installed one after the other.
_ORDERED = frozenset({"taskservs"})
_DICTIONARIES = frozenset({"tags", "env", "labels", "settings", "quotas"})
_KEYS = ("name", "port")
# Fields of elements that have neither, as people say them; a value that was stored may have them in another order.
_SAID = ("direction", "protocol", "from_port", "to_port", "cidrs", "groups", "effect", "actions", "resources", "description")
_RANK = {name: rank for rank, name in enumerate(_SAID)}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value. `pattern` is its path with `[]` for each element of a list and `.*` for each key of a dictionary of texts."""

    pattern: str
    value: Any


def leaves(values: Mapping[str, Any]) -> dict[str, Leaf]:
    """The leaves of a record's JSON values by their path. What is None is not there."""
    return {path: Leaf(pattern, value) for path, pattern, value in _walk(values, "", "")}


def _walk(values: Mapping[str, Any], path: str, pattern: str) -> Iterator[tuple[str, str, Any]]:
    for name, value in values.items():
        if value is None:
            continue
        inner, shape = f"{path}{name}", f"{pattern}{name}"
        if isinstance(value, dict):
            if name in _DICTIONARIES:
                for key in sorted(value):
                    yield f"{inner}.{key}", f"{shape}.*", value[key]
            else:
                yield from _walk(value, f"{inner}.", f"{shape}.")
        elif isinstance(value, list):
            yield from _elements(name, value, inner, shape)
        else:
            yield inner, shape, value


def _elements(name: str, value: list[Any], path: str, pattern: str) -> Iterator[tuple[str, str, Any]]:
    if not value:
        return
    if not isinstance(value[0], dict):
        yield path, pattern, list(value) if name in _ORDERED else sorted(set(value))
        return
    key = next((key for key in _KEYS if key in value[0]), None)
    seen: dict[str, int] = {}
    for element in sorted(value, key=canonical):
        label = str(element[key]) if key else sentence(element)
        seen[label] = seen.get(label, 0) + 1
        if seen[label] > 1:
            label = f"{label}#{seen[label]}"
        if key:
            yield from _walk(element, f"{path}[{label}].", f"{pattern}[].")
        else:
            yield f"{path}[{label}]", f"{pattern}[]", element


def canonical(value: Any) -> str:
    """A value as one text, the same whatever the order of keys and lists."""
    return json.dumps(_sorted(value), sort_keys=True, ensure_ascii=False)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
    return value


def sentence(element: Mapping[str, Any]) -> str:
    """An element without a name in a few words: "ingress tcp 443 443 0.0.0.0/0"."""
    words: list[str] = []
    for name in sorted(element, key=lambda name: (_RANK.get(name, len(_RANK)), name)):
        value = element[name]
        if isinstance(value, list):
            words.extend(sorted(str(one) for one in value))
        elif value is not None and not isinstance(value, bool):
            words.append(str(value))
    return " ".join(words)

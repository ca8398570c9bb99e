"""Resources that Terraform repeats: a small literal `count` or `for_each` becomes a resource for each, and references follow.

Anything else (an expression, too many) is not guessed at: the whole resource is listed. Source:
https://developer.hashicorp.com/terraform/language/meta-arguments/count
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prov_gen.export.import_.labels import Resources, named
from prov_gen.export.model import NotCarried

MOST = 100
"""Resources that one `count` or `for_each` may become."""
MOST_IN_ALL = 1000
REPEATED = ("count", "for_each")

_KEY = re.compile(r"[\w .:/@+-]{1,64}")
_SET = re.compile(r"\$\{\s*toset\(\s*(\[.*\])\s*\)\s*\}", re.DOTALL)
_INDEXED = re.compile(r'(?<![\w.-])([a-z][a-z0-9_]*)\.([A-Za-z_][\w-]*)\[(\d+|"[^"\]]*")\]')
_SPLAT = re.compile(r"\$\{([a-z][a-z0-9_]*)\.([A-Za-z_][\w-]*)\[\*\]((?:\.[a-z_0-9]+)+)\}")
_WORD = re.compile(r"\b(?:count\.index|each\.(?:key|value(?:\.\w+)*))(?![\w.])")
_WHOLE = re.compile(r"\$\{\s*(each\.value(?:\.\w+)*)\s*\}")
_SUM = re.compile(r"\$\{\s*(\d{1,6})\s*(?:\+\s*(\d{1,6})\s*)?\}")
_LITERAL = re.compile(r'\$\{\s*("(?:[^"\\]|\\.)*"|true|false|-?\d+(?:\.\d+)?)\s*\}')


@dataclass(frozen=True)
class Expanded:
    """Resources without repetition, the first address of those that were made, and what could not be made."""

    resources: Resources
    first: Mapping[str, str]
    left: tuple[NotCarried, ...]


@dataclass
class _Made:
    """Which resources stand for which: by type and label, the label of each key as it is written between brackets."""

    labels: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    count: int = 0


def expanded(resources: Resources) -> Expanded:
    """The resources with every repetition written out as `NAME-0`, `NAME-1`, or `NAME-KEY`."""
    made, first, left = _Made(), dict[str, str](), list[NotCarried]()
    result: Resources = {}
    for kind, labels in resources.items():
        place = result.setdefault(kind, {})
        for label, body in labels.items():
            if not any(name in body for name in REPEATED):
                place[label] = body
                continue
            copies, reason = _copies(body)
            own = {key: f"{label}-{named(key.strip(chr(34)))}" for key in copies}
            if not reason and (len(set(own.values())) < len(own) or set(own.values()) & labels.keys()):
                reason = "the names of its instances are taken"
            if not reason and made.count + len(own) > MOST_IN_ALL:
                reason = f"at most {MOST_IN_ALL} resources are made of repetitions"
            if reason:
                left.append(NotCarried(("resource", kind, label), reason))
                continue
            made.labels[kind, label] = own
            made.count += len(own)
            for key, copy in copies.items():
                place[own[key]] = copy
                first[f"{kind}.{own[key]}"] = f"{kind}.{label}"
    if made.labels:
        result = {kind: {label: _follow(body, made) for label, body in labels.items()} for kind, labels in result.items()}
    return Expanded(result, first, tuple(left))


def _copies(body: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], str]:
    """The bodies by key as it stands between brackets (`0`, `"a"`), or the reason why there are none."""
    own = {name: value for name, value in body.items() if name not in REPEATED}
    if "count" in body and "for_each" in body:
        return {}, "it has both count and for_each"
    if "count" in body:
        count = _number(body["count"])
        if count is None:
            return {}, "count is no number that is known before Terraform runs; a configuration names each"
        if not 0 < count <= MOST:
            return {}, "count is 0: nothing is made" if count == 0 else f"count makes more than {MOST}"
        return {str(index): _bound(own, {"count.index": index}) for index in range(count)}, ""
    each = _each(body["for_each"])
    if each is None:
        return {}, "for_each is no list of texts or object that is known before Terraform runs; a configuration names each"
    if not 0 < len(each) <= MOST:
        return {}, f"for_each makes more than {MOST}" if each else "for_each is empty: nothing is made"
    return {json.dumps(key): _bound(own, {"each.key": key, "each.value": value}) for key, value in each.items()}, ""


def _number(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\d{1,6}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _each(value: Any) -> dict[str, Any] | None:
    """The keys and values of a literal object or list of texts (also `toset([...])`)."""
    if isinstance(value, str) and (found := _SET.fullmatch(value)):
        try:
            value = json.loads(found[1])
        except ValueError:
            return None
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = {one: one for one in value}
    if not isinstance(value, dict) or not all(_KEY.fullmatch(key) and named(key) for key in value):
        return None
    return value


def _bound(value: Any, words: Mapping[str, Any]) -> Any:
    """A body in which `count.index`, `each.key` and `each.value` are what they are for one instance."""
    if isinstance(value, dict):
        return {key: _bound(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_bound(item, words) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    if (whole := _WHOLE.fullmatch(value)) and (found := _word(whole[1], words)) is not None:
        return found

    def literal(found: re.Match[str]) -> str:
        known = _word(found[0], words)
        return json.dumps(known) if isinstance(known, str | int | float) else found[0]

    text = _WORD.sub(literal, value)
    if text == value:
        return value
    text = _SUM.sub(lambda found: str(int(found[1]) + int(found[2] or 0)), text)
    return _LITERAL.sub(lambda found: str(json.loads(found[1])) if found[1][0] == '"' else found[1], text)


def _word(word: str, words: Mapping[str, Any]) -> Any:
    if word in words:
        return words[word]
    value = words.get("each.value")
    for step in word.split(".")[2:]:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _follow(value: Any, made: _Made) -> Any:
    """References to one instance, or to all of them (`[*]`), as references to the resources that were made."""
    if isinstance(value, dict):
        return {key: _follow(item, made) for key, item in value.items()}
    if isinstance(value, list):
        found: list[Any] = []
        for item in value:
            after = _follow(item, made)
            found += after if isinstance(item, str) and isinstance(after, list) else [after]
        return found
    if not isinstance(value, str) or "${" not in value:
        return value
    if (splat := _SPLAT.fullmatch(value)) and (splat[1], splat[2]) in made.labels:
        return [f"${{{splat[1]}.{label}{splat[3]}}}" for label in made.labels[splat[1], splat[2]].values()]
    return _INDEXED.sub(_single(made), value)


def _single(made: _Made) -> Callable[[re.Match[str]], str]:
    def single(found: re.Match[str]) -> str:
        label = made.labels.get((found[1], found[2]), {}).get(found[3])
        return f"{found[1]}.{label}" if label else found[0]

    return single

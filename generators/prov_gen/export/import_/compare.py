"""What an import does not carry, found by writing the configuration again and comparing.

Whatever the document says and our own export of the imported configuration does not say was not carried, so that no
attribute can be forgotten here.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from prov_gen.export.import_.read import Reasons, kind_of
from prov_gen.export.model import NotCarried, Path
from prov_gen.export.terraform.document import unescaped

_META = {
    "provisioner": "a provisioner runs a program; name a taskserv or user_data instead",
    "connection": "only provisioners need it",
    "dynamic": "dynamic blocks are made when Terraform runs",
    "lifecycle": "rules of Terraform's own",
    "depends_on": "order follows from references",
}
_BLOCKS = {
    "data": "a data source is read when Terraform runs",
    "module": "a module's resources stand in other files",
    "output": "an output is no resource",
    "variable": "a variable's value is known when Terraform runs",
    "locals": "a local value of Terraform's own",
    "provider": "how Terraform reaches the provider",
    "terraform": "a setting of Terraform's own",
}
_NAMES = {"data": 2, "module": 1, "output": 1, "variable": 1}
"""How many names stand before the body of a block."""
_LONGEST = 64
"""Characters of a value that a reason repeats."""
_NOTHING: tuple[Any, ...] = (None, [], {})


def compare(
    given: Mapping[str, Any], made: Mapping[str, Any], first: Mapping[str, str], why: Reasons, known: set[str]
) -> Iterator[NotCarried]:
    """What `given` says and `made` does not. `first` are addresses before renaming, `why` reasons by address.

    `known` are the types that an export writes.
    """
    for block, content in given.items():
        if block == "//":
            continue
        if block == "resource" and isinstance(content, dict):
            yield from _resources(content, made.get("resource", {}), first, why, known)
        else:
            reason = _BLOCKS.get(block, "no block that a configuration has a place for")
            whole = dict(_absent(content, made.get(block), (block,), _NAMES.get(block, 0)))
            yield from (NotCarried(path, reason) for path in whole)
            for path, value, _ in differences(content, made.get(block), (block,)):
                if not any(path[:length] in whole for length in range(2, len(path) + 1)):
                    yield NotCarried(path, _reason(value, path, reason))


def _absent(given: Any, made: Any, path: Path, names: int) -> Iterator[tuple[Path, Any]]:
    """The named blocks of `given` that `made` has not, even empty ones; `names` is how many names a block still has."""
    if isinstance(given, dict) and names:
        for name, inner in given.items():
            other = made.get(name) if isinstance(made, dict) else None
            if other is None and names == 1:
                yield (*path, name), inner
            else:
                yield from _absent(inner, other, (*path, name), names - 1)


def _resources(
    given: Mapping[str, Any], made: Mapping[str, Any], first: Mapping[str, str], why: Reasons, known: set[str]
) -> Iterator[NotCarried]:
    for kind, labels in given.items():
        for label, body in labels.items():
            own = first.get(f"{kind}.{label}", f"{kind}.{label}").partition(".")[2]
            path = ("resource", kind, own)
            reasons = why.get(f"{kind}.{label}", {})
            if label not in made.get(kind, {}):
                unknown = f"no resource of a configuration becomes {kind}"
                otherwise = unknown if kind not in known else "nothing in the configuration makes it"
                yield NotCarried(path, reasons.get("") or otherwise)
            else:
                for where, value, instead in differences(body, made[kind][label], path):
                    otherwise = _refused(where[3:], reasons) or _mismatch(value, instead)
                    yield NotCarried(where, _reason(value, where, otherwise) + _instead(instead))


def _refused(inside: Path, reasons: Mapping[str, str]) -> str:
    """What the models say of the attribute, or of one around it."""
    dotted = ".".join(step for step in inside if isinstance(step, str))
    return next((reason for name, reason in reasons.items() if name and f"{dotted}.".startswith(f"{name}.")), "")


def _mismatch(value: Any, instead: Any) -> str:
    if instead is None or kind_of(value) == kind_of(instead):
        return "a configuration has no place for it"
    return f"it is {kind_of(value)}, and {kind_of(instead)} is expected"


def _instead(made: Any) -> str:
    """What the configuration comes to mean, since the value is missing. Text of templates means nothing to a reader."""
    is_plain = isinstance(made, bool | int | float) or (isinstance(made, str) and unescaped(made) is not None)
    return f"; without it the configuration means {json.dumps(made)}" if is_plain and len(str(made)) <= _LONGEST else ""


def _reason(value: Any, path: Path, otherwise: str) -> str:
    meta = next((_META[step] for step in path if isinstance(step, str) and step in _META), None)
    if meta and path[0] == "resource":
        return meta
    if any(isinstance(one, str) and unescaped(one) is None for one in (value if isinstance(value, list) else [value])):
        return "an expression, whose value is known when Terraform runs"
    return otherwise


def differences(given: Any, made: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """The places of `given` that `made` does not say alike, with both values; a block may be an object or a list of one."""
    if given in _NOTHING or (isinstance(given, dict) and set(given) == {"//"}):
        return
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], dict) and isinstance(made, dict):
        yield from differences(given[0], made, (*path, 0))
    elif isinstance(given, dict) and isinstance(made, list) and len(made) == 1:
        yield from differences(given, made[0], path)
    elif isinstance(given, dict) and isinstance(made, dict):
        for key, value in given.items():
            yield from differences(value, made.get(key), (*path, key))
    elif isinstance(given, list) and isinstance(made, list) and len(given) == len(made):
        for index, (one, other) in enumerate(zip(given, made, strict=True)):
            yield from differences(one, other, (*path, index))
    elif type(given) is bool or type(made) is bool:
        if given is not made:
            yield path, given, made
    elif isinstance(given, dict) and made is None:
        for key, value in given.items():
            yield from differences(value, None, (*path, key))
    elif given != made:
        yield path, given, made

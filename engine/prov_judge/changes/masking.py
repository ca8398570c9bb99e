"""What of a change may be shown: a plan goes to pull requests and reports, where a secret of a configuration must never stand.

Every word about a field's value and every document asks here. Hidden are the environment of workloads and user data whole,
since anything may stand in them, and whatever layer 6 would call a secret in plain text. A handle such as `vault:app#key`
says only where a secret is, and is shown outside of these two.
"""

from typing import Any

from prov_gen.layers.plaintext import announces, is_handle, what_secret

HIDDEN = "(hidden)"
_NEVER_SHOWN = frozenset({"env", "user_data"})


def shown(path: str, value: Any) -> Any:
    """A field's value with what is secret in it as `HIDDEN`. `path` is the field's, dotted, within its resource."""
    if path.partition(".")[0] in _NEVER_SHOWN:
        return value if value is None else HIDDEN
    if isinstance(value, str):
        return HIDDEN if _is_secret(_without_label(path), value) else value
    if isinstance(value, dict):
        return {key: shown(f"{path}.{key}", inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shown(path, inner) for inner in value]
    return value


def shown_path(path: str) -> str:
    """A field's path; the label of an element is made of what the element says, and may say a secret."""
    head, bracket, rest = path.partition("[")
    if not bracket:
        return path
    label, _, tail = rest.rpartition("]")
    return f"{head}[{HIDDEN if what_secret('', label) else label}]{tail}"


def _without_label(path: str) -> str:
    """An alert that is called `token-expiry` makes no secret of its expression."""
    head, _, rest = path.partition("[")
    return f"{head}{rest.rpartition(']')[2]}"


def _is_secret(path: str, text: str) -> bool:
    # Validation lets a value of three characters pass as no secret; a plan has no reason to show it.
    return bool(what_secret(path, text)) or (announces(path) and not is_handle(text))

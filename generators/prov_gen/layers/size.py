"""How large a configuration may be to be judged at once. A few hundred bytes of Nickel can make a value of any size.

Everything after this looks at each part a bounded number of times, so these limits bound the time and the memory of all layers.
"""

from typing import Any

from prov_gen.findings import Finding, Path, finding
from prov_gen.model.kinds import BY_FIELD

MAX_RESOURCES = 10_000
MAX_ELEMENTS = 10_000
"""Elements of one list, fields of one record."""
MAX_NODES = 150_000
"""Lists, records and single values in all."""
MAX_CHARACTERS = 4_000_000
"""Characters of all texts and keys together."""
MAX_LEVELS = 64
"""Lists and records inside each other; the models have a tenth of it."""
MAX_KEY = 512
"""Characters of one key: keys are repeated in paths and messages."""


def check_size(value: dict[str, Any]) -> tuple[int, Finding | None]:
    """The number of nodes, as far as they were counted, and a finding when the configuration is too large to be judged."""
    count = sum(len(part) for field, part in value.items() if field in BY_FIELD and isinstance(part, list))
    if count > MAX_RESOURCES:
        return count, _too_large((), f"the configuration has {count:,} resources; at most {MAX_RESOURCES:,} are judged at once")
    nodes = characters = 0
    waiting: list[tuple[Path, dict[str, Any] | list[Any]]] = [((), value)]
    while waiting:
        where, node = waiting.pop()
        if len(where) > MAX_LEVELS:
            return nodes, _too_large((), f"lists and records are nested more than {MAX_LEVELS} deep")
        if len(node) > MAX_ELEMENTS:
            message = f"a list or record has {len(node):,} elements; at most {MAX_ELEMENTS:,} are judged at once"
            return nodes, _too_large(where, message)
        nodes += len(node)
        for key, part in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(key, str):
                characters += len(key)
                if len(key) > MAX_KEY:
                    return nodes, _too_large(where, f"a key has {len(key):,} characters; at most {MAX_KEY:,} are read")
            if isinstance(part, str):
                characters += len(part)
            elif isinstance(part, dict | list) and part:
                waiting.append(((*where, key), part))
        if nodes > MAX_NODES or characters > MAX_CHARACTERS:
            message = (
                f"the configuration has more than {MAX_NODES:,} values or {MAX_CHARACTERS:,} characters of text, "
                "which is more than is judged at once"
            )
            return nodes, _too_large((), message)
    return nodes, None


def _too_large(where: Path, message: str) -> Finding:
    return finding("shape_too_large", where, message, "split it into several configurations")

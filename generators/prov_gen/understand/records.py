"""Attributes to fields: what is said of a thing becomes values of its record, as `effects.toml` tells."""

from dataclasses import dataclass, field, replace
from typing import Any

from prov_gen.understand.draft import Draft, get_path, set_path
from prov_gen.understand.lexicon import effects
from prov_gen.understand.mentions import Mention
from prov_gen.understand.parts import PARTS
from prov_gen.understand.phrases import Head

_CATEGORY_OF_SIZE = {"volume": "disk", "database": "disk", "file_system": "disk", "bucket": "disk", "cache": "memory"}


# Values that no field holds as they are, and what they become.
_SECURE = "tls"
_REAL = {_SECURE: "", "zones": "zone", "managed": "", "cpu": "plan", "memory_gb": "plan", "tier": ""}
_REAL |= {f"{own}.{size}": f"{own}.plan" for own in ("workers", "control_plane") for size in ("cpu", "memory_gb")}


@dataclass(slots=True)
class Made:
    """A head's record while it is made: its values, the facts behind them (path inside the record), and what else was said."""

    head: Head
    values: dict[str, Any] = field(default_factory=dict)
    facts: list[tuple[Mention, str, Any]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rules: list[Mention] = field(default_factory=list)
    domains: list[Mention] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    assumed: list[tuple[str, Any, str]] = field(default_factory=list)
    said: dict[str, list[str]] = field(default_factory=dict)
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    secure: bool = False
    prefix: str = ""

    def take(self, path: str, default: Any = None) -> Any:
        """Remove a value that no model has a field for, and return it."""
        *outer, last = path.split(".")
        record: Any = self.values
        for key in outer:
            record = record.get(key, {})
        return record.pop(last, default) if isinstance(record, dict) else default

    def assume(self, path: str, value: Any, why: str) -> None:
        """Note a value that nobody stated, by its path inside the record; told once the record's place is known."""
        self.assumed.append((path, value, why))

    def absorb(self, part: "Made") -> None:
        """Take over what was assumed of a part, and what contradicts itself in it."""
        self.assumed += part.assumed
        self.conflicts += part.conflicts

    def tell(self, draft: Draft, prefix: str) -> None:
        """Give the draft the facts and what was assumed, now that the record's place is known."""
        self.prefix = prefix
        for path, message in self.conflicts:
            draft.find("contradiction", message, "say one of the two", f"{prefix}.{_REAL.get(path, path)}".rstrip("."))
        for path, value, why in self.assumed:
            draft.assume(f"{prefix}.{path}" if path else prefix, value, why)
        for mention, path, value in self.facts:
            draft.understood(mention, f"{prefix}.{path}" if path else prefix, value)


def make(draft: Draft, head: Head) -> Made:
    """A head's record from its attributes, in the order in which they were said."""
    made = Made(head)
    kind = "worker" if head.kind == "pool" else head.kind
    for mention in head.mentions:
        if mention.category == "number" and mention.value == 1 and mention.language != "any" and not mention.implies:
            continue  # an article
        counts_part = mention.category == "number" and head.kind in PARTS
        made.facts.append((mention, "count" if counts_part else "", head.count or 1))
        if "role" in mention.implies and kind == "server":
            _put(draft, made, mention, "role", mention.implies["role"])
        if "managed" in mention.implies:
            made.values["managed"] = mention.implies["managed"]
        if mention.implies.get("fifo"):
            made.values["fifo"] = True
        if mention.implies.get("topic") or (kind == "topic"):
            made.values["kind"] = "topic"
        if "balancer" in mention.implies:
            made.values["kind"] = mention.implies["balancer"]
        if "tier" in mention.implies:
            made.values["tier"] = mention.implies["tier"]
    for mention in sorted(head.attributes, key=lambda m: (m.category == "size_gb", m.start)):
        _apply(draft, made, kind, mention)
    return made


def _apply(draft: Draft, made: Made, kind: str, mention: Mention) -> None:
    category = mention.category
    if category in {"name", "quoted"}:
        made.names.append(mention.value)
        if mention.implies.get("purpose"):
            made.assume("name", mention.value, "named after what it is for")
        made.facts.append((mention, "name", mention.value))
    elif category == "noun":
        made.facts.append((mention, "", mention.value))
    elif category == "rule":
        made.rules.append(mention)
    elif category == "domain":
        made.domains.append(mention)
    elif category == "size_gb":
        _apply_size(draft, made, kind, mention)
    elif category in {"region", "head_provider", "zone"}:
        _put(draft, made, mention, {"head_provider": "provider"}.get(category, category), mention.value)
    elif category == "flag":
        effect = effects()["flag"][mention.value].get(kind)
        for item in effect if isinstance(effect, list) else [effect]:
            table = item if isinstance(item, dict) else {"path": item, "yes": True, "no": False}
            _put(draft, made, mention, str(table["path"]), table["no" if mention.negated else "yes"])
    elif mention.negated:
        made.denied.append(str(mention.value))
        made.facts.append((mention, effects()["value"][category][kind], None))
    else:
        path = effects()["value"][category][kind]
        if "assumed" in mention.implies:
            made.assume(path, mention.value, str(mention.implies["assumed"]))
        _put(draft, made, mention, path, list(mention.value) if isinstance(mention.value, tuple) else mention.value)
        if "disk_type" in mention.implies and kind in effects()["value"]["disk_type"]:
            _put(draft, made, mention, effects()["value"]["disk_type"][kind], mention.implies["disk_type"])
        if "os_version" in mention.implies:
            _put(draft, made, mention, "spec.os.version", mention.implies["os_version"])


def _apply_size(draft: Draft, made: Made, kind: str, mention: Mention) -> None:
    """A bare "16 GB": memory of a machine that has none yet and where it is plausible, else disk."""
    category = _CATEGORY_OF_SIZE.get(kind)
    if kind == "database" and "memory_gb" not in made.values and ("cpu" in made.values or "storage_gb" in made.values):
        category = "memory"
        phrase = draft.phrase(mention.start, mention.end)
        made.assume("plan", mention.value, f"{phrase!r} stands beside cores or a disk; taken as memory, which chooses the size")
    if category is None:
        memory_path = effects()["value"]["memory"][kind]
        has_memory = get_path(made.values, memory_path) is not None
        has_cpu = get_path(made.values, effects()["value"]["cpu"][kind]) is not None
        category = "disk" if has_memory or (mention.value > 96 and not has_cpu) else "memory"
        what = "disk" if category == "disk" else "memory"
        phrase = draft.phrase(mention.start, mention.end)
        made.assume(
            effects()["value"][category][kind], mention.value, f"{phrase!r} says neither memory nor disk; taken as {what}"
        )
    _apply(draft, made, kind, replace(mention, category=category))


def _put(draft: Draft, made: Made, mention: Mention, path: str, value: Any) -> None:
    if path.endswith("+"):
        path = path[:-1]
        value = [*(get_path(made.values, path) or []), value]
    elif path.endswith("auto_scaling.enabled") and isinstance(get_path(made.values, path.removesuffix(".enabled")), list):
        made.facts.append((mention, path, value))
        return
    elif not path:
        made.facts.append((mention, "", value))
        return
    elif path.endswith("plan") and {mention.category, *made.said.get(path, ())} == {"size", "sku"}:
        if mention.category == "size":  # a SKU says more than a size, whichever came first
            made.facts.append((mention, path, get_path(made.values, path)))
            return
    elif path == "role" and get_path(made.values, path) not in (None, value):
        draft.leave(mention, f"the role is {get_path(made.values, path)} already")
        return
    elif (before := get_path(made.values, path)) is not None and before != value and not isinstance(before, dict):
        phrase = draft.phrase(mention.start, mention.end)
        made.conflicts.append((path, f"{phrase!r} contradicts {before!r}, which was said before it"))
        draft.leave(mention, f"{before!r} was said before it")
        return
    if path.endswith(("disk_gb", "size_gb", "storage_gb")) and not (path == "size_gb" and made.head.kind == "bucket"):
        value = max(1, round(value))
    made.said.setdefault(path, []).append(mention.category)
    if path == _SECURE:
        made.secure = bool(value)
    else:
        set_path(made.values, path, value)
    made.facts.append((mention, _REAL.get(path, path), value))

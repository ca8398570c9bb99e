"""What a table of a provider is made of: one row says how a field and an attribute correspond, both ways."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from prov_gen.export.terraform.document import Body, name_of, referred, unescaped
from prov_gen.export.terraform.item import SUBNET_SEPARATOR, Item

KEEP = object()
"""What Terraform takes for a missing attribute is the field's own default."""


def place(body: Body, dotted: str, value: Any) -> None:
    """Set an attribute; the steps before the last are nested blocks."""
    *blocks, last = dotted.split(".")
    for step in blocks:
        body = body.setdefault(step, {})
    body[last] = value


def find(body: Any, dotted: str) -> Any:
    """An attribute by its dotted name, or None; a block may be an object or a list of one."""
    for step in dotted.split("."):
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if not isinstance(body, dict):
            return None
        body = body.get(step)
    return body


def settle(record: dict[str, Any], dotted: str, value: Any) -> None:
    """Set a field of a record that is being read."""
    *steps, last = dotted.split(".")
    for step in steps:
        record = record.setdefault(step, {})
    record[last] = value


class Row(Protocol):
    """A correspondence of fields and attributes."""

    def write(self, item: Item, body: Body) -> None:
        """Put the fields into the resource; what does not fit is left in the item's ledger."""

    def read(self, body: Body, record: dict[str, Any]) -> None:
        """Put the attributes into the record; what does not fit is found by comparing afterwards."""


@dataclass(frozen=True)
class Attribute:
    """One field, one attribute. `words` are the values in both languages, `pattern` what the attribute accepts.

    `absent` is the field's value where Terraform's attribute is left out.
    """

    name: str
    attribute: str
    words: Mapping[Any, Any] | None = None
    pattern: str = ""
    absent: Any = KEEP

    def write(self, item: Item, body: Body) -> None:
        """See `Row`."""
        value = item.get(self.name)
        if value is None:
            return
        if self.words is not None:
            if value not in self.words:
                item.leave(self.name, f"{self.attribute} knows no {value!r}")
                return
            value = self.words[value]
        if self.pattern and not re.fullmatch(self.pattern, str(value)):
            item.leave(self.name, f"{self.attribute} takes only text that matches {self.pattern}")
            return
        place(body, self.attribute, value)

    def read(self, body: Body, record: dict[str, Any]) -> None:
        """See `Row`."""
        value = find(body, self.attribute)
        if value is None:
            if self.absent is not KEEP:
                settle(record, self.name, self.absent)
            return
        if isinstance(value, str):
            value = unescaped(value)
        if self.words is not None:
            value = (
                {theirs: ours for ours, theirs in self.words.items()}.get(value) if not isinstance(value, dict | list) else None
            )
        if value is not None:
            settle(record, self.name, value)


@dataclass(frozen=True)
class Refers:
    """A field that names other resources (a name, or a list of them), and the attribute that refers to them."""

    name: str
    attribute: str
    kind: str
    to: str = "id"

    def write(self, item: Item, body: Body) -> None:
        """See `Row`."""
        value = item.get(self.name)
        if not value:
            return
        many = isinstance(value, list)
        found = []
        for index, name in enumerate(value if many else [value]):
            expression = item.refer(self.kind, name, self.to)
            if expression is None:
                item.leave(
                    f"{self.name}.{index}" if many else self.name, f"no {self.kind} of this configuration and provider: {name}"
                )
            else:
                found.append(expression)
        if found:
            place(body, self.attribute, found if many else found[0])

    def read(self, body: Body, record: dict[str, Any]) -> None:
        """See `Row`."""
        value = find(body, self.attribute)
        names = [self.named(item) for item in (value if isinstance(value, list) else [value])]
        known = [name for name in names if name]
        if known:
            settle(record, self.name, known if isinstance(value, list) else known[0])

    def named(self, expression: Any) -> str | None:
        """The name that a reference means."""
        found = referred(expression)
        if not found:
            return None
        label = found[1]
        if self.kind == "subnet":
            label = label.lstrip("_").partition(SUBNET_SEPARATOR)[2] or label
        return name_of(label)


@dataclass(frozen=True)
class Fixed:
    """An attribute that we always write alike."""

    attribute: str
    value: Any

    def write(self, item: Item, body: Body) -> None:  # noqa: ARG002 - a row's signature
        """See `Row`."""
        place(body, self.attribute, self.value)

    def read(self, body: Body, record: dict[str, Any]) -> None:
        """See `Row`."""


@dataclass(frozen=True)
class Special:
    """What no other row says: a function each way."""

    writes: Callable[[Item, Body], None]
    reads: Callable[[Body, dict[str, Any]], None] = field(default=lambda _body, _record: None)
    carries: Mapping[str, str] = field(default_factory=dict)
    """Which attribute a field is read from, for those that say why a value was not taken."""

    def write(self, item: Item, body: Body) -> None:
        """See `Row`."""
        self.writes(item, body)

    def read(self, body: Body, record: dict[str, Any]) -> None:
        """See `Row`."""
        self.reads(body, record)


@dataclass(frozen=True)
class Blocks:
    """A list of records inside of one resource, as a list of nested blocks."""

    name: str
    attribute: str
    rows: tuple[Row, ...]

    def write(self, item: Item, body: Body) -> None:
        """See `Row`."""
        blocks = []
        for record in item.get(self.name):
            block: Body = {}
            for row in self.rows:
                row.write(item.inside(record, item.label), block)
            blocks.append(block)
        if blocks:
            place(body, self.attribute, blocks)

    def read(self, body: Body, record: dict[str, Any]) -> None:
        """See `Row`."""
        blocks = find(body, self.attribute)
        found = []
        for block in blocks if isinstance(blocks, list) else [blocks] if blocks else []:
            inner: dict[str, Any] = {}
            for row in self.rows:
                row.read(block, inner)
            found.append(inner)
        if found:
            settle(record, self.name, found)


TAG_PREFIX = "prov-"
_TAGGED = {"role": "str", "data_class": "str", "stateful": "bool"}


@dataclass(frozen=True)
class Tags:
    """A record's tags, and the fields that clouds have tags for and nothing else (`prov-role`).

    `key` and `value` are what the provider accepts; `shown` is the tag that carries the name.
    """

    attribute: str = "tags"
    key: str = r"(?!aws:)[\w \t+\-=.:/@]{1,128}"
    value: str = r"[\w \t+\-=.:/@]{0,256}"
    shown: str = ""

    def write(self, item: Item, body: Body) -> None:
        """See `Row`."""
        tags = {self.shown: item.raw.name} if self.shown else {}
        for name, text in item.get("tags").items():
            if re.fullmatch(self.key, name) and re.fullmatch(self.value, text) and name.removeprefix(TAG_PREFIX) == name:
                tags[name] = text
            else:
                item.ledger.leave((*item.path, "tags", name), "the provider accepts no such tag")
        for name, kind in _TAGGED.items():
            if name in type(item.raw).model_fields and (value := item.get(name)) not in {None, False}:
                text = "true" if kind == "bool" else str(value)
                if re.fullmatch(self.value, text):
                    tags[TAG_PREFIX + name.replace("_", "-")] = text
                else:
                    item.leave(name, "the provider accepts no such tag")
        if tags:
            place(body, self.attribute, tags)

    def read(self, body: Body, record: dict[str, Any]) -> None:
        """See `Row`."""
        found = find(body, self.attribute)
        tags = {}
        for name, text in (found if isinstance(found, dict) else {}).items():
            value = unescaped(text) if isinstance(text, str) else None
            special = name.removeprefix(TAG_PREFIX).replace("-", "_") if name.startswith(TAG_PREFIX) else ""
            if value is None or (name == self.shown and value == record.get("name")):
                continue
            if special in _TAGGED:
                record[special] = value == "true" if _TAGGED[special] == "bool" else value
            else:
                tags[unescaped(name) or name] = value
        if tags:
            record["tags"] = tags


def attributes_of(row: Row) -> Mapping[str, str]:
    """The attribute that each field of a row is read from."""
    if isinstance(row, Attribute | Refers):
        return {row.name: row.attribute}
    return row.carries if isinstance(row, Special) else {}


def unescape_text(value: Any) -> Any:
    """A text of a document as plain text; a template stays as it is, and is found by comparing."""
    return (unescaped(value) or value) if isinstance(value, str) else value

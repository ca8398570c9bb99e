"""A provider's table: for each kind the resource that it becomes, and those beside it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from prov_gen.export.terraform.document import Body, reference, referred
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Attribute, Row, find, place


@dataclass(frozen=True)
class Beside:
    """A further resource that belongs to a record. `link` is the attribute that refers to the record's own (`bucket`, `id`).

    It is written where `when` holds, and carries fields by its own rows.
    """

    type: str
    link: tuple[str, str]
    rows: tuple[Row, ...]
    when: Callable[[Any], bool] = field(default=lambda _record: True)


Found = Callable[[str], dict[str, Body]]
"""All resources of a type in the document that is read, by label."""


@dataclass(frozen=True)
class Main:
    """What a kind becomes. `more` writes what rows cannot say, `recover` reads it back."""

    kind: str
    type: str
    rows: tuple[Row, ...]
    beside: tuple[Beside, ...] = ()
    more: Callable[[Item], None] | None = None
    recover: Callable[[str, Body, Found, dict[str, Any]], None] | None = None
    accepts: Callable[[Item], str] | None = None
    """The reason why a record does not become this (another kind of thing at this provider), or nothing."""
    refuses: Callable[[Body], str] = field(default=lambda _body: "")
    """The reason why a resource of this type is no record of ours (an engine that we do not have), or nothing."""
    name_attribute: str = ""
    """The attribute with the name at the provider, where no row says so."""

    @property
    def called(self) -> str:
        """The attribute that holds the record's name, or nothing."""
        rows = (row.attribute for row in self.rows if isinstance(row, Attribute) and row.name == "name")
        return self.name_attribute or next(rows, "")

    def write(self, item: Item) -> None:
        """Add the record's resources to the document."""
        body: Body = {}
        for row in self.rows:
            row.write(item, body)
        item.put(self.type, item.label, body)
        for extra in self.beside:
            if extra.when(item.raw):
                second: Body = {}
                place(second, extra.link[0], reference(self.type, item.label, extra.link[1]))
                for row in extra.rows:
                    row.write(item, second)
                item.put(extra.type, item.label, second)
        if self.more:
            self.more(item)

    def read(self, label: str, body: Body, found: Found, record: dict[str, Any]) -> None:
        """Fill the record from its resource and those beside it."""
        for row in self.rows:
            row.read(body, record)
        for extra in self.beside:
            second = linked(found(extra.type), self.type, label, extra.link[0])
            for row in extra.rows:
                row.read(second[1] if second else {}, record)
        if self.recover:
            self.recover(label, body, found, record)


def linked(candidates: dict[str, Body], kind: str, label: str, attribute: str) -> tuple[str, Body] | None:
    """The resource whose attribute refers to another one."""
    # Most often it has the same label, so that thousands of records are not searched for each of them.
    first = {label: candidates[label]} if label in candidates else {}
    for name, body in itertools.chain(first.items(), candidates.items()):
        target = referred(find(body, attribute))
        if target and target[:2] == (kind, label):
            return name, body
    return None

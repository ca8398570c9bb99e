"""Terraform JSON in the making: text is escaped unless it is an expression, and every address is used once.

Source: https://developer.hashicorp.com/terraform/language/syntax/json
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from prov_gen.export.model import Path

Body = dict[str, Any]
_REFERENCE = re.compile(r"^\$\{((?:data\.)?[a-z0-9_]+)\.([A-Za-z_][\w-]*)\.([a-z_0-9.\[\]]+)\}$")


class Expression(str):
    """Text that Terraform evaluates. Only code makes one; what a configuration says is always a plain `str`."""

    __slots__ = ()


def reference(kind: str, label: str, attribute: str = "id") -> Expression:
    """`${aws_vpc.main.id}`."""
    return Expression(f"${{{kind}.{label}.{attribute}}}")


def referred(text: object) -> tuple[str, str, str] | None:
    """Type, label and attribute of a text that is one reference and nothing else."""
    found = _REFERENCE.match(text) if isinstance(text, str) else None
    return (found[1], found[2], found[3]) if found else None


def escaped(text: str) -> str:
    """A text that Terraform reads back as it is: `${` and `%{` would start a template."""
    return text.replace("${", "$${").replace("%{", "%%{")


def unescaped(text: str) -> str | None:
    """The inverse of `escaped`; None for a text that is a template."""
    if re.search(r"(?<!\$)\$\{|(?<!%)%\{", text):
        return None
    return text.replace("$${", "${").replace("%%{", "%{")


def _plain(value: Any) -> Any:
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def label_of(name: str) -> str:
    """A name as a label, which begins with a letter or `_`; `name_of` is the inverse."""
    return name if name[0].isalpha() else f"_{name}"


def name_of(label: str) -> str:
    """The name that a label of ours stands for."""
    return label[1:] if re.match(r"_[0-9]", label) else label


class Document:
    """Blocks by type and label. `origin` says which record of the configuration each address comes from."""

    def __init__(self) -> None:
        self._blocks: dict[str, dict[str, Any]] = {}
        self.origin: dict[str, Path] = {}

    def put(self, kind: str, label: str, body: Body, origin: Path) -> None:
        """Add a resource. A second one at the same address is a defect of ours: names were made unique before."""
        at = self._blocks.setdefault("resource", {}).setdefault(kind, {})
        if label in at:
            raise KeyError(f"{kind}.{label} is there already")
        at[label] = body
        self.origin[f"{kind}.{label}"] = origin

    def share(self, block: str, kind: str, label: str, body: Body) -> None:
        """Add a data source or resource that several records use; the same one twice is one."""
        self._blocks.setdefault(block, {}).setdefault(kind, {})[label] = body

    def define(self, block: str, name: str, body: Any) -> None:
        """Add a variable, a local or a provider."""
        self._blocks.setdefault(block, {})[name] = body

    def resources(self) -> Iterator[tuple[str, str, Body]]:
        """Every resource: type, label, body."""
        for kind, labels in self._blocks.get("resource", {}).items():
            for label, body in labels.items():
                yield kind, label, body

    def as_dict(self) -> dict[str, Any]:
        """The document as JSON values, escaped."""
        order = ("terraform", "provider", "variable", "locals", "data", "resource")
        plain: dict[str, Any] = {block: _plain(self._blocks[block]) for block in order if block in self._blocks}
        return plain

    def text(self) -> str:
        """The document as a `.tf.json` file."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"

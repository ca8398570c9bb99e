"""The text of a schema file: head, imports, and its contracts, the kind's own first."""

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from prov_gen.contracts.expression import contract_of, default_of, definition_of, named_types, words
from prov_gen.model import base
from prov_gen.model.kinds import INFRASTRUCTURE, KINDS, Kind
from prov_gen.nickel.literal import nickel_key, nickel_literal, nickel_string

LINE_WIDTH = 110
COMMAND = "python -m prov_gen.contracts"
LIB, TYPES = "lib", "types"
IN_LIB = ("Nullable", "Integer", "Real", "OneOf", "Matching", "Characters", "TextOrTag", "Invariant", "Either", "states")


@dataclass(frozen=True, slots=True)
class Entry:
    """A named contract of a file: its text without the name, and the names that it takes from elsewhere."""

    name: str
    text: str
    uses: frozenset[str]


def records_of(model: type[base.Record]) -> Iterator[type[base.Record]]:
    """The model and every record inside it, each once, outermost first."""
    seen: list[type[base.Record]] = [model]
    for record in seen:
        yield record
        hints = get_type_hints(record, include_extras=True)
        for field in record.model_fields:
            seen.extend(found for found in _records_in(hints[field]) if found not in seen)


def _records_in(annotation: Any) -> Iterator[type[base.Record]]:
    if isinstance(annotation, type) and issubclass(annotation, base.Record):
        yield annotation
    for argument in get_args(annotation):
        yield from _records_in(argument)


def homes() -> dict[str, str]:
    """Which file (without its ending) exports which name."""
    found = dict.fromkeys(IN_LIB, LIB) | dict.fromkeys(named_types(), TYPES)
    found |= {kind.contract: kind.name for kind in (INFRASTRUCTURE, *KINDS)}
    for kind in KINDS:
        for record in records_of(kind.model):
            found.setdefault(record.__name__, TYPES if record.__module__ == base.__name__ else kind.name)
    return found


def kind_file(kind: Kind) -> str:
    """The schema file of a kind."""
    home = homes()
    records = [record for record in records_of(kind.model) if home[record.__name__] == kind.name]
    entries = [entry for record in records for entry in _record_entries(record)]
    head = [
        *textwrap.wrap(_summary(kind.model), LINE_WIDTH - 2),
        "",
        f'  let {{ {kind.contract}, .. }} = import "schemas/{kind.name}.ncl" in',
        f"  {words()['examples'][kind.name]} | {kind.contract}",
    ]
    return _file(kind.name, head, entries)


def types_file() -> str:
    """The file of what several kinds share: the words of `model.base` and its records."""
    entries = []
    for name, annotation in named_types().items():
        contract = definition_of(annotation, name)
        fits = len(f"  {name} = {contract.text},") <= LINE_WIDTH
        text = contract.text if fits else "\n    " + "\n      ".join(contract.words)
        entries.append(Entry(name, text, contract.uses))
    shared = {record for kind in KINDS for record in records_of(kind.model) if homes()[record.__name__] == TYPES}
    entries += [entry for record in sorted(shared, key=lambda record: record.__name__) for entry in _record_entries(record)]
    head = ["The words that several kinds share: names, networks, plans, days, handles.", ""]
    head += [
        '  let { Name, Cidr, .. } = import "schemas/types.ncl" in',
        '  { name = "app", cidr = "10.0.1.0/24" } | { name | Name, cidr | Cidr }',
    ]
    return _file(TYPES, head, entries)


def open_file(name: str, text: str) -> str:
    """The names that a schema file exports, each as a contract that takes anything.

    A Nickel contract stops at the first fault. A text is therefore read with these in place of its schemas, and the models then
    tell everything at once.
    """
    names = re.findall(r"^  ([A-Z][A-Za-z0-9]*) =", text, re.MULTILINE)
    lines = "".join(f"  {exported} = Dyn,\n" for exported in names)
    return f"# The names of schemas/{name} without their rules. Generated from the models by `{COMMAND}`.\n{{\n{lines}}}\n"


def _file(name: str, head: Iterable[str], entries: list[Entry]) -> str:
    lines = [f"# {line}".rstrip() for line in head]
    lines += ["#", f"# Generated from the models by `{COMMAND}`: change the model, not this file."]
    lines += _imports(name, entries)
    blocks = [f"  {entry.name} = {entry.text},\n".replace("= \n", "=\n", 1) for entry in entries]
    return "\n".join(lines) + "\n{\n" + "\n".join(blocks) + "}\n"


def _imports(name: str, entries: list[Entry]) -> list[str]:
    home = homes()
    taken: dict[str, set[str]] = {}
    for used in set().union(*(entry.uses for entry in entries)) - {entry.name for entry in entries}:
        taken.setdefault(home[used], set()).add(used)
    assert name not in taken
    order = [LIB, TYPES, *(kind.name for kind in KINDS)]
    return [f'let {{ {", ".join(sorted(taken[file]))}, .. }} = import "{file}.ncl" in' for file in order if file in taken]


def _record_entries(record: type[base.Record]) -> list[Entry]:
    """The contract of a record; where defaults hang on whether a plan is named, the two contracts that it chooses from."""
    fields, uses = _fields(record)
    name, rules = record.__name__, record.invariants
    text = f"{{\n{textwrap.indent(fields, '    ')}  }}"
    if rules:
        uses |= {"Invariant"}
        parts = [textwrap.indent(text, "  ").lstrip()]
        parts += [_broken(["Invariant", nickel_string(rule.message), f"({rule.nickel})"], "    ") for rule in rules]
        text = "std.contract.Sequence [\n" + "".join(f"    {part},\n" for part in parts) + "  ]"
    unless_plan = getattr(record, "unless_plan", None)
    if not unless_plan:
        return [Entry(name, text, uses)]
    defaults = ", ".join(f"{nickel_key(key)} | default = {nickel_literal(value)}" for key, value in unless_plan.items())
    planned, sized = f"Planned{name}", f"Sized{name}"
    return [
        Entry(name, f'Either (states "plan") {planned} {sized}', frozenset({"Either", "states"})),
        Entry(planned, text, uses),
        Entry(sized, f"{planned} & {{ spec | {{ {defaults}, .. }} }}", frozenset()),
    ]


def _broken(words: list[str], margin: str) -> str:
    """A function and its arguments: on one line when they fit, else each argument on its own."""
    line = " ".join(words)
    return line if len(margin) + len(line) < LINE_WIDTH else f"\n{margin}  ".join(words)


def _fields(record: type[base.Record]) -> tuple[str, frozenset[str]]:
    hints = get_type_hints(record, include_extras=True)
    uses: frozenset[str] = frozenset()
    text = ""
    for name, field in record.model_fields.items():
        description = field.description or ""
        contract = contract_of(hints[name], f"{record.__name__}.{name}", description)
        uses |= contract.uses
        notes = [contract.text, f"doc {nickel_string(description)}"]
        if field.is_required():
            ending = ""
        elif field.default is None:
            notes.append("optional")
            ending = ""
        else:
            ending = f" | default = {default_of(hints[name], field.default)}"
        text += _field(nickel_key(field.alias or name), notes, ending)
    return text, uses


def _field(name: str, notes: list[str], ending: str) -> str:
    line = f"{name} | {' | '.join(notes)}{ending},\n"
    if len(line) + 4 <= LINE_WIDTH:
        return line
    return f"{name}\n" + "".join(f"  | {note}\n" for note in notes)[:-1] + (f"\n  {ending.strip()}" if ending else "") + ",\n"


def _summary(record: type[base.Record]) -> str:
    return inspect.cleandoc(record.__doc__ or "").split("\n\n", maxsplit=1)[0].replace("\n", " ")

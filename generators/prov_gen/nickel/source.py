"""A Nickel text with its name, and the ways in which it is put into an expression without losing its positions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prov_gen.nickel.literal import nickel_string
from stratumops.errors import InvalidInputError

INLINE_NAME = "<config>"
LOCATED = "stratumops: the value at this path"


@dataclass(frozen=True, slots=True)
class NickelSource:
    """Nickel text as the caller holds it.

    It is always this text that is evaluated, never a file that it was read from; files that it imports are read by the worker
    during the evaluation. Reports point into it by `name` (a workspace-relative path, or `<config>`). `folder` is where its
    relative imports start.
    """

    text: str
    name: str = INLINE_NAME
    folder: Path | None = None

    def require_usable(self, max_bytes: int) -> None:
        """Raise InvalidInputError for what no evaluator should see: too large, NUL bytes, lone surrogates."""
        try:
            size = len(self.text.encode())
        except UnicodeEncodeError as error:
            line = self.text.count("\n", 0, error.start) + 1
            raise InvalidInputError(
                f"{self.name}:{line}: a lone surrogate is no character", hint="send valid Unicode", file=self.name, line=line
            ) from None
        if size > max_bytes:
            raise InvalidInputError(
                f"{self.name} has {size:,} bytes; at most {max_bytes:,} are evaluated", hint="split it into files", file=self.name
            )
        if "\x00" in self.text:
            line = self.text.count("\n", 0, self.text.index("\x00")) + 1
            raise InvalidInputError(
                f"{self.name}:{line}: the text holds a NUL byte", hint="save it as plain UTF-8 text", file=self.name, line=line
            )


@dataclass(frozen=True, slots=True)
class Expression:
    """What a worker evaluates: the text begins on line `1 + shift`, at column 1."""

    text: str
    shift: int = 0


def value_of(source: NickelSource) -> Expression:
    """The text itself."""
    return Expression(source.text)


def checked_syntax(source: NickelSource) -> Expression:
    """Parsed, its names and static types checked, not evaluated.

    There is nothing after the text that it could close early, so only text that is whole on its own passes; the other
    forms wrap it in parentheses and are used after this one.
    """
    return Expression(f'if true then "ok" else\n{source.text}', 1)


def under_contract(source: NickelSource, contract: str) -> Expression:
    """The value checked against a contract (a Nickel expression of ours)."""
    return Expression(f"(\n{source.text}\n) | ({contract})", 1)


def failing_at(source: NickelSource, path: Sequence[str | int]) -> Expression:
    """An expression that fails at the value of a path, so that Nickel's report names the place where it is written."""
    contract = f"std.contract.custom (fun _label _value => 'Error {{ message = {nickel_string(LOCATED)} }})"
    # Applied from the outside in, as a schema would be: that is how Nickel keeps track of the place.
    for step in reversed(path):
        contract = f"Array ({contract})" if isinstance(step, int) else f"{{ {nickel_string(step)} | {contract}, .. }}"
    access = f"(value | {contract})"
    for step in path:
        access = f"(std.array.at {step} {access})" if isinstance(step, int) else f"{access}.{nickel_string(step)}"
    return Expression(f"let value = (\n{source.text}\n) in {access}", 1)

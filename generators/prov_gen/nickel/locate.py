"""Where a path of a configuration stands in its Nickel text, found by reading the text.

It follows what people and our templates write: records, arrays, dotted and quoted keys, annotations, `let ... in` before the
record, merges with `&`. What only evaluation could know (a function's result, an imported record) is answered with
the nearest ancestor that is written in the text; `Nickel.locate` asks Nickel itself then.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from prov_gen.nickel.tokens import LostError, Token, tokenize, unquote

MAX_DEPTH = 80

Path = Sequence[str | int]

_OPENING = frozenset("{[(")
_CLOSING = frozenset("}])")
_CONSTANTS = frozenset({"true", "false", "null"})


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: line and column from 1, in characters; `end_column` is exclusive, None over several lines.

    `is_exact` means: the value of the path itself. Otherwise it is the nearest ancestor known.
    """

    file: str
    line: int
    column: int
    end_column: int | None
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A value as it stands in the text, at `text[start:end]`; `keys` are the fields that a record's text names, None for others.

    `is_known` is False for what only evaluation knows, such as an application; a value of dotted keys starts at the first key.
    """

    start: int
    end: int
    is_known: bool
    keys: frozenset[str] | None


@dataclass(slots=True)
class _Node:
    """A value in the text. `is_known` is False when the text alone does not tell the value."""

    start: int
    end: int
    is_known: bool = True
    is_default: bool = False
    fields: dict[str, "_Node"] | None = None
    items: list["_Node"] = field(default_factory=list)


class SourceMap:
    """The places of one text. Building it reads the text once; a look-up then costs a walk along the path."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._lines = [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]
        try:
            self._root: _Node | None = _Parser(tokenize(text)).whole()
        except (LostError, RecursionError):
            # Positions are a service to the reader: a text that cannot be followed is still judged.
            self._root = None

    def find(self, path: Path) -> Position | None:
        """The place of a path's value, or of its nearest known ancestor; None when the text cannot be followed."""
        if self._root is None:
            return None
        node = self._root
        for index, step in enumerate(path):
            child = _child(node, step)
            if child is None:
                return self._position(node, is_exact=False)
            node = child
            if not node.is_known and index + 1 < len(path):
                return self._position(node, is_exact=False)
        return self._position(node, is_exact=node.is_known)

    def has_unknown(self, path: Path) -> bool:
        """Whether evaluation could tell more about this path than the text: some step of it is computed."""
        node = self._root
        for step in path:
            if node is None or not node.is_known:
                return True
            child = _child(node, step)
            if child is None:
                return False
            node = child
        return node is None or not node.is_known

    def trail(self, path: Path) -> list[Written]:
        """The values on the way to a path's value, the whole first, as far as the text names them; none where it is lost."""
        node, passed = self._root, list[Written]()
        for step in [*path, None]:
            if node is None:
                break
            passed.append(Written(node.start, node.end, node.is_known, None if node.fields is None else frozenset(node.fields)))
            node = _child(node, step) if step is not None else None
        return passed

    def _position(self, node: _Node, *, is_exact: bool) -> Position:
        line = bisect_right(self._lines, node.start)
        first = self._lines[line - 1]
        one_line = bisect_right(self._lines, max(node.start, node.end - 1)) == line
        return Position(self._file, line, node.start - first + 1, node.end - first + 1 if one_line else None, is_exact)


def _child(node: _Node, step: str | int) -> _Node | None:
    if isinstance(step, int):
        return node.items[step] if node.fields is None and 0 <= step < len(node.items) else None
    return node.fields.get(step) if node.fields is not None else None


class _Parser:
    """Recursive descent over the tokens. Each method takes the index where it starts and answers where it stopped."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._depth = 0

    def whole(self) -> _Node:
        node, index = self._value(0)
        if self._tokens[index].kind != "end":
            raise LostError
        return node

    def _is(self, index: int, text: str) -> bool:
        token = self._tokens[index]
        return token.text == text and token.kind in {"op", "name"}

    def _value(self, index: int) -> tuple[_Node, int]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise LostError
        while self._is(index, "let"):
            index = self._after_let(index)
        node, index = self._operand(index)
        while self._is(index, "&"):
            other, index = self._operand(index + 1)
            node = _merged(node, other)
        if self._is(index, "|") or self._is(index, ":"):
            index = self._skip(index)
        elif not self._at_end(index):
            # An operator or an application: only evaluation knows the value.
            index = self._skip(index)
            node = _Node(node.start, self._tokens[index - 1].end, is_known=False)
        self._depth -= 1
        return node, index

    def _operand(self, index: int) -> tuple[_Node, int]:
        token = self._tokens[index]
        if self._is(index, "{"):
            return self._record(index)
        if self._is(index, "["):
            return self._array(index)
        if self._is(index, "("):
            node, index = self._value(index + 1)
            if not self._is(index, ")"):
                raise LostError
            # Nickel counts the parentheses in.
            node.start, node.end = token.start, self._tokens[index].end
            return node, index + 1
        if self._is(index, "-") and self._tokens[index + 1].kind == "number":
            return _Node(token.start, self._tokens[index + 1].end), index + 2
        if token.kind in {"string", "dynamic", "multiline", "tag", "number"} or token.text in _CONSTANTS:
            return _Node(token.start, token.end), index + 1
        if self._at_end(index):
            raise LostError
        # A name, a function, a condition: it goes on to the end of this value.
        stop = self._skip(index)
        return _Node(token.start, self._tokens[stop - 1].end, is_known=False), stop

    def _array(self, index: int) -> tuple[_Node, int]:
        node = _Node(self._tokens[index].start, 0)
        index += 1
        while not self._is(index, "]"):
            item, index = self._value(index)
            node.items.append(item)
            index = self._after_comma(index, "]")
        node.end = self._tokens[index].end
        return node, index + 1

    def _record(self, index: int) -> tuple[_Node, int]:
        node = _Node(self._tokens[index].start, 0, fields={})
        index += 1
        while not self._is(index, "}"):
            index = self._after_comma(self._field(index, node), "}")
        node.end = self._tokens[index].end
        return node, index + 1

    def _after_comma(self, index: int, closing: str) -> int:
        if self._is(index, ","):
            return index + 1
        if not self._is(index, closing):
            raise LostError
        return index

    def _field(self, index: int, record: _Node) -> int:
        first = self._tokens[index]
        keys: list[str] = []
        while (key := self._key(index)) is not None:
            keys.append(key)
            # Each part is a record of its own, so it counts like one that is written with braces.
            if self._depth + len(keys) > MAX_DEPTH:
                raise LostError
            index += 1
            if not self._is(index, "."):
                break
            index += 1
        is_default = False
        if keys and (self._is(index, "|") or self._is(index, ":")):
            start = index
            index = self._skip(index, stop_at="=")
            is_default = any(self._is(at, "|") and self._is(at + 1, "default") for at in range(start, index))
        if keys and self._is(index, "="):
            self._depth += len(keys) - 1
            value, index = self._value(index + 1)
            self._depth -= len(keys) - 1
        elif keys and self._at_end(index):
            value = _Node(first.start, self._tokens[index - 1].end, is_known=False)
        else:
            # `..`, `include`, or a computed key: the record has fields that the text does not name.
            return self._skip(index)
        value.is_default = is_default
        for key in reversed(keys[1:]):
            value = _Node(first.start, value.end, is_default=is_default, fields={key: value})
        assert record.fields is not None
        known = record.fields.get(keys[0])
        record.fields[keys[0]] = value if known is None else _merged(known, value)
        return index

    def _key(self, index: int) -> str | None:
        token = self._tokens[index]
        if token.kind == "name":
            return token.text
        return unquote(token.text) if token.kind == "string" else None

    def _at_end(self, index: int) -> bool:
        token = self._tokens[index]
        return token.kind == "end" or (token.kind == "op" and (token.text == "," or token.text in _CLOSING))

    def _skip(self, index: int, stop_at: str = "") -> int:
        """The next comma, closing bracket or `stop_at` on this level."""
        level = 0
        while True:
            token = self._tokens[index]
            if token.kind == "end":
                return index
            if token.kind == "op":
                if level == 0 and (token.text == "," or token.text in _CLOSING or token.text == stop_at):
                    return index
                level += (token.text in _OPENING) - (token.text in _CLOSING)
            index += 1

    def _after_let(self, index: int) -> int:
        """Behind the `in` that belongs to the `let` at `index`."""
        pending = 0
        while True:
            token = self._tokens[index]
            if token.kind == "end":
                raise LostError
            if token.kind == "name":
                pending += (token.text == "let") - (token.text == "in")
            index += 1
            if pending == 0:
                return index


def _merged(left: _Node, right: _Node) -> _Node:
    """Two definitions of one value: records together, else the one that is not a default, else the later."""
    if left.fields is None or right.fields is None:
        return left if right.is_default and not left.is_default else right
    # In place: a record written as thousands of dotted keys must not be copied thousands of times.
    for key, node in right.fields.items():
        known = left.fields.get(key)
        left.fields[key] = node if known is None else _merged(known, node)
    return left

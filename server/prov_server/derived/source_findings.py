"""The findings that the code can make, read from its source: each place that makes one names its code, severity and words.

A place is a call of `Finding(...)` itself, or of a function that hands its parameters on to `Finding(layer=..., code=code, ...)`.
Words made at run time show their parts in braces. What is told nowhere in the source (the codes of Nickel's own reports and of
the models' checks) has its words in `findings.toml`.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import prov_gen

FOLDER = Path(prov_gen.__file__).parent
FOLDERS = (FOLDER / "layers", FOLDER / "understand")
SEVERITIES = ("error", "warning", "info")
PARTS = ("code", "severity", "message", "fix")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Place:
    """One call that makes a finding. `messages` and `fixes` hold every form that the words can take."""

    code: str
    layer: int
    severities: tuple[str, ...]
    messages: tuple[str, ...]
    fixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Maker:
    """A function that makes findings: the layer, the names of its parameters without `self`, and their defaults."""

    layer: int
    parameters: tuple[str, ...]
    defaults: dict[str, ast.expr] = field(default_factory=dict)


def places() -> list[Place]:
    """Every place in the layers and in the understanding of words, in the order of files and lines."""
    found: list[Place] = []
    for folder in FOLDERS:
        trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]
        modules = [(tree, makers(tree)) for tree in trees]
        shared = {name: maker for _, own in modules for name, maker in own.items() if not name.startswith("_")}
        for tree, own in modules:
            found += _Module(tree, shared | own).places()
    return found


def constants(path: Path, prefix: str) -> set[str]:
    """The string constants of a module that begin with a prefix, such as `shape_`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if text.startswith(prefix) and text != prefix and text.replace("_", "").isalpha()}


def first_arguments(path: Path, name: str) -> set[str]:
    """The constant first arguments of the calls of a function in a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == name and node.args)
    return {first.value for call in calls if isinstance(first := call.args[0], ast.Constant) and isinstance(first.value, str)}


def makers(tree: ast.Module) -> dict[str, Maker]:
    """The functions of a module that hand a parameter `code` on to `Finding`."""
    found: dict[str, Maker] = {}
    for function in _functions(tree):
        names = [argument.arg for argument in function.args.args if argument.arg != "self"]
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call) and _called(node) == "Finding"):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            layer, passed = given.get("layer"), given.get("code")
            if (
                isinstance(passed, ast.Name)
                and passed.id in names
                and isinstance(layer, ast.Constant)
                and isinstance(layer.value, int)
            ):
                last = names[len(names) - len(function.args.defaults) :]
                defaults = dict(zip(last, function.args.defaults, strict=True))
                found[function.name] = Maker(layer.value, tuple(names), defaults)
    return found


def _functions(tree: ast.AST) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def _called(call: ast.Call) -> str:
    target = call.func
    return target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""


class _Module:
    """One module: resolves the words of its calls."""

    def __init__(self, tree: ast.Module, known: dict[str, Maker]) -> None:
        self._tree = tree
        self._known = known

    def places(self) -> Iterator[Place]:
        for function in _functions(self._tree):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                place = self._place(call, function)
                if place is not None:
                    yield place

    def _place(self, call: ast.Call, function: Function) -> Place | None:
        given: dict[str, ast.expr] = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        name = _called(call)
        if name == "Finding":
            layer_node = given.get("layer")
            layer = layer_node.value if isinstance(layer_node, ast.Constant) else None
        elif name in self._known:
            maker = self._known[name]
            layer = maker.layer
            given = maker.defaults | dict(zip(maker.parameters, call.args, strict=False)) | given
        else:
            return None
        told = given.get("code")
        if not (isinstance(told, ast.Constant) and isinstance(told.value, str) and isinstance(layer, int)):
            return None
        words = {part: tuple(filter(None, self._words(given.get(part), function, call.lineno))) for part in PARTS}
        severities = tuple(one for one in SEVERITIES if one in words["severity"])
        return Place(told.value, layer, severities, words["message"], words["fix"])

    def _words(self, node: ast.expr | None, function: Function, line: int) -> tuple[str, ...]:
        """Every text that an expression can be, as far as the source tells."""
        match node:
            case ast.Constant(value=str(text)):
                return (text,)
            case ast.JoinedStr(values=parts):
                return self._joined(parts, function, line)
            case ast.BinOp(left=one, op=ast.Add(), right=other):
                ends = self._words(other, function, line) or ("",)
                return _distinct(start + end for start in self._words(one, function, line) for end in ends)
            case ast.IfExp(body=one, orelse=other):
                return _distinct((*self._words(one, function, line), *self._words(other, function, line)))
            case ast.Name(id=name):
                return self._variable(name, function, line)
            case ast.Call(func=ast.Name(id=name)):
                bodies = [body for body in _functions(self._tree) if body.name == name]
                returned = [found for body in bodies for found in ast.walk(body) if isinstance(found, ast.Return)]
                return _distinct(text for found in returned for text in self._words(found.value, function, line))
            case _:
                return ()

    def _joined(self, parts: list[ast.expr], function: Function, line: int) -> tuple[str, ...]:
        """A text with parts; a part that is the words of a message itself is written out."""
        texts: tuple[str, ...] = ("",)
        for part in parts:
            match part:
                case ast.FormattedValue(value=ast.Name(id="message" | "fix" | "reason" as name)):
                    told = self._variable(name, function, line) or (f"{{{name}}}",)
                case _:
                    told = (_part(part),)
            texts = tuple(text + more for text in texts for more in told)
        return texts

    def _variable(self, name: str, function: Function, line: int) -> tuple[str, ...]:
        assigned = [
            (node.lineno, value)
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and node.lineno <= line
            for value in _assigned(node, name)
        ]
        if assigned:
            return self._words(max(assigned, key=lambda pair: pair[0])[1], function, line)
        parameters = [argument.arg for argument in function.args.args]
        if name not in parameters:
            return ()
        position = parameters.index(name)
        calls = [
            (caller, call)
            for caller in _functions(self._tree)
            for call in ast.walk(caller)
            if isinstance(call, ast.Call) and _called(call) == function.name and len(call.args) > position
        ]
        return _distinct(text for caller, call in calls for text in self._words(call.args[position], caller, call.lineno))


def _assigned(node: ast.Assign, name: str) -> Iterator[ast.expr]:
    for target in node.targets:
        if isinstance(target, ast.Name) and target.id == name:
            yield node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=True)
            yield from (value for one, value in pairs if isinstance(one, ast.Name) and one.id == name)


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return f"{{{_name(node.value)}}}" if isinstance(node, ast.FormattedValue) else "{...}"


def _name(node: ast.expr) -> str:
    """What an expression is about, in one word."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner, *_]):
            return _name(inner)
        case ast.Call(func=ast.Attribute(value=inner)):
            return _name(inner)
        case ast.Subscript(value=inner) | ast.BinOp(left=inner) | ast.BoolOp(values=[inner, *_]) | ast.Call(args=[inner, *_]):
            return _name(inner)
        case _:
            return "..."


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))

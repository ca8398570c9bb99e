"""What an engine says of its paths (`?help=1`), from the routes that it declares and their docstrings."""

import inspect

from svault.errors import NotFoundError
from svault.logical.engine import Engine
from svault.logical.request import Operation
from svault.logical.routes import Declared, shown

_METHODS = {
    Operation.READ: "GET",
    Operation.LIST: "LIST",
    Operation.CREATE: "POST",
    Operation.UPDATE: "POST",
    Operation.PATCH: "PATCH",
    Operation.DELETE: "DELETE",
}


def help_of(engine: Engine, path: str) -> dict[str, str | None]:
    """The help of a path below an engine's mount, of the engine itself for an empty one, in Vault's shape.

    Raises NotFoundError for a path that no route answers.
    """
    asked = path.strip("/")
    if not asked:
        heading = f"The engine `{engine.kind}`.\n\n## PATHS\n"
        found = engine.routes.declared()
    else:
        heading, found = f"Request:        {asked}\n", engine.routes.matching(asked)
        if not found:
            raise NotFoundError("1 error occurred:\n\t* unsupported path\n\n")
    by_pattern: dict[str, list[str]] = {}
    for one in found:
        by_pattern.setdefault(shown(one.route.pattern), []).append(_said(engine, one))
    parts = [f"    {pattern}\n{''.join(lines)}" for pattern, lines in by_pattern.items()]
    return {"help": "\n".join([heading, *parts]), "see_also": None, "openapi": None}


def _said(engine: Engine, declared: Declared) -> str:
    methods = dict.fromkeys(_METHODS[one] for one in declared.route.operations)
    needs = " (needs no token)" if declared.route.is_public else " (needs sudo)" if declared.route.needs_sudo else ""
    text = (inspect.getdoc(getattr(engine, declared.method)) or "").partition("\n\n")[0]
    return f"        {', '.join(methods)}{needs}: {' '.join(text.split())}\n"

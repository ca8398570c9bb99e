"""What a shell offers for a tool's text fields: names that only the running product knows, by tool and field."""

from collections.abc import Callable, Iterable

import click

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _schemas() -> Iterable[str]:
    from prov_gen.schema import names

    return names()


def _toolsets() -> Iterable[str]:
    from prov_tools.registry import REGISTRY

    return REGISTRY.toolsets


_NAMES: dict[tuple[str, str], Callable[[], Iterable[str]]] = {
    ("get_schema", "name"): _schemas,
    ("toolsets", "names"): _toolsets,
}


def completer(tool: str, field: str) -> Completer | None:
    """The completion of a field, if it has one of its own."""
    names = _NAMES.get((tool, field))
    if names is None:
        return None
    return lambda _ctx, _param, incomplete: [name for name in names() if name.startswith(incomplete)]

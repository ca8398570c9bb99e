"""The dotted paths of the models' fields, as the rows of the tables about changes write them."""

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints

from prov_gen.model.base import Record


def patterns(model: type[Record], prefix: str = "") -> Iterator[str]:
    """The paths of a model's leaves: `[]` for the elements of a list, `.*` for the keys of a dictionary."""
    for name, annotation in get_type_hints(model).items():
        if name in model.model_fields:
            yield from shapes(annotation, f"{prefix}{name}")


def shapes(annotation: Any, path: str) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        yield from shapes(next(one for one in arguments if one is not type(None)), path)
    elif origin is list and isinstance(arguments[0], type) and issubclass(arguments[0], Record):
        yield from patterns(arguments[0], f"{path}[].")
    elif origin is dict:
        yield f"{path}.*"
    elif isinstance(annotation, type) and issubclass(annotation, Record):
        yield from patterns(annotation, f"{path}.")
    else:
        yield path

"""Reading a catalogue file: TOML beside this module, with `as_of` (a date) and `source` (where the facts come from)."""

import functools
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from prov_corpus import PROVIDERS
from prov_corpus.similar import nearest
from stratumops.errors import InvalidInputError, NotFoundError

FOLDER = Path(__file__).parent


@functools.cache
def read_catalogue(name: str) -> dict[str, Any]:
    """The tables of the catalogue `name`, read once. Treat as read-only.

    Raises NotFoundError when there is no such file, InvalidInputError when it is not TOML or lacks its date and source.
    """
    path = FOLDER / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFoundError(f"no such catalogue: {path.name}", hint="reinstall the package", file=path.name) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path.name}: {error}", hint="restore the file from the release", file=path.name) from None
    if type(content.get("as_of")) is not date or not content.get("source"):
        raise InvalidInputError(f"{path.name} does not say `as_of` and `source`", hint="date the facts", file=path.name)
    return content


def checked_provider(provider: str) -> str:
    """The provider's name as given, when it is one of PROVIDERS; else InvalidInputError."""
    if provider not in PROVIDERS:
        raise unknown("provider", provider, PROVIDERS)
    return provider


def unknown(kind: str, given: str, known: Iterable[str]) -> InvalidInputError:
    """The error for a name that a catalogue does not hold, with the likeliest ones in its hint."""
    names = list(known)
    shown = nearest(given, names) or names[:12]
    return InvalidInputError(
        f"{given[:60]!r} is not a known {kind}",
        hint=f"use {', '.join(shown)}",
        **{kind.replace(" ", "_"): given[:60]},
        known=names,
    )

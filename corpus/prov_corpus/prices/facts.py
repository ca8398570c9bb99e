"""Reading a file of facts about prices: TOML beside this module with `as_of` and `source`, money as exact decimals."""

import functools
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from stratumops.errors import InvalidInputError, NotFoundError

FOLDER = Path(__file__).parent


def read_facts_file(path: Path) -> Mapping[str, Any]:
    """The tables of a file. Raises NotFoundError; InvalidInputError when it is not TOML or lacks its date and source."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        raise NotFoundError(f"no such file of facts: {path.name}", hint="reinstall the package", file=path.name) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path.name}: {error}", hint="restore the file from the release", file=path.name) from None
    if type(content.get("as_of")) is not date or not content.get("source"):
        raise InvalidInputError(f"{path.name} does not say `as_of` and `source`", hint="date the facts", file=path.name)
    return content


@functools.cache
def read_facts(name: str) -> Mapping[str, Any]:
    """The shipped facts of that name, read once. Treat as read-only."""
    return read_facts_file(FOLDER / f"{name}.toml")

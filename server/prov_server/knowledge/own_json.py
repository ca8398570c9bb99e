"""A small JSON file in `.prov/` that several processes change."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from provisioning.approval.key_files import read_own, replace
from provisioning.approval.pins import locked
from stratumops.errors import UnavailableError

_MOST_BYTES = 1 << 20


class DamagedError(Exception):
    """It holds no JSON."""


def read(file: Path) -> Any:
    """What the file holds; None when it is not there. Raises DamagedError, UnavailableError (it cannot be read)."""
    try:
        return json.loads(read_own(file, _MOST_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnavailableError(f"{file}: {error.strerror}", hint="check its permissions") from None
    except (ValueError, RecursionError):
        raise DamagedError(str(file)) from None


@contextmanager
def changing(file: Path) -> Iterator[None]:
    """Hold it against other processes. Raises UnavailableError."""
    try:
        with locked(file.with_suffix(".lock")):
            yield
    except OSError as error:
        raise UnavailableError(f"{file}: {error.strerror}", hint="let it be written there, or make room") from None


def write(file: Path, value: Any) -> None:
    """Put the value in place of what was there, whole or not at all; inside `changing`."""
    replace(file, json.dumps(value, indent=1) + "\n")

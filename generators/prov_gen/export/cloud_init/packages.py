"""Which packages of a distribution install a service, from `packages.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


@functools.cache
def _services() -> Mapping[str, Any]:
    text = Path(__file__).with_name("packages.toml").read_text(encoding="utf-8")
    return {name: row for name, row in tomllib.loads(text).items() if isinstance(row, dict)}


def packages_of(service: str, family: str) -> tuple[str, ...]:
    """The packages by which a distribution installs a service; () where its archives have none."""
    return tuple(_services().get(service, {}).get(family, ()))


def unit_of(service: str, family: str) -> str | None:
    """The systemd unit that has to be enabled after the installation; None where the package starts its service itself."""
    # Debian and Ubuntu start what they install; Rocky does not.
    unit: str | None = _services().get(service, {}).get("unit")
    return unit if family == "rocky" else None

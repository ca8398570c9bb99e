"""Which template a server starts from: the public one of a release, or a private one titled `debian-13`."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.upcloud.cloud import Cloud, Row


def templates(cloud: Cloud) -> dict[str, Row]:
    """All templates that the account can start servers from, by family and version (`ubuntu-24.04`). A private one wins."""
    found: dict[str, Row] = {}
    rows = cloud.api.get("/storage/template")["storages"]["storage"]
    for row in sorted(rows, key=lambda one: one.get("access") == "private"):
        name = _name(row)
        if name:
            found[name] = row
    return found


def template(cloud: Cloud, family: str, version: str) -> str:
    """The id of the template of a release; 24.04.1 is that of 24.04 where there is no nearer one. Raises ProviderError."""
    known = templates(cloud)
    parts = version.split(".")
    for length in range(len(parts), 0, -1):
        row = known.get(f"{family}-{'.'.join(parts[:length])}")
        if row:
            return str(row["uuid"])
    raise ProviderError(
        f"UpCloud has no template of {family} {version}",
        hint=f"choose one of {', '.join(sorted(known)) or 'none'}, or import an image as a private template '{family}-{version}'",
    )


def _name(row: Row) -> str:
    title = str(row.get("title", ""))
    for family, pattern in _titles().items():
        match = pattern.search(title)
        if match:
            return f"{family}-{match['version']}"
    return title if row.get("access") == "private" and re.fullmatch(r"[a-z]+-[0-9.]+", title) else ""


@cache
def _titles() -> Mapping[str, re.Pattern[str]]:
    table: dict[str, Any] = tomllib.loads(
        resources.files("provisioning.providers.upcloud").joinpath("images.toml").read_text("utf-8")
    )
    return {family: re.compile(pattern) for family, pattern in table["titles"].items()}

"""Argument types that several tools share."""

from typing import Annotated

from pydantic import Field

ConfigText = Annotated[str, Field(description="Nickel text, or a path in the workspace (.ncl, .json, .yaml, .toml)")]
"""A configuration: `prov_gen.source.read_source` reads it."""

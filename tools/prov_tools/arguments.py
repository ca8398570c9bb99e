"""Argument types that several tools share, and the marks by which a face knows them."""

from typing import Annotated

from pydantic import Field


class ConfigArgument:
    """Marks an argument that is a configuration: the command line also takes `-` and paths from the current folder for it."""


ConfigText = Annotated[str, ConfigArgument(), Field(description="Nickel text, or a workspace path (.ncl, .json, .yaml, .toml)")]
"""A configuration: `prov_gen.source.read_source` reads it."""

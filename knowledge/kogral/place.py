"""Where the graphs are for a program that is started in a folder."""

import os
from collections.abc import Mapping
from pathlib import Path

FOLDER = ".kogral"
SHARED = "KOGRAL_SHARED"
"""Folders of shared graphs, separated as in PATH."""


def project_folder(given: str, start: Path) -> Path:
    """The folder of the project's graph: as given (the folder that holds `.kogral`, or itself), else the nearest one upwards."""
    if given:
        path = Path(given).expanduser().resolve()
        return path if path.name == FOLDER else path / FOLDER
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return start / FOLDER


def shared_folders(environment: Mapping[str, str]) -> list[Path]:
    """The shared graphs that the environment names."""
    found = [Path(one).expanduser() for one in environment.get(SHARED, "").split(os.pathsep) if one]
    return [one / FOLDER if (one / FOLDER).is_dir() else one for one in found]

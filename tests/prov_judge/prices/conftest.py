"""A workspace, and a loopback server that publishes price lists."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from price_lists import Vendor, serving
from price_updates import Waits
from stratumops.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Workspace.at(folder)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with serving() as found:
        yield found


@pytest.fixture
def waits() -> Waits:
    return Waits()

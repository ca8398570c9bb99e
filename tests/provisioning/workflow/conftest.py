"""A workspace with a paper cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.approval.keys import ApproverKey, new_key

from .guarded import Guarded, guarded
from .world import World, world


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as found:
        yield found


@pytest.fixture
def ana() -> ApproverKey:
    return new_key("ana")


@pytest.fixture
def guard(tmp_path: Path, ana: ApproverKey) -> Iterator[Guarded]:
    with guarded(tmp_path, ana) as found:
        yield found

"""Our server and OpenBao, fresh for each module; `both` has keys already, `newborn` has none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hvac_beside import Pair, pair


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("both")) as made:
        made.ours.initialize()
        made.theirs.initialize()
        yield made


@pytest.fixture
def newborn(tmp_path: Path) -> Iterator[Pair]:
    with pair(tmp_path) as made:
        yield made

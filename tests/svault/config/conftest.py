"""The configuration file of the specification, as it stands there."""

from pathlib import Path

import pytest

SPECIFICATION = Path(__file__).with_name("svault.toml")


@pytest.fixture
def specification() -> Path:
    return SPECIFICATION

"""`pytest tests/prov_tools --update-snapshots` writes the committed snapshots again."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="write tests/snapshots again from what a client is sent")

"""A real, sandboxed Nickel for tests that are not asynchronous (hypothesis calls them many times)."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prov_gen.nickel import Nickel, NickelSource
from stratumops.workspace import Workspace

Evaluate = Callable[..., Any]


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Evaluate]:
    """`evaluate(text, contract=None, folder=None)`: the text's JSON value, or NickelError.

    With a folder, the text stands in it and imports its files.
    """
    with asyncio.Runner() as runner:
        nickel = Nickel(size=1)

        def run(text: str, contract: str | None = None, folder: Path | None = None) -> Any:
            workspace = Workspace.at(folder) if folder else None
            source = NickelSource(text, name="config.ncl", folder=folder)
            return runner.run(nickel.evaluate(source, contract=contract, workspace=workspace))

        yield run
        runner.run(nickel.aclose())

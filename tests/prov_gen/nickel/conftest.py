"""A Nickel with schemas of its own, and a way to use one from property tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from prov_gen.nickel import Limits, Nickel, NickelSource
from stratumops.workspace import Workspace

SCHEMAS = {
    "server.ncl": '{ Server = { name | String, cpu | Number | default = 2, base | (import "base.ncl").Base | default = {} } }',
    "base.ncl": '{ Base = { zone | String | default = "shipped" } }',
}


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    (folder / "schemas").mkdir(parents=True)
    for name, text in SCHEMAS.items():
        (folder / "schemas" / name).write_text(text)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "workspace"
    root.mkdir()
    return Workspace.at(root)


@pytest.fixture
async def nickel(schemas: Path, anyio_backend: str) -> AsyncIterator[Nickel]:
    async with Nickel(schemas=schemas, limits=Limits(deadline_seconds=8, memory_bytes=512 << 20)) as made:
        yield made


class SyncNickel:
    """Real Nickel for tests that hypothesis drives."""

    def __init__(self, runner: asyncio.Runner, nickel: Nickel) -> None:
        self._runner = runner
        self.nickel = nickel

    def evaluate(self, text: str) -> Any:
        return self._runner.run(self.nickel.evaluate(NickelSource(text)))

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)


@pytest.fixture(scope="module")
def real_nickel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncNickel]:
    with asyncio.Runner() as runner:
        nickel = Nickel(schemas=tmp_path_factory.mktemp("none"), size=1)
        yield SyncNickel(runner, nickel)
        runner.run(nickel.aclose())

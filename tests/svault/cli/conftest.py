"""One server for trying out, and `svault` on its command line."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vault_processes import Ran, VaultProcess, running_dev, svault

Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultProcess]:
    with running_dev(tmp_path_factory.mktemp("dev"), "-dev-no-store-token") as made:
        yield made


@pytest.fixture
def run(dev: VaultProcess, tmp_path: Path) -> Run:
    """Run `svault WORDS` with the root token, unless `VAULT_TOKEN` says another."""

    def ran(words: str | list[str], stdin: str = "", **settings: str) -> Ran:
        given = words.split() if isinstance(words, str) else words
        return svault(tmp_path, *given, stdin=stdin, **{"VAULT_ADDR": dev.url, "VAULT_TOKEN": "root", **settings})

    return ran

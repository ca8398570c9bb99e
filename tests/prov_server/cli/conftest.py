"""The `prov` program as people run it: a child process in a folder of its own."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import warm
from prov_server.vault.access import VaultAccess
from stratumops.settings import VaultSettings
from stratumops.workspace import Workspace
from svault.embedded import KeyPlace
from warm_terminal import WarmTerminal

PROV = Path(warm.PROV.path)
SECONDS = 60
CHANGES_OUTPUT = ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "COLUMNS", "TERMINAL_WIDTH", "TTY_COMPATIBLE")


def clean_environment(home: Path) -> dict[str, str]:
    """The environment of a person who has set nothing: a home of their own, a plain terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROV_") and name not in CHANGES_OUTPUT}
    kept.pop("XDG_CONFIG_HOME", None)
    return kept | {"HOME": str(home), "PATH": f"{PROV.parent}:{kept['PATH']}", "TERM": "xterm-256color"}


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str


Prov = Callable[..., Ended]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return clean_environment(home)


@pytest.fixture
def prov(workspace: Path, environment: dict[str, str]) -> Prov:
    """Run `prov` with these words; a traceback on any of its channels fails the test that asked."""

    def run(*words: str, given: str = "", cwd: Path = workspace, seconds: float = SECONDS, **variables: str) -> Ended:
        done = warm.run(warm.PROV, words, given=given, cwd=cwd, env=environment | variables, seconds=seconds)
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


def on_a_terminal(
    words: list[str], workspace: Path, environment: dict[str, str], answers: tuple[tuple[bytes, bytes], ...] = ()
) -> tuple[int, str]:
    """Run on a pseudo-terminal of its own; each answer is typed once its question has been printed."""
    with WarmTerminal([PROV, *words], cwd=workspace, env=environment) as terminal:
        for question, answer in answers:
            terminal.wait_for(question.decode())
            terminal.send(answer.decode())
        code = terminal.ended(SECONDS)
        return code, terminal.raw.decode()


@pytest.fixture
def vault(workspace: Path) -> Path:
    """A workspace with a vault."""

    async def make() -> None:
        made = VaultAccess(Workspace.at(workspace), VaultSettings())
        await made.initialize(KeyPlace.FILE)
        await made.aclose()

    asyncio.run(make())
    return workspace

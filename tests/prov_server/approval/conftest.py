"""A workspace with a plan, a user with a home, and that user's terminals."""

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prov_server.approval.remembered import runtime_folder
from prov_server.cli.demonstration.terminal_driver import TerminalDriver
from provisioning.approval.key_files import ApproverFolder, write_new
from provisioning.approval.keys import ApproverKey, lock_key, new_key
from provisioning.plan.model import Basis, Plan
from provisioning.state.model import StoredPlan
from provisioning.state.store import StateStore, open_store

PROGRAM = Path(__file__).with_name("program.py")
PASSPHRASE = "corazón tilde órbita zafiro"
PROMPT = "ready$ "
LIMIT = 60.0


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / ".prov").mkdir(parents=True, mode=0o700)
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user's variables, with every one that could be mistaken for an approval."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROV_", "XDG_"))}
    tempting = (
        "PROV_APPROVE",
        "PROV_APPROVED",
        "PROV_YES",
        "PROV_PASSPHRASE",
        "PROV_APPROVER_PASSPHRASE",
        "SUDO_ASKPASS",
        "PASSWORD",
    )
    return kept | {"HOME": str(home), "PS1": PROMPT, "TERM": "xterm"} | dict.fromkeys(tempting, "1")


@pytest.fixture
def store(workspace: Path) -> Iterator[StateStore]:
    opened = open_store(workspace / ".prov")
    yield opened
    opened.close()


MakePlan = Callable[[str], StoredPlan]


@pytest.fixture
def make_plan(store: StateStore) -> MakePlan:
    def making(title: str) -> StoredPlan:
        now = time.time()
        head = store.head()
        plan = Plan("apply", title, Basis(head.lineage, head.serial, "0" * 64, {}), (), {}, now, now + 3600.0, "íñigo")
        stored = StoredPlan(plan.id, plan.sha256, plan.body, plan.made_at, plan.expires_at)
        store.keep_plan(stored)
        return stored

    return making


@pytest.fixture
def plan(make_plan: MakePlan) -> StoredPlan:
    return make_plan("one web server")


@pytest.fixture
def runtime(environment: dict[str, str]) -> Path:
    """Where the user's remembered keys answer."""
    return runtime_folder(environment)


@pytest.fixture(scope="session")
def anas_key() -> ApproverKey:
    return new_key("ana")


@pytest.fixture(scope="session")
def anas_file(anas_key: ApproverKey) -> str:
    """The text of her key's file."""
    return lock_key(anas_key, PASSPHRASE)


@pytest.fixture
def ana(environment: dict[str, str], workspace: Path, anas_file: str) -> ApproverFolder:
    """The user has a key of her own."""
    folder = ApproverFolder.of_user(environment, workspace)
    folder.path.mkdir(mode=0o700, parents=True)
    write_new(folder.file("ana"), anas_file)
    return folder


Start = Callable[..., TerminalDriver]


@pytest.fixture
def start(workspace: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Start the program on a terminal of its own."""
    opened: list[TerminalDriver] = []

    def starting(*words: str, **streams: Any) -> TerminalDriver:
        command = [sys.executable, PROGRAM, workspace, *words]
        opened.append(TerminalDriver(command, cwd=workspace, env=environment, **streams))
        return opened[-1]

    yield starting
    for one in opened:
        one.close()


class Shell:
    """A shell on a terminal of its own, in which commands are typed."""

    def __init__(self, driver: TerminalDriver, workspace: Path) -> None:
        self.driver, self._workspace = driver, workspace
        driver.wait_for(PROMPT)

    def command(self, *words: str) -> str:
        return shlex.join([sys.executable, os.fspath(PROGRAM), os.fspath(self._workspace), *words])

    def run(self, *words: str) -> TerminalDriver:
        """Type the command; its questions are for the caller."""
        self.driver.send(self.command(*words) + "\n")
        return self.driver

    def rest(self) -> str:
        """What is shown until the shell is ready again."""
        return self.driver.wait_for(f"\r\n{PROMPT}")


@pytest.fixture
def shell(workspace: Path, environment: dict[str, str]) -> Iterator[Callable[[], Shell]]:
    opened: list[TerminalDriver] = []

    def opening() -> Shell:
        opened.append(TerminalDriver(["sh", "-i"], cwd=workspace, env=environment))
        return Shell(opened[-1], workspace)

    yield opening
    for one in opened:
        one.close()


def word(plan: StoredPlan) -> str:
    return plan.id.removeprefix("plan-")[:4]


def events(workspace: Path) -> list[dict[str, Any]]:
    path = workspace / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

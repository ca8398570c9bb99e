"""An opened key is remembered for one shell on one terminal, for a while, and shows nowhere."""

import base64
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prov_server.approval.remembered import RememberedKey, forget, recall, remember, runtime_folder
from prov_server.cli.demonstration.terminal_driver import TerminalDriver
from provisioning.approval.document import CONTEXT
from provisioning.approval.key_files import ApproverFolder
from provisioning.approval.keys import new_key, unlock_key
from provisioning.state.model import StoredPlan
from provisioning.state.store import StateStore
from stratumops.errors import UnavailableError
from waiting import until

from .conftest import PASSPHRASE, PROMPT, MakePlan, Shell, events, word

OpenShell = Callable[[], Shell]
QUESTION = "Type {} to approve"
ASKS = "passphrase of ana (not shown): "


def approve(shell: Shell, plan: StoredPlan, *, types_passphrase: bool, seconds: str = "300") -> str:
    """Approve a plan in a shell; everything that was shown."""
    terminal = shell.run("approve", plan.id, seconds)
    terminal.answer(QUESTION.format(word(plan)), word(plan))
    shown = ""
    if types_passphrase:
        shown = terminal.wait_for(ASKS)
        terminal.send(PASSPHRASE + "\n")
    shown += shell.rest()
    assert "approved by ana" in shown, terminal.transcript
    assert types_passphrase or ASKS not in shown
    return shown


def asked(path: Path, request: Any) -> dict[str, Any]:
    """What the agent answers to this process, which sits elsewhere."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(30)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            caller.connect(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        caller.sendall((request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n")
        return json.loads(caller.makefile("rb").readline())


def sockets(runtime: Path) -> list[Path]:
    return sorted(runtime.glob("*.sock")) if runtime.exists() else []


def agents(environment: dict[str, str]) -> list[int]:
    """The processes that keep keys of this test's user."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            is_agent = b"prov_server.approval.agent" in (path / "cmdline").read_bytes()
            if is_agent and f"HOME={environment['HOME']}\0".encode() in (path / "environ").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


@pytest.mark.usefixtures("ana")
def test_the_passphrase_is_remembered_in_the_same_terminal_but_the_word_is_asked_again(
    shell: Callable[[], Shell], make_plan: MakePlan, workspace: Path
):
    one = shell()
    approve(one, make_plan("one"), types_passphrase=True)
    approve(one, make_plan("two"), types_passphrase=False)
    refused = make_plan("three")
    one.run("approve", refused.id).answer(QUESTION.format(word(refused)), "yes")
    assert "was not typed" in one.rest()
    assert [one["note"] for one in events(workspace) if one["kind"] == "approved"] == ["", "the key was remembered"]


@pytest.mark.usefixtures("ana")
def test_another_terminal_of_the_same_user_is_asked_for_the_passphrase(shell: OpenShell, make_plan: MakePlan):
    one, two = shell(), shell()
    approve(one, make_plan("one"), types_passphrase=True)
    approve(two, make_plan("two"), types_passphrase=True)
    approve(one, make_plan("three"), types_passphrase=False)


@pytest.mark.usefixtures("ana")
def test_a_program_in_the_same_terminal_is_asked_for_the_passphrase(shell: OpenShell, make_plan: MakePlan):
    one = shell()
    approve(one, make_plan("one"), types_passphrase=True)
    plan = make_plan("two")
    terminal = one.driver
    terminal.send(f"sh -c '{one.command('approve', plan.id)}; echo inner ended'\n")
    terminal.answer(QUESTION.format(word(plan)), word(plan))
    terminal.wait_for(ASKS)
    terminal.send("\x03")
    terminal.wait_for(f"\r\n{PROMPT}")


@pytest.mark.usefixtures("ana")
def test_what_was_forgotten_is_asked_again(shell: OpenShell, make_plan: MakePlan, runtime: Path, environment: dict[str, str]):
    one = shell()
    approve(one, make_plan("one"), types_passphrase=True)
    assert len(sockets(runtime)) == 1
    one.run("forget", "everything")
    assert "forgot 1" in one.rest()
    until(lambda: not agents(environment))
    assert sockets(runtime) == []
    approve(one, make_plan("two"), types_passphrase=True)


@pytest.mark.usefixtures("ana")
def test_an_opened_key_is_forgotten_with_its_time(
    shell: OpenShell, make_plan: MakePlan, runtime: Path, environment: dict[str, str]
):
    one = shell()
    approve(one, make_plan("one"), types_passphrase=True, seconds="0.5")
    until(lambda: not sockets(runtime) and not agents(environment))
    approve(one, make_plan("two"), types_passphrase=True, seconds="0")
    assert sockets(runtime) == []


@pytest.mark.usefixtures("ana")
def test_an_opened_key_is_forgotten_when_the_terminal_is_closed(
    shell: OpenShell, plan: StoredPlan, runtime: Path, environment: dict[str, str]
):
    one = shell()
    approve(one, plan, types_passphrase=True)
    assert agents(environment)
    one.driver.close()
    until(lambda: not sockets(runtime) and not agents(environment))


@pytest.mark.usefixtures("ana")
def test_an_agent_that_was_ended_leaves_nothing_and_the_passphrase_is_asked(
    shell: OpenShell, make_plan: MakePlan, runtime: Path, environment: dict[str, str]
):
    one = shell()
    approve(one, make_plan("one"), types_passphrase=True)
    (pid,) = agents(environment)
    os.kill(pid, signal.SIGTERM)
    until(lambda: not sockets(runtime))
    approve(one, make_plan("two"), types_passphrase=True)
    (pid,) = agents(environment)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not agents(environment))
    approve(one, make_plan("three"), types_passphrase=True)  # over the socket that nobody answers


def test_neither_passphrase_nor_key_shows_anywhere(
    shell: OpenShell,
    ana: ApproverFolder,
    make_plan: MakePlan,
    tmp_path: Path,
    runtime: Path,
    environment: dict[str, str],
):
    one = shell()
    plan = make_plan("one")
    terminal = one.run("approve", plan.id)
    terminal.answer(QUESTION.format(word(plan)), word(plan))
    terminal.wait_for(ASKS)
    terminal.send(PASSPHRASE + "\n")
    one.rest()
    (pid,) = agents(environment)
    seeds = unlock_key(ana.text("ana"), PASSPHRASE).seeds
    hidden = [PASSPHRASE.encode(), seeds, seeds[:32], seeds[32:], seeds.hex().encode(), base64.b64encode(seeds)]
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in sockets(runtime)] == [0o600]
    places = [Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ")]
    places += [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "state.db" for path in places)
    for path in places:
        data = path.read_bytes()
        assert not any(one in data for one in hidden), path
    assert PASSPHRASE not in terminal.transcript
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert next(line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")) == ["0", "0"]
    assert {Path(f"/proc/{pid}/fd/{number}").readlink() for number in range(3)} == {Path("/dev/null")}
    assert Path(f"/proc/{pid}/cwd").readlink() == runtime


def test_the_agent_signs_for_nobody_who_sits_elsewhere(
    shell: OpenShell, ana: ApproverFolder, plan: StoredPlan, store: StateStore, runtime: Path
):
    one = shell()
    approve(one, plan, types_passphrase=True)
    (path,) = sockets(runtime)
    (given,) = store.approvals(plan.sha256)
    document = base64.b64encode(given.document).decode()
    elsewhere = {"error": "another terminal, session or shell"}
    assert asked(path, {"wish": "sign", "document": document}) == elsewhere
    assert asked(path, {"wish": "about"}) == elsewhere
    for nonsense in (b"", b"{", b"[]", b"7", b'{"wish": ["sign"]}', b"[" * 60_000, b"{}"):
        assert "error" in asked(path, nonsense)
    public = ana.public("ana")
    assert recall("ana", public, runtime) is None
    with pytest.raises(UnavailableError, match="remembered no longer"):
        RememberedKey("ana", public, path).sign(given.document, CONTEXT)
    with pytest.raises(UnavailableError):
        RememberedKey("ana", public, path).sign(given.document, b"another context")


def test_a_process_in_the_background_of_the_same_shell_gets_nothing(shell: OpenShell, ana: ApproverFolder, plan: StoredPlan):
    one = shell()
    approve(one, plan, types_passphrase=True)
    one.run("recall", "ana")
    assert "remembered: True" in one.rest()
    one.driver.send(f"{one.command('recall', 'ana')} & wait; echo; echo all ended\n")
    assert "remembered: False" in one.driver.wait_for("\r\nall ended")
    assert ana.names() == ["ana"]


HERE = """
import os, sys, json, time
from pathlib import Path
from prov_server.approval.remembered import remember, recall, forget, _asked, _socket
from prov_server.approval.places import place_of
from provisioning.approval.keys import ApproverKey
from provisioning.approval.document import CONTEXT, ApprovalDocument, Seat, signed
from provisioning.state.model import StoredPlan
import base64
from dataclasses import replace

folder = Path(sys.argv[1])
key = ApproverKey("ana", bytes(range(64)))
assert remember(key, folder, 9999.0), "not remembered"
held = recall("ana", key.public, folder)
assert held and held.name == "ana"
plan = StoredPlan("plan-0123456789ab", "0" * 64, b"{}", time.time(), time.time() + 3600.0)
seat = Seat("ana", "here", "tty")
good = signed(plan, held, seat, way="signature", approver="ana", lineage="l", now=time.time(), lifetime=60.0)
assert key.public.verifies(good.document, good.signature, CONTEXT)
document = ApprovalDocument.of_body(good.document)
ask = lambda body: _asked(held.socket, {"wish": "sign", "document": base64.b64encode(body).decode()})
assert "signature" in ask(document.body)
wrong = {"error": "not an approval of now"}
assert ask(replace(document, made_at=document.made_at + 3600.0).body) == wrong
assert ask(replace(document, made_at=document.made_at - 3600.0).body) == wrong
assert ask(replace(document, way="elicitation").body) == wrong
assert ask(replace(document, approver="eva").body) == wrong
assert ask(replace(document, key="0" * 16).body) == wrong
assert ask(b"a change of the list of approvers") == wrong
assert _asked(held.socket, {"wish": "sign"}) == wrong
assert _asked(held.socket, {"wish": "export"}) == wrong
left = _asked(held.socket, {"wish": "about"})["seconds"]
assert 0 < left <= 300, left
if os.fork() == 0:  # a child: another parent than the one that opened the key
    os._exit(0 if recall("ana", key.public, folder) is None else 1)
assert os.wait()[1] == 0
assert remember(key, folder), "not remembered again"
assert len(list(folder.glob("*.sock"))) == 1
assert forget(folder) == 1
assert recall("ana", key.public, folder) is None
print("all of it")
"""


def test_what_is_remembered_signs_approvals_of_now_and_nothing_else(tmp_path: Path, environment: dict[str, str], runtime: Path):
    with TerminalDriver([sys.executable, "-c", HERE, runtime], cwd=tmp_path, env=environment) as terminal:
        assert terminal.ended() == 0, terminal.transcript
        assert "all of it" in terminal.transcript


def test_a_folder_that_others_can_enter_keeps_no_key(tmp_path: Path):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    key = new_key("ana")
    assert not remember(key, folder)
    assert recall("ana", key.public, folder) is None
    assert forget(folder) == 0


def test_the_runtime_folder_is_used_only_where_it_is_the_users_own(tmp_path: Path):
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    home = {"HOME": "/home/ana"}
    assert runtime_folder({**home, "XDG_RUNTIME_DIR": str(own)}) == own / "stratumops"
    assert runtime_folder({**home, "XDG_RUNTIME_DIR": str(shared)}) == Path("/home/ana/.cache/stratumops/run")
    assert runtime_folder({**home, "XDG_RUNTIME_DIR": "relative"}) == Path("/home/ana/.cache/stratumops/run")
    assert runtime_folder({**home, "XDG_CACHE_HOME": "/cache"}) == Path("/cache/stratumops/run")

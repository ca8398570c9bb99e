"""What the audit writes down of a call, when a call does not run because of it, and what it never holds."""

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from prov_server.audit.calls import canonical, digest
from prov_server.audit.keys import read_or_make_key
from prov_server.compose import Application
from prov_tools.audit import verified
from prov_tools.call_log import FOLDER, CallLog, Wanted
from stratumops.errors import InternalError, StratumError, UnavailableError
from stratumops.principal import LOCAL, TOOLS, Principal
from stratumops.workspace import Workspace

from .conftest import Make, lines_of

pytestmark = pytest.mark.anyio

ANN = Principal("ann", frozenset({TOOLS}))


async def call(app: Application, name: str, **arguments: object) -> object:
    return await app.call(name, dict(arguments), principal=ANN, face="mcp", client="a-client")


async def test_a_call_is_one_line_that_says_who_called_what_and_for_how_long(make: Make, workspace: Workspace):
    app = make()
    await call(app, "look", text="hello")
    await app.aclose()
    (line,) = lines_of(workspace)
    known = {key: line[key] for key in ("type", "principal", "face", "client", "tool", "effect", "decision", "code")}
    assert known == {
        "type": "call",
        "principal": "ann",
        "face": "mcp",
        "client": "a-client",
        "tool": "look",
        "effect": "read",
        "decision": "allowed",
        "code": "ok",
    }
    assert line["ms"] > 0
    assert line["time"].endswith("Z")
    assert "hello" not in str(line)


async def test_digests_are_those_of_canonical_json_under_the_workspace_s_own_key(make: Make, workspace: Workspace):
    app = make()
    await call(app, "look", text="hello")
    await app.aclose()
    (line,) = lines_of(workspace)
    key = read_or_make_key(workspace.own / FOLDER).digest
    assert line["arguments"] == digest(key, '{"text":"hello"}')
    assert line["result"] == digest(key, '{"text":"hello"}')
    assert hashlib.sha256(b'{"text":"hello"}').hexdigest() not in line["arguments"]


@pytest.mark.parametrize(
    ("name", "arguments", "decision", "code"),
    [
        ("conflict", {}, "allowed", "conflict"),
        ("breaks", {"text": "a secret"}, "allowed", "internal"),
        ("look", {"text": 5}, "refused", "invalid_input"),
        ("off", {}, "refused", "not_found"),
    ],
)
async def test_a_call_that_fails_or_is_refused_is_written_down_too(
    make: Make, workspace: Workspace, name: str, arguments: dict[str, object], decision: str, code: str
):
    app = make()
    with capture_logs(), pytest.raises(StratumError):
        await call(app, name, **arguments)
    await app.aclose()
    (line,) = lines_of(workspace)
    assert (line["tool"], line["decision"], line["code"]) == (name, decision, code)


async def test_the_name_of_a_tool_that_does_not_exist_is_the_caller_s_text_and_stays_out(make: Make, workspace: Workspace):
    app = make()
    with pytest.raises(StratumError):
        await call(app, "a password by mistake")
    await app.aclose()
    (line,) = lines_of(workspace)
    assert (line["tool"], line["decision"], line["code"]) == ("unknown", "refused", "not_found")
    assert "password" not in str(line)


async def test_a_call_that_is_cancelled_is_written_down(make: Make, workspace: Workspace):
    app = make()
    async with app.audit.watch(principal="ann", face="mcp", client="", arguments={}):
        pass  # the chain is open now
    started = asyncio.Event()

    async def wait() -> None:
        async with app.audit.watch(principal="bob", face="mcp", client="", arguments={}):
            started.set()
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await started.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await app.aclose()
    assert [(line["principal"], line["code"]) for line in lines_of(workspace)] == [("ann", "ok"), ("bob", "cancelled")]


async def test_a_call_that_changes_something_is_written_down_before_it_starts(make: Make, workspace: Workspace):
    app = make()
    await call(app, "change")
    await app.aclose()
    before, after = lines_of(workspace)
    assert (before["type"], after["type"]) == ("begun", "call")
    assert before["call"] == after["call"]
    assert [one["code"] for one in CallLog(workspace.own / FOLDER).entries(Wanted(), 0)] == ["ok"]


async def test_a_change_whose_process_died_is_listed_as_unfinished(make: Make, workspace: Workspace):
    app = make()
    await call(app, "change")
    await app.aclose()
    path = workspace.own / FOLDER / "calls.jsonl"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if '"type":"call"' not in line))
    assert [one["code"] for one in CallLog(workspace.own / FOLDER).entries(Wanted(), 0)] == ["unfinished"]


def block(workspace: Workspace) -> None:
    """Something that is no folder lies where the audit would be."""
    workspace.make_own()
    (workspace.own / FOLDER).write_text("in the way")


async def test_what_changes_something_does_not_run_while_the_audit_cannot_be_written(
    make: Make, workspace: Workspace, done: list[str]
):
    block(workspace)
    app = make()
    with capture_logs(), pytest.raises(UnavailableError, match="audit cannot be written"):
        await call(app, "change")
    assert done == []
    (workspace.own / FOLDER).unlink()
    await call(app, "change")
    await app.aclose()
    assert done == ["change"]


async def test_what_only_reads_runs_then_and_is_warned_about_once(make: Make, workspace: Workspace, done: list[str]):
    block(workspace)
    app = make()
    with capture_logs() as logs:
        await call(app, "look")
        await call(app, "look")
    assert done == ["look", "look"]
    assert [one["event"] for one in logs] == ["audit_not_written"]
    assert "audit cannot be written" in app.audit.trouble
    (workspace.own / FOLDER).unlink()
    await call(app, "look")
    assert app.audit.trouble == ""
    await app.aclose()


async def test_where_the_audit_is_required_an_answer_is_refused_without_it(make: Make, workspace: Workspace):
    block(workspace)
    app = make(audit={"required": True})
    with pytest.raises(UnavailableError, match="audit cannot be written"):
        await call(app, "look")
    await app.aclose()


async def test_the_toolset_switches_work_without_an_audit(make: Make, workspace: Workspace):
    block(workspace)
    app = make()
    with capture_logs():
        await app.call("toolsets", {"action": "enable", "names": ["off"]}, principal=LOCAL, face="mcp")
    await app.aclose()


async def test_an_audit_that_is_switched_off_leaves_nothing(make: Make, workspace: Workspace):
    app = make(audit={"enabled": False})
    await call(app, "change")
    await app.aclose()
    assert not workspace.own.exists()


async def test_a_command_that_reads_in_a_folder_that_is_no_workspace_leaves_nothing(make: Make, workspace: Workspace):
    app = make()
    await app.call("look", {}, principal=LOCAL, face="cli")
    assert not workspace.own.exists()
    await app.call("look", {}, principal=LOCAL, face="rest")
    await app.aclose()
    assert [line["face"] for line in lines_of(workspace)] == ["rest"]


async def test_a_command_in_a_workspace_is_written_down(make: Make, workspace: Workspace):
    (workspace.root / "prov.toml").write_text("")
    app = make()
    await app.call("look", {}, principal=LOCAL, face="cli")
    await app.aclose()
    assert [line["face"] for line in lines_of(workspace)] == ["cli"]


async def test_reading_a_resource_is_written_down(make: Make, workspace: Workspace):
    (workspace.root / "main.ncl").write_text("{}")
    app = make()
    assert await app.read_config("main.ncl", ANN) == "{}"
    with pytest.raises(StratumError):
        await app.read_report("nothing", ANN)
    await app.aclose()
    said = [(line["tool"], line["decision"], line["code"]) for line in lines_of(workspace)]
    assert said == [("read_config", "allowed", "ok"), ("read_report", "allowed", "not_found")]


async def test_nothing_is_opened_or_imported_before_the_first_call(workspace: Workspace):
    program = (
        "import sys; from prov_server import compose; from stratumops.settings import load; "
        "from stratumops.workspace import Workspace; compose.build(Workspace.at(sys.argv[1]), load(None)); "
        "print([name for name in sys.modules if name in {'svault.audit.chain', 'svault.crypto.openssl', 'cryptography'}])"
    )
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, str(workspace.root)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
    assert list(workspace.root.iterdir()) == []


async def test_only_the_owner_can_look_into_the_audit(make: Make, workspace: Workspace):
    app = make()
    await call(app, "look")
    await app.aclose()
    folder = workspace.own / FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {"calls.jsonl": 0o600, "key": 0o600, "public.key": 0o600, ".gitignore": 0o600}


async def test_many_calls_at_once_are_all_in_the_chain_and_it_verifies(make: Make, workspace: Workspace):
    apps = [make(), make()]
    await asyncio.gather(*(call(app, "look", text=str(number)) for number in range(50) for app in apps))
    await asyncio.gather(*(app.aclose() for app in apps))
    found = verified(workspace.own / FOLDER, None, None)
    assert (found.ok, found.entries, found.unsigned) == (True, 100, 0)


PROCESS = """
import asyncio, sys
from prov_server import compose
from stratumops.principal import LOCAL
from stratumops.settings import load
from stratumops.workspace import Workspace

async def main():
    app = compose.build(Workspace.at(sys.argv[1]), load(None))
    for _ in range(10):
        await app.call("toolsets", {}, principal=LOCAL, face="mcp")
    await app.aclose()

asyncio.run(main())
"""


async def test_processes_that_start_at_once_share_one_key_and_one_chain(workspace: Workspace):
    running = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", PROCESS, str(workspace.root), env=dict(os.environ))
        for _ in range(3)
    ]
    assert [await one.wait() for one in running] == [0, 0, 0]
    found = verified(workspace.own / FOLDER, None, None)
    assert (found.ok, found.entries, found.unsigned, found.problems) == (True, 30, 0, [])


async def test_a_key_that_others_can_read_is_not_used(make: Make, workspace: Workspace):
    app = make()
    await call(app, "look")
    await app.aclose()
    (workspace.own / FOLDER / "key").chmod(0o644)
    app = make()
    with capture_logs() as logs:
        await call(app, "look")
    await app.aclose()
    assert "only you can read" in logs[0]["reason"]


async def test_a_new_key_begins_a_new_file_and_keeps_the_old_public_key(make: Make, workspace: Workspace):
    app = make()
    await call(app, "look")
    await app.aclose()
    folder = workspace.own / FOLDER
    (folder / "key").unlink()
    app = make()
    await call(app, "look")
    await app.aclose()
    assert len(list(folder.glob("public-*.key"))) == 1
    assert len(list(folder.glob("calls.jsonl*"))) == 2


async def test_a_defect_s_text_is_in_neither_the_error_nor_the_audit(make: Make, workspace: Workspace):
    app = make()
    with capture_logs(), pytest.raises(InternalError) as caught:
        await call(app, "breaks", text="words of a defect")
    await app.aclose()
    assert "words of a defect" not in str(caught.value) + str(lines_of(workspace))


def test_a_value_that_is_no_json_has_no_digest():
    assert digest(b"k" * 32, canonical({"a": Path()})) == ""
    assert canonical({"b": 1, "a": [2]}) == '{"a":[2],"b":1}'

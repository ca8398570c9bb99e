"""What is refused, and in which words: nothing here ever reaches a provider."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine_person import PASSPHRASE, SHOP, WORD, Ended, Person, sandboxed
from prov_server.cli.main import run

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person with a key who has applied nothing; what they plan is planned for a sandbox that never starts."""
    with sandboxed(tmp_path_factory.mktemp("refusals")) as person:
        person.becomes_approver()
        yield person


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """A person in a workspace without accounts."""
    one = Person(tmp_path)
    one.write(SHOP)
    return one


def state(person: Person) -> Path:
    return person.workspace / ".prov" / "sandbox" / "state.db"


@pytest.fixture
def here(planner: Person, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """`prov` in this process, where it is not about the process: to start one costs two seconds."""
    for name, value in planner.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(planner.workspace)

    def ran(*words: str) -> Ended:
        code = run([*planner.flags, *words])
        written = capsys.readouterr()
        assert "Traceback" not in written.err
        return Ended(code, written.out, written.err)

    return ran


def planned(prov: Callable[..., Ended], file: str) -> str:
    ended = prov("plan", file, "--json")
    assert ended.code == 0, ended.out + ended.err
    plan: str = ended.json["plan_id"]
    return plan


def change_row(person: Person, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(state(person))) as database, database:
        assert database.execute(statement, values).rowcount >= 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["approve", "plan-000000000000"], 3, "plan-000000000000"),
        (["deny", "plan-000000000000"], 3, "plan-000000000000"),
        (["apply", "plan-000000000000"], 3, "plan-000000000000"),
        (["mcp", "apply", "plan-000000000000"], 3, "plan-000000000000"),
        (["workflow", "status", "op-000000000000"], 3, "op-000000000000"),
        (["workflow", "status"], 3, "nothing was done here yet"),
        (["workflow", "cancel", "op-000000000000", "--rollback"], 3, "op-000000000000"),
        (["workflow", "resume"], 3, "nothing was done here yet"),
        (["workflow", "run", "no-such"], 3, "no-such"),
        (["workflow", "run", "health-check", "--set", "host"], 2, "NAME=VALUE"),
        (["rollback"], 3, "nothing was done here yet"),
        (["rollback", "7"], 3, "there is no serial 7"),
        (["rollback", "op-000000000000"], 3, "op-000000000000"),
        (["plan"], 2, "nothing to plan"),
        (["plan", "gone.ncl"], 3, "gone.ncl"),
        (["plan", "--back-to", "1", "--destroy"], 2, "without config and destroy"),
        (["plan", "main.ncl", "--only", "server.none"], 3, "server.none"),
        (["apply", "../outside.ncl"], 5, "outside.ncl"),
        (["state", "show", "server.none"], 3, "server.none"),
        (["state", "mv", "server.none", "server.other"], 3, "server.none"),
        (["state", "rm", "server.none"], 3, "server.none"),
        (["state", "import", "server.none", "i-1", "main.ncl"], 3, "server.none"),
        (["state", "restore", "gone.json"], 3, "gone.json"),
        (["state", "restore", "main.ncl"], 2, "no exported state"),
        (["state", "restore", "99"], 3, "99"),
        (["query", "servers", "--provider", "nowhere"], 2, "must be one of"),
    ],
)
def test_what_is_not_there_is_named_with_its_own_exit_code(
    planner: Person, here: Callable[..., Ended], words: list[str], code: int, said: str
):
    (planner.workspace.parent / "outside.ncl").write_text(SHOP, encoding="utf-8")
    ended = here(*words)
    assert (ended.code, said in ended.err) == (code, True), ended.out + ended.err
    assert "hint: " in ended.err


def test_a_configuration_with_errors_is_not_planned(planner: Person, here: Callable[..., Ended]):
    planner.write(SHOP.replace("10.0.1.0/24", "10.9.1.0/24"), "wrong.ncl")
    ended = here("plan", "wrong.ncl", "--json")
    assert ended.code == 2
    assert "has errors" in ended.json["error"]["message"]


def test_a_plan_of_a_file_that_says_something_else_now_is_refused_with_the_difference(
    planner: Person, here: Callable[..., Ended]
):
    planner.write(SHOP, "stale.ncl")
    plan = planned(here, "stale.ncl")
    planner.write(SHOP.replace("t3.micro", "t3.large").replace("443", "444"), "stale.ncl")
    for words in (["apply", plan], ["approve", plan], ["mcp", "apply", plan]):
        ended = here(*words, "--json")
        assert ended.code == 4, ended.out + ended.err
        error = ended.json["error"]
        assert error["code"] == "plan_stale"
        assert "servers[web].plan: t3.micro -> t3.large" in error["message"]
        assert "444" in error["message"]
    # The same words in another order are the same configuration.
    planner.write("# a comment\n" + SHOP, "stale.ncl")
    assert planner.prov("apply", plan).code == 6


def test_a_plan_whose_file_is_gone_is_refused(planner: Person, here: Callable[..., Ended]):
    planner.write(SHOP, "gone-soon.ncl")
    plan = planned(here, "gone-soon.ncl")
    (planner.workspace / "gone-soon.ncl").unlink()
    ended = here("apply", plan)
    assert ended.code == 4
    assert "gone-soon.ncl cannot be read any more" in ended.err


def test_a_plan_that_was_altered_is_shown_to_nobody(planner: Person, here: Callable[..., Ended]):
    plan = planned(here, "main.ncl")
    change_row(planner, "UPDATE prov_plans SET body = replace(body, 't3.micro', 't3.large') WHERE id = ?", plan)
    ended = here("approve", plan)
    assert ended.code == 5
    assert plan in ended.err
    assert "altered" in ended.err
    assert here("apply", plan).code == 5


def test_a_plan_that_a_person_denied_is_never_done(planner: Person, here: Callable[..., Ended]):
    plan = planned(here, "main.ncl")
    assert planner.prov("deny", plan).code == 6
    denied = planner.typed(["deny", plan, "--why", "too dear"], ("Type ", plan[5:9]))
    assert denied.code == 0, denied.out
    assert f"denied {plan}" in denied.out
    for words in (["approve", plan], ["apply", plan], ["mcp", "apply", plan]):
        ended = here(*words)
        assert ended.code in {4, 6}
        assert "too dear" in ended.err


def test_a_wrong_passphrase_three_times_approves_nothing(planner: Person, here: Callable[..., Ended]):
    plan = planned(here, "main.ncl")
    wrong = ("passphrase of ana", "wrong")
    ended = planner.typed(["approve", plan], WORD, wrong, wrong, wrong)
    assert ended.code != 0
    assert "does not open the key either" in ended.out
    assert planner.prov("apply", plan).code == 6


def test_ctrl_c_at_the_question_approves_nothing(planner: Person, here: Callable[..., Ended]):
    plan = planned(here, "main.ncl")
    with planner.at_terminal("apply", plan) as terminal:
        terminal.wait_for(" to approve plan-")
        terminal.send("\x03")
        assert terminal.ended() == 130
    assert planner.prov("apply", plan).code == 6


def test_without_an_account_everything_is_left_out_with_the_reason(person: Person):
    ended = person.prov("plan", "main.ncl")
    assert ended.code == 0
    assert "prov provider add aws" in ended.out
    assert "0 to add" in ended.out or "nothing" in ended.out
    assert person.prov("apply", "main.ncl", "--json").json["status"] == "nothing"
    assert person.prov("provider", "test", "aws").code == 3


def test_what_must_be_sealed_needs_a_vault_and_is_never_repeated(planner: Person, here: Callable[..., Ended]):
    config = SHOP.replace('plan = "t3.micro"', 'plan = "t3.micro", user_data = "#!/bin/sh\\necho marker-of-ours"')
    planner.write(config, "cloud-init.ncl")
    ended = here("plan", "cloud-init.ncl")
    assert ended.code == 8, ended.out + ended.err
    assert "`prov vault init` makes one" in ended.err
    planner.write(SHOP.replace('plan = "t3.micro"', 'plan = "t3.micro", user_data = "TOKEN=Tr0ub4dor-and-3"'), "plain.ncl")
    refused = here("plan", "plain.ncl")
    assert refused.code == 2
    assert "in plain text" in refused.err
    assert not {word for word in ("marker-of-ours", "Tr0ub4dor") if word in ended.out + ended.err + refused.out + refused.err}


def test_a_state_of_a_newer_version_is_left_alone(tmp_path: Path):
    with sandboxed(tmp_path) as person:
        planned(person.prov, "main.ncl")
        change_row(person, "UPDATE prov_state_version SET version_num = '0999'")
        before = state(person).read_bytes()
        for words in (["plan", "main.ncl"], ["state", "list"], ["query", "servers"]):
            ended = person.prov(*words)
            assert ended.code == 4, ended.err
            assert "newer version of stratumops (schema 0999" in ended.err
            assert "update stratumops" in ended.err
        assert state(person).read_bytes() == before


def test_a_damaged_state_is_restored_and_the_person_is_told(tmp_path: Path):
    with sandboxed(tmp_path) as person:
        planned(person.prov, "main.ncl")
        exported = json.loads(person.prov("state", "export").out)
        for ending in ("-wal", "-shm"):
            Path(f"{state(person)}{ending}").unlink(missing_ok=True)
        state(person).write_bytes(b"no database at all" * 300)
        listed = person.prov("state", "list")
        assert listed.code == 0, listed.err
        assert "was damaged" in listed.err
        assert "restored to serial" in listed.err
        assert "the damaged file is kept as" in listed.err
        again = json.loads(person.prov("state", "export").out)
        assert again["lineage"] == exported["lineage"]


def test_two_keys_of_one_person_must_be_told_apart(tmp_path: Path):
    with sandboxed(tmp_path) as person:
        person.becomes_approver("ana")
        person.becomes_approver("bea")
        plan = planned(person.prov, "main.ncl")
        ended = person.typed(["approve", plan])
        assert ended.code == 2
        assert "--as NAME" in ended.out
        unknown = person.typed(["approve", plan, "--as", "carl"])
        assert unknown.code == 3
        again = person.typed(["approver", "new", "ana"])
        assert again.code == 4
        assert PASSPHRASE not in person.prov("approver", "show", "ana").out

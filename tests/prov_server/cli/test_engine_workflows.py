"""Workflows as a person runs them, and an apply that is interrupted while it goes."""

from collections.abc import Iterator

import pytest

from engine_person import SECONDS, YES, Person, boto, sandboxed

pytestmark = pytest.mark.timeout(300)
MANY = 24

OWN = """
name = "Check me"

[parameters.port]
type = "integer"

[[tasks]]
id = "alive"
task = "run_health_check"
config = { host = "127.0.0.1", port = "${port}", attempts = 3 }
"""


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person with a key and a workflow of their own."""
    with sandboxed(tmp_path_factory.mktemp("workflows")) as one:
        one.becomes_approver()
        (one.workspace / "workflows").mkdir()
        one.write(OWN, "workflows/check-me.toml")
        yield one


def test_workflows_are_listed_with_their_parameters(person: Person):
    listed = person.prov("workflow", "list")
    assert listed.code == 0, listed.err
    assert "health-check" in listed.out
    assert "prov --sandbox workflow run ID" in listed.err
    assert {"health-check", "check-me"} <= {one["id"] for one in person.prov("workflow", "list", "--json").json["workflows"]}


def test_a_dry_run_of_a_workflow_changes_nothing(person: Person):
    words = ["workflow", "run", "health-check", "--set", "host=127.0.0.1", "--dry-run"]
    shown = person.prov(*words)
    assert shown.code == 0, shown.out + shown.err
    found = person.prov(*words, "--json").json
    assert found["plan_id"].startswith("plan-")
    assert "operation" not in found
    assert person.prov("workflow", "run", "health-check").code == 2


def test_a_workflow_is_run_once_a_person_approved_it(person: Person):
    sandbox = person.prov("sandbox", "start", "--json").json["endpoint"]
    port = sandbox.rpartition(":")[2]
    words = ["workflow", "run", "check-me", "--set", f"port={port}"]
    assert person.prov(*words).code == 6
    done = person.typed(words, *YES)
    assert done.code == 0, done.out
    assert "succeeded  op-" in done.out
    assert "succeeded" in person.prov("workflow", "status").out
    assert person.prov("workflow", "resume").code == 4
    assert person.prov("workflow", "cancel", person.prov("workflow", "status", "--json").json["operation"]).code == 4


def test_ctrl_c_in_the_middle_of_an_apply_takes_back_what_was_done(person: Person):
    rows = ", ".join(f'{{ name = "interrupted-{number:02}" }}' for number in range(MANY))
    person.write(f'{{ provider = \'aws, region = "eu-west-1", buckets = [{rows}] }}', "many.ncl")
    with person.at_terminal("apply", "many.ncl", PROV_ENGINE__PARALLEL="1") as terminal:
        for question, said in YES:
            terminal.wait_for(question, SECONDS)
            terminal.send((said if isinstance(said, str) else said(terminal)) + "\n")
        terminal.wait_for("✓", SECONDS)  # the first step is done; the others follow one at a time
        terminal.send("\x03")
        terminal.wait_for("ending after the steps that run now", SECONDS)
        code = terminal.ended(SECONDS)
        shown = terminal.transcript
    assert code == 1, shown[-3000:]
    assert "rolled back" in shown
    assert "↺" in shown
    assert boto(person, "s3").list_buckets()["Buckets"] == []
    assert '"interrupted-' not in person.prov("state", "list", "--json").out
    status = person.prov("workflow", "status")
    assert status.code == 0 or "rolled back" in status.out

"""From a plan to machines and back as a person does it: one workspace, one sandbox, and what each command said on the way."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine_person import PASSPHRASE, WORD, Ended, Person, boto, sandboxed

pytestmark = pytest.mark.timeout(480)


@dataclass
class Story:
    """What every command said, by what it was for."""

    person: Person
    said: dict[str, Ended]
    plan: str

    def __getitem__(self, name: str) -> Ended:
        return self.said[name]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Planned, refused in several ways, approved, applied, looked at."""
    with sandboxed(tmp_path_factory.mktemp("engine")) as person:
        said: dict[str, Ended] = {}
        said["plan"] = person.prov("plan", "main.ncl")
        said["plan narrow"] = person.prov("plan", "main.ncl", COLUMNS="40")
        said["plan json"] = person.prov("plan", "main.ncl", "--json", "--graph", "p.svg", "--output", "p.json")
        plan: str = said["plan json"].json["plan_id"]
        said["apply without terminal"] = person.prov("apply", plan)
        said["apply without terminal json"] = person.prov("apply", plan, "--json")
        said["approve without terminal"] = person.prov("approve", plan)
        said["approve without key"] = person.typed(["approve", plan])
        said["new approver"] = person.becomes_approver()
        said["another word"] = person.typed(["approve", plan], ("Type ", "yes"))
        said["approve"] = person.typed(
            ["approve", plan[:9]], WORD, ("passphrase of ana", "wrong"), ("passphrase of ana", PASSPHRASE)
        )
        said["apply"] = person.prov("apply", plan, "--json")
        said["apply again"] = person.prov("apply", plan)
        yield Story(person, said, plan)


def test_a_plan_shows_waves_money_checks_and_what_to_type_next(story: Story):
    shown = story["plan"]
    assert shown.code == 0
    for words in ("wave 1", "wave 3", "+ server.web", "USD a month", "gdpr", "5 to add"):
        assert words in shown.out
    assert re.search(r"prov --sandbox apply plan-[0-9a-f]{12}", shown.err)


def test_a_narrow_terminal_shows_every_step_of_a_plan(story: Story):
    assert {"vpc.main", "subnet.public", "security_group.web", "server.web", "bucket.shop-invoices"} <= set(
        re.findall(r"[a-z_]+\.[a-z-]+", story["plan narrow"].out)
    )


def test_a_plan_for_programs_has_its_id_steps_and_the_way_on(story: Story):
    found = story["plan json"].json
    assert found["plan_id"] == story.plan
    assert len(found["steps"]) == 5
    assert f"prov --sandbox approve {story.plan}" in found["next"]
    assert (story.person.workspace / "p.svg").read_text(encoding="utf-8").startswith("<svg")
    kept = json.loads((story.person.workspace / "p.json").read_text(encoding="utf-8"))
    assert kept["source"] == "main.ncl"


@pytest.mark.parametrize("run", ["apply without terminal", "approve without terminal"])
def test_without_a_terminal_nobody_can_approve(story: Story, run: str):
    ended = story[run]
    assert ended.code == 6
    assert "terminal" in ended.err


def test_a_program_is_told_which_plan_waits_for_a_person(story: Story):
    ended = story["apply without terminal json"]
    assert ended.code == 6
    error = ended.json["error"]
    assert error["code"] == "approval_required"
    assert f"prov --sandbox apply {story.plan}" in error["hint"]


def test_who_has_no_key_is_told_how_to_make_one(story: Story):
    assert story["approve without key"].code == 6
    assert "prov approver new NAME" in story["approve without key"].out


def test_a_passphrase_is_typed_twice_and_never_shown(story: Story):
    assert story["new approver"].code == 0
    assert "made the approver ana" in story["new approver"].out


def test_another_word_leaves_everything_as_it_is(story: Story):
    assert story["another word"].code == 6
    assert "nothing was done" in story["another word"].out


def test_an_approval_shows_the_plan_and_takes_the_beginning_of_its_id(story: Story):
    shown = story["approve"]
    assert shown.code == 0, shown.out
    for words in ("+ server.web", "ana (key", "becomes the first one", "2 more tries", f"approved by ana: {story.plan}"):
        assert words in shown.out


def test_an_approved_plan_is_applied_without_a_terminal(story: Story):
    ended = story["apply"]
    assert ended.code == 0, ended.out + ended.err
    assert ended.json["status"] == "succeeded"
    assert "Create server.web" in ended.err


def test_the_same_plan_again_answers_how_it_ended(story: Story):
    assert story["apply again"].code in {0, 4}
    assert "op-" in story["apply again"].out + story["apply again"].err


def test_what_was_made_is_there(story: Story):
    ec2 = boto(story.person, "ec2")
    found = ec2.describe_instances()["Reservations"]
    (instance,) = [one for each in found for one in each["Instances"] if one["State"]["Name"] == "running"]
    assert instance["InstanceType"] == "t3.micro"
    assert [one["Name"] for one in boto(story.person, "s3").list_buckets()["Buckets"]] == ["shop-invoices"]


def test_resources_are_listed_shown_and_exported(story: Story):
    listed = story.person.prov("state", "list")
    assert listed.code == 0
    assert len([line for line in listed.out.splitlines() if " aws " in line]) == 5
    assert "5 resources, serial " in listed.err
    rows = story.person.prov("state", "list", "--kind", "server", "--json").json
    assert rows["count"] == 1
    shown = story.person.prov("state", "show", "server.web", "--json").json
    assert shown["id"] == rows["resources"][0]["id"]
    whole = json.loads(story.person.prov("state", "export").out)
    assert "server.web" in json.dumps(whole)


def test_a_narrow_terminal_shows_every_resource(story: Story):
    listed = story.person.prov("state", "list", COLUMNS="40")
    joined = "".join(line.split("  ")[0].split(" ")[0] for line in listed.out.splitlines())
    assert "server.web" in joined.replace("\n", "")


@pytest.mark.parametrize(
    ("question", "count"),
    [("how many servers are running?", 1), ("¿cuántos servidores hay en eu-west-1?", 1), ("how many buckets at aws?", 1)],
)
def test_questions_are_answered_in_both_languages_with_the_rows_they_rest_on(story: Story, question: str, count: int):
    answered = story.person.prov("query", *question.split())
    assert answered.code == 0
    assert str(count) in answered.out.splitlines()[0]
    assert "read as: " in answered.err
    found = story.person.prov("query", question, "--json").json
    assert len(found["rows"]) == count


def test_nothing_has_drifted_and_the_history_names_the_operation(story: Story):
    looked = story.person.prov("drift")
    assert looked.code == 0, looked.out + looked.err
    assert "5 in sync, 0 changed" in looked.out
    serials = story.person.prov("state", "history", "--json").json["serials"]
    operation = story["apply"].json["operation"]
    assert any(one.get("operation") == operation for one in serials)
    assert operation in story.person.prov("workflow", "history").out
    status = story.person.prov("workflow", "status", operation)
    assert status.code == 0
    assert status.out.startswith("✓ Create")


def test_an_applied_configuration_has_nothing_to_do(story: Story):
    planned = story.person.prov("apply", "main.ncl", "--json")
    assert planned.code == 0, planned.out + planned.err
    assert planned.json["status"] == "nothing"


def test_a_change_is_applied_at_a_terminal_before_the_persons_eyes_and_rolled_back(story: Story):
    person = story.person
    main = (person.workspace / "main.ncl").read_text(encoding="utf-8")
    person.write(main.replace('{ name = "shop-invoices" }', '{ name = "shop-invoices" }, { name = "shop-more" }'), "more.ncl")
    done = person.approves("apply", "more.ncl")
    assert done.code == 0, done.out
    assert "✓ Create bucket.shop-more" in done.out
    assert "succeeded  op-" in done.out
    back = person.approves("rollback", COLUMNS="40")
    assert back.code == 0, back.out
    assert "bucket.shop-more" in back.out
    names = [one["Name"] for one in boto(person, "s3").list_buckets()["Buckets"]]
    assert names == ["shop-invoices"]


def test_the_server_and_what_stands_on_it_are_destroyed_when_only_it_is_named(story: Story, tmp_path: Path):
    # A workspace of its own: other tests look at the shop.
    with sandboxed(tmp_path) as person:
        person.becomes_approver("bea")
        person.write('{ provider = \'aws, region = "eu-west-1", buckets = [{ name = "one" }, { name = "two" }] }')
        assert person.approves("apply", "main.ncl").code == 0
        gone = person.approves("destroy", "--only", "bucket.one")
        assert gone.code == 0, gone.out
        assert [one["Name"] for one in boto(person, "s3").list_buckets()["Buckets"]] == ["two"]
        everything = person.approves("destroy")
        assert everything.code == 0, everything.out
        assert boto(person, "s3").list_buckets()["Buckets"] == []
        assert "nothing is recorded" in person.prov("state", "list").out

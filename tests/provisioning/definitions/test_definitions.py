"""Workflows as people write them: what is read, what is refused and with which words, and the plan that one becomes."""

import asyncio
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.provisioning.workflow.world import Vault

from prov_corpus import workflows
from provisioning.errors import CycleError
from provisioning.plan.make import Maker, Wish, make_plan
from provisioning.plan.model import Plan, task_context
from provisioning.plan.words import as_text
from provisioning.secrets import SEALED, has_sealed, unseal_values
from provisioning.state.model import Head
from provisioning.workflow.definitions import Definition, catalogue, filled, find, read
from provisioning.workflow.definitions_plan import fragment, joined, joined_sealed
from stratumops.errors import InvalidInputError, NotFoundError

SHOP = """
name = "A shop"

[parameters.size]
default = "small"
allowed = ["small", "large"]
description = "How large"

[parameters.count]
type = "integer"

[parameters.open]
type = "boolean"
default = false

[[tasks]]
id = "net"
task = "configure_networking"
provider = "aws"
config = { name = "shop", subnets = [{ name = "public", cidr = "10.0.1.0/24" }] }

[[tasks]]
id = "web"
task = "provision_server"
provider = "aws"
needs = ["net"]
config = { name = "web", plan = "${size}", spec = { disk_gb = "${count}" }, networking = { subnet = "public" } }
retry = { max_retries = 7, initial_delay_ms = 10 }

[[tasks]]
id = "pause"
task = "wait"
needs = ["web"]
config = { seconds = 0 }

[[tasks]]
id = "check"
name = "Port ${count} of a ${size} one"
task = "run_health_check"
needs = ["pause"]
config = { resource = "server.web", port = 22 }
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    write(tmp_path, "shop", SHOP)
    return tmp_path


def write(workspace: Path, name: str, text: str) -> Path:
    folder = workspace / "workflows"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / f"{name}.toml"


def planned(definition: Definition, given: dict[str, Any], vault: Any = None) -> Plan:
    """The plan as it is kept: with a vault, what is secret in it is sealed."""
    parameters, tasks = filled(definition, given)
    config, origin = fragment(tasks, "aws")
    makers = {"aws": Maker("1", frozenset({"vpc", "subnet", "server"}))}
    wish = Wish(
        "workflow", "x", Head("l", 0, ""), [], makers, config, time.time(), date(2026, 11, 23), "ana", only=frozenset(origin)
    )
    plan = asyncio.run(make_plan(wish, vault or Vault()))
    if vault is None:
        return joined(plan, definition, parameters, tasks, origin)
    return asyncio.run(joined_sealed(plan, definition, parameters, tasks, origin, vault))


@pytest.mark.parametrize("path", sorted(workflows.FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_what_is_shipped_can_be_run(path: Path):
    definition = read(path)
    given = {name: one.default for name, one in definition.parameters.items() if one.default is not None}
    missing = {name: "database.orders" for name, one in definition.parameters.items() if one.default is None}
    assert planned(definition, {**given, **missing}).steps


def test_a_workspace_has_its_own_and_the_shipped_ones(workspace: Path):
    every = {one.id: one for one in catalogue(workspace)}
    assert every["shop"].origin == "workspace"
    assert every["backup"].origin == "shipped"
    assert every["shop"].parameters == {"size": 'string="small"', "count": "integer", "open": "boolean=false"}


def test_a_file_that_is_wrong_is_listed_with_its_problem_and_hides_no_other(workspace: Path):
    write(workspace, "broken", "tasks = 3")
    every = {one.id: one for one in catalogue(workspace)}
    assert "broken.toml" in every["broken"].problem
    assert every["shop"].problem == ""


def test_an_own_workflow_takes_the_place_of_a_shipped_one(workspace: Path):
    write(workspace, "backup", 'name = "Mine"\n[[tasks]]\nid = "a"\ntask = "wait"\n')
    assert find("backup", workspace).name == "Mine"


def test_a_name_that_is_not_there_brings_the_nearest_ones(workspace: Path):
    with pytest.raises(NotFoundError) as caught:
        find("shopp", workspace)
    assert "shop" in caught.value.hint


def test_the_plan_keeps_what_tasks_need_across_resources_and_other_tasks(workspace: Path):
    plan = planned(find("shop", workspace), {"count": 30})
    steps = {step.id: step for step in plan.steps}
    assert set(steps) == {"create:vpc.shop", "create:subnet.public", "create:server.web", "task:pause", "task:check"}
    assert {"create:vpc.shop", "create:subnet.public"} <= set(steps["create:server.web"].needs)
    assert steps["task:pause"].needs == ("create:server.web",)
    assert steps["task:check"].needs == ("task:pause",)
    waves = [steps[name].wave for name in ("create:subnet.public", "create:server.web", "task:pause", "task:check")]
    assert waves == sorted(set(waves))


def test_parameters_are_filled_in_with_their_types(workspace: Path):
    plan = planned(find("shop", workspace), {"count": "30", "size": "large"})
    server = next(step for step in plan.steps if step.id == "create:server.web")
    assert server.wanted is not None
    assert server.wanted["values"]["spec"]["disk_gb"] == 30
    assert next(step for step in plan.steps if step.id == "task:check").title == "Port 30 of a large one"
    assert plan.targets["parameters"] == {"size": "large", "count": 30, "open": False}


def test_a_task_keeps_its_own_patience(workspace: Path):
    plan = planned(find("shop", workspace), {"count": 30})
    assert next(step for step in plan.steps if step.id == "create:server.web").retry.max_retries == 7


def test_the_hash_covers_definition_and_parameters(workspace: Path):
    definition = find("shop", workspace)
    one, other = planned(definition, {"count": 30}), planned(definition, {"count": 31})
    changed = planned(definition.model_copy(update={"name": "Another"}), {"count": 30})
    assert len({one.sha256, other.sha256, changed.sha256, replace(one, targets={}).sha256}) == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "count is missing"),
        ({"count": "many"}, "count must be a whole number"),
        ({"count": True}, "count must be a whole number"),
        ({"count": 1, "size": "huge"}, "size must be one of small, large"),
        ({"count": 1, "open": "maybe"}, "open must be true or false"),
        ({"count": 1, "color": "red"}, "no parameter 'color'"),
    ],
)
def test_wrong_parameters_are_named(workspace: Path, given: dict[str, Any], words: str):
    with pytest.raises(InvalidInputError, match=words):
        filled(find("shop", workspace), given)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 3", "name must be a text"),
        ('name = "x"\ntasks = []', "tasks"),
        ('name = "x"\ncolour = 1\n[[tasks]]\nid = "a"\ntask = "wait"', "colour is not known"),
        ('name = "x"\n[[tasks]]\nid = "a"\ntask = "provision_servr"', "did you mean provision_server"),
        ('name = "x"\n[[tasks]]\nid = "a"\ntask = "wait"\n[[tasks]]\nid = "a"\ntask = "wait"', "two tasks are called a"),
        ('name = "x"\n[[tasks]]\nid = "a"\ntask = "wait"\nneeds = ["b"]', "needs 'b'"),
        ('name = "x"\n[[tasks]]\nid = "a"\ntask = "wait"\nconfig = { seconds = "${n}" }', "no parameter 'n'"),
        ('id = "other"\nname = "x"\n[[tasks]]\nid = "a"\ntask = "wait"', "calls itself other"),
        ("name = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, words: str):
    with pytest.raises(InvalidInputError, match=words):
        read(write(tmp_path, "wrong", text))


def test_a_circle_of_tasks_is_named(tmp_path: Path):
    text = 'name = "x"\n[[tasks]]\nid = "a"\ntask = "wait"\nneeds = ["b"]\n[[tasks]]\nid = "b"\ntask = "wait"\nneeds = ["a"]'
    with pytest.raises(CycleError, match=r"a.*b"):
        read(write(tmp_path, "circle", text))


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path: Path):
    with pytest.raises(InvalidInputError, match="larger"):
        read(write(tmp_path, "large", "# " + "x" * 300_000))
    path = write(tmp_path, "bytes", "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInputError, match="not TOML"):
        read(path)


def test_a_wrong_field_of_a_resource_is_told_with_its_task(tmp_path: Path):
    text = 'name = "x"\n[[tasks]]\nid = "web"\ntask = "provision_server"\nconfig = { name = "web", plann = "small" }'
    _, tasks = filled(read(write(tmp_path, "typo", text)), {})
    with pytest.raises(InvalidInputError, match=r"web: .*plann"):
        fragment(tasks, "aws")


def test_any_kind_can_be_provisioned_by_name(tmp_path: Path):
    text = 'name = "x"\n[[tasks]]\nid = "b"\ntask = "provision"\nconfig = { kind = "bucket", name = "logs" }'
    _, tasks = filled(read(write(tmp_path, "any", text)), {})
    config, origin = fragment(tasks, "aws")
    assert config.buckets[0].name == "logs"
    assert origin == {"bucket.logs": "b"}


SECRET = "Hunter2hunter2"
SECRETIVE = """
name = "Wait for it"
[parameters.password]
[parameters.host]
[[tasks]]
id = "a"
task = "run_health_check"
name = "Wait with ${password}"
config = { host = "${host}", port = 80, path = "/x?t=${password}", tries = [{ token = "another-one-here" }] }
[[tasks]]
id = "s"
task = "provision_server"
provider = "aws"
config = { name = "s1", plan = "t3.micro", user_data = "export TOKEN=${password}", tags = { x = "is ${password}" } }
"""


def test_no_secret_of_a_run_stands_in_its_plan_in_plain_text_and_each_opens_again(tmp_path: Path):
    vault = Vault()
    plan = planned(read(write(tmp_path, "secretive", SECRETIVE)), {"password": SECRET, "host": "10.0.0.5"}, vault)
    assert SECRET not in plan.body.decode() + as_text(plan)
    assert "another-one-here" not in plan.body.decode()
    steps = {step.id: step for step in plan.steps}
    task, server = steps["task:a"], steps["create:server.s1"]
    assert task.title == "Wait with (hidden)"
    assert set(task.config["path"]) == {SEALED}
    assert (task.config["host"], task.config["port"]) == ("10.0.0.5", 80)
    opened = asyncio.run(unseal_values(task.config, vault, task_context("l", task.id)))
    assert opened["path"] == f"/x?t={SECRET}"
    assert opened["tries"] == [{"token": "another-one-here"}]
    parameters = asyncio.run(unseal_values(plan.targets["parameters"], vault, "l/parameters"))
    assert parameters == {"password": SECRET, "host": "10.0.0.5"}
    assert server.wanted is not None
    values = asyncio.run(unseal_values(server.wanted["values"], vault, "l/server.s1"))
    record = asyncio.run(unseal_values(server.wanted["record"], vault, "l/server.s1/record"))
    assert values["tags"]["x"] == record["tags"]["x"] == f"is {SECRET}"
    assert SECRET in values["user_data"]


def test_a_run_without_secrets_asks_no_vault(workspace: Path):
    class Locked(Vault):
        async def seal(self, text: str, context: str) -> str:
            raise AssertionError(context)

    plan = planned(find("shop", workspace), {"count": 30}, Locked())
    assert not has_sealed(plan.targets)
    assert plan.targets["parameters"]["count"] == 30


def test_a_handle_as_a_parameter_stays_one(tmp_path: Path):
    given = {"password": "vault:secret/app#password", "host": "10.0.0.5"}
    plan = planned(read(write(tmp_path, "secretive", SECRETIVE)), given, Vault())
    assert plan.targets["parameters"]["password"] == "vault:secret/app#password"


@pytest.mark.parametrize("hostile", ["\\n", "\\t", "\\u001b[2J", "\\u200b", "\\u2028", "\\u202e", "\\ufeff", "\\U000e0041"])
@pytest.mark.parametrize("place", ["workflow", "task"])
def test_a_name_that_makes_a_line_or_cannot_be_seen_is_refused(tmp_path: Path, hostile: str, place: str):
    names = {"workflow": "x", "task": "y", place: f"Wait{hostile}plan-0  0 to add"}
    text = f'name = "{names["workflow"]}"\n[[tasks]]\nid = "a"\ntask = "wait"\nname = "{names["task"]}"'
    with pytest.raises(InvalidInputError, match="name: must be one line without control characters"):
        read(write(tmp_path, "hostile", text))


def test_a_parameter_makes_no_such_name_either(tmp_path: Path):
    text = 'name = "x"\n[parameters.n]\n[[tasks]]\nid = "a"\ntask = "wait"\nname = "Wait ${n}"'
    definition = read(write(tmp_path, "filled", text))
    with pytest.raises(InvalidInputError, match="the name of a must be one line"):
        filled(definition, {"n": "1\nplan-0  0 to add"})
    assert filled(definition, {"n": "größer"})[1][0].name == "Wait größer"

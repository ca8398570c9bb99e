"""From a plan to machines, to drift, back again and to nothing: by command and over MCP, seen with plain boto3."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from engine_person import PROV, SHOP, YES, Person, boto, sandboxed

from .test_session import call, error

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with sandboxed(tmp_path) as one:
        assert one.becomes_approver().code == 0
        yield one


def servers(person: Person) -> list[Any]:
    """The instances that run, as AWS says it."""
    found = boto(person, "ec2").describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
    return [one for each in found["Reservations"] for one in each["Instances"]]


def group(person: Person) -> Any:
    (one,) = boto(person, "ec2").describe_security_groups(Filters=[{"Name": "tag:prov:id", "Values": ["security_group.web"]}])[
        "SecurityGroups"
    ]
    return one


def ports(person: Person) -> set[int]:
    return {rule["FromPort"] for rule in group(person)["IpPermissions"]}


def open_by_hand(person: Person) -> None:
    """Somebody opens SSH to the world."""
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    boto(person, "ec2").authorize_security_group_ingress(GroupId=group(person)["GroupId"], IpPermissions=[rule])


def test_a_person_takes_a_shop_from_a_plan_to_nothing(person: Person):
    planned = person.prov("plan", "main.ncl", "--json").json
    assert planned["cost_delta"]["USD"] > 0
    assert person.approves("approve", planned["plan_id"]).code == 0
    applied = person.prov("apply", planned["plan_id"], "--json")
    assert applied.code == 0, applied.out + applied.err
    assert applied.json["status"] == "succeeded"

    (server,) = servers(person)
    assert server["InstanceType"] == "t3.micro"
    assert [one["GroupId"] for one in server["NetworkInterfaces"][0]["Groups"]] == [group(person)["GroupId"]]
    assert ports(person) == {443}
    assert [one["Name"] for one in boto(person, "s3").list_buckets()["Buckets"]] == ["shop-invoices"]
    asked = person.prov("query", "running servers in eu-west-1", "--json").json
    (row,) = asked["rows"]
    assert "server.web" in row
    assert person.prov("state", "show", "server.web", "--json").json["id"] == server["InstanceId"]

    open_by_hand(person)
    boto(person, "s3").delete_bucket(Bucket="shop-invoices")
    drift = person.prov("drift", "--json")
    assert drift.code == 1, drift.out + drift.err
    states = {one["address"]: one["state"] for one in drift.json["drifted"]}
    assert states == {"security_group.web": "changed", "bucket.shop-invoices": "missing"}

    back = person.approves("apply", "main.ncl")
    assert back.code == 0, back.out
    assert ports(person) == {443}
    assert [one["Name"] for one in boto(person, "s3").list_buckets()["Buckets"]] == ["shop-invoices"]
    assert person.prov("drift").code == 0

    # The whole way back: what the first apply made is taken away, by a plan like any other.
    undone = person.approves("rollback", applied.json["operation"])
    assert undone.code == 0, undone.out
    assert servers(person) == []
    again = person.approves("apply", "main.ncl")
    assert again.code == 0, again.out
    assert len(servers(person)) == 1
    destroyed = person.approves("destroy", "main.ncl")
    assert destroyed.code == 0, destroyed.out
    assert servers(person) == []
    vpcs = boto(person, "ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
    assert vpcs == []
    assert boto(person, "s3").list_buckets()["Buckets"] == []
    assert person.prov("state", "list", "--json").json["count"] == 0


@pytest.mark.anyio
async def test_an_assistant_plans_and_waits_while_a_person_approves_in_their_own_terminal(person: Person):
    arguments = ["--sandbox", "mcp", "serve", "--workspace", str(person.workspace)]
    command = StdioServerParameters(command=str(PROV), args=arguments, env=person.environment, cwd=person.workspace)

    async def approved(plan: str) -> None:
        ended = await asyncio.to_thread(person.typed, ["approve", plan], *YES)
        assert ended.code == 0, ended.out

    async with Client(command) as client:
        planned = await call(client, "plan_config", config="main.ncl")
        plan = planned["plan_id"]
        assert f"prov --sandbox approve {plan}" in planned["next"]
        waiting = await call(client, "apply_plan", plan_id=plan, wait=0)
        assert waiting["status"] in {"queued", "waiting_for_approval"}
        # Nothing that a model can say stands for a person.
        forged = await client.call_tool("apply_plan", {"plan_id": plan, "wait": 0, "approved": True})
        assert forged.is_error
        going = asyncio.create_task(call(client, "apply_plan", plan_id=plan, wait=100))
        await approved(plan)
        done = await going
        assert (done["status"], done["operation"]) == ("succeeded", waiting["operation"])
        assert len(servers(person)) == 1
        answered = await call(client, "query_infrastructure", query="¿cuántos servidores hay?")
        assert len(answered["rows"]) == 1

        person.write(SHOP.replace("443", "8443"))
        stale = await call(client, "plan_config", config="main.ncl")
        person.write(SHOP)
        refused = await error(client, "apply_plan", plan_id=stale["plan_id"], wait=0)
        assert refused["code"] == "plan_stale"

        # With nobody asking any more the operation goes on by itself as soon as it may.
        destroy = await call(client, "plan_config", destroy=True)
        begun = await call(client, "apply_plan", plan_id=destroy["plan_id"], wait=0)
        await approved(destroy["plan_id"])
        async with asyncio.timeout(60):
            while (status := await call(client, "operation_status", operation=begun["operation"]))["status"] != "succeeded":
                assert status["status"] in {"queued", "waiting_for_approval", "running"}, status
                await asyncio.sleep(0.05)
        assert servers(person) == []

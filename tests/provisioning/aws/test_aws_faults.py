"""AWS at its worst: throttles, errors, lost answers, lies. A proxy before the sandbox does them, plain boto3 counts the rest."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from tests.provisioning.aws.conftest import account
from tests.provisioning.aws.counting import count
from tests.provisioning.faulty_proxy import Answer, Fault, FaultyProxy, Request, answers, drops, refuses, rewrites
from tests.provisioning.worlds import Journal, World, drift

from provisioning.errors import ProviderAccountError, ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.aws.client import Clients
from provisioning.providers.aws.provider import AwsProvider

FOREVER = 1 << 30


def ec2_error(code: str, message: str = "no") -> str:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return f"<Response><Errors>{error}</Errors><RequestID>r-1</RequestID></Response>"


def query_error(code: str, message: str = "no") -> str:
    return (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
    )


@pytest.fixture(scope="module")
def between(endpoint: str) -> Iterator[FaultyProxy]:
    """What stands between the provider and the sandbox in all tests."""
    with FaultyProxy(endpoint) as proxy:
        yield proxy


@pytest.fixture
def proxy(between: FaultyProxy) -> Iterator[FaultyProxy]:
    """It behaves until a test says otherwise, and knows of no request before it."""
    between.requests.clear()
    yield between
    between.clear()


@pytest.fixture(scope="module")
def provider(between: FaultyProxy) -> Iterator[AwsProvider]:
    """A provider behind it: its clients are the dearest part of a test that has its own."""
    provider = AwsProvider(account(between.url), Clients(account(between.url), pause=lambda _: None))
    yield provider
    provider.close()


@pytest.fixture
def make(make: Callable[[str], World], proxy: FaultyProxy) -> Iterator[Callable[[str], World]]:
    """Worlds of examples, cleared at the end behind a proxy that behaves."""
    yield make
    proxy.clear()


@pytest.mark.parametrize(
    "code", ["RequestLimitExceeded", "Throttling", "InternalError", "Unavailable", "InsufficientInstanceCapacity"]
)
def test_a_throttled_or_overloaded_call_is_busy_and_asked_once(make, proxy: FaultyProxy, code: str):
    world = make("vpc.main")
    proxy.add(answers("Action=CreateVpc", 503, ec2_error(code)))
    with pytest.raises(ProviderBusyError) as caught:
        world.make()
    assert not caught.value.is_permanent
    assert caught.value.details["aws_code"] == code
    assert len(proxy.asked("Action=CreateVpc&")) == 1
    world.make()


@pytest.mark.parametrize(("status", "body"), [(500, "<html>oh</html>"), (502, ""), (504, ec2_error("GatewayTimeout"))])
def test_a_server_error_can_be_tried_again(make, proxy: FaultyProxy, status: int, body: str):
    world = make("vpc.main")
    proxy.add(answers("Action=CreateVpc", status, body))
    with pytest.raises(ProviderError) as caught:
        world.make()
    assert not caught.value.is_permanent
    world.make()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("vpc.main", "Action=CreateVpc&"),
        ("subnet.front", "Action=CreateSubnet"),
        ("subnet.front", "Action=CreateInternetGateway"),
        ("subnet.front", "Action=CreateRouteTable"),
        ("nat.main", "Action=AllocateAddress"),
        ("nat.main", "Action=CreateNatGateway"),
        ("security_group.web", "Action=AuthorizeSecurityGroupIngress"),
        ("server.web-1", "Action=RunInstances"),
        ("volume.data", "Action=CreateVolume"),
        ("volume.data", "Action=AttachVolume"),
        ("bucket.shop", "PUT /shop-"),
        ("database.shop", "Action=CreateDBInstance"),
        ("kubernetes.shop", "POST /clusters"),
        ("kubernetes.shop", "POST /clusters/"),
        ("load_balancer.shop", "Action=CreateLoadBalancer"),
        ("load_balancer.shop", "Action=CreateTargetGroup"),
        ("load_balancer.shop", "Action=CreateListener"),
        ("dns.example.com", "POST /2013-04-01/hostedzone"),
        ("dns_record.*.example.com/TXT", "POST /2013-04-01/hostedzone/"),
    ],
)
def test_an_answer_that_is_lost_after_the_deed_leads_to_one_object(make, proxy: FaultyProxy, client, name: str, call: str):
    kind = name.partition(".")[0]
    world = make(name)
    world.make()
    expected = count(client, kind)
    world.undo()
    lost = drops(call)
    proxy.add(lost)
    with pytest.raises(ProviderSilentError):
        world.make()
    assert lost.used == 1
    made = world.make()
    assert drift(made, world.main.values) == {}
    assert count(client, kind) == expected


def test_a_connection_that_is_refused_or_cut_is_no_permanent_error(make, proxy: FaultyProxy):
    world = make("vpc.main")
    proxy.add(refuses("Action=CreateVpc"))
    with pytest.raises(ProviderError) as caught:
        world.make()
    assert not caught.value.is_permanent


def test_an_endpoint_where_nobody_listens_is_busy(endpoint: str):
    provider = AwsProvider(account("http://127.0.0.1:9"))
    with pytest.raises(ProviderBusyError) as caught:
        provider.catalogue()
    assert "network" in caught.value.hint
    (check,) = provider.test()
    assert check.verdict == "failed"
    assert check.hint


@pytest.mark.parametrize("code", ["AuthFailure", "UnauthorizedOperation", "ExpiredToken", "InvalidClientTokenId"])
def test_a_refused_key_is_the_accounts_matter_and_never_repeated(provider: AwsProvider, proxy: FaultyProxy, code: str):
    words = "The key test of AKIAABCDEFGHIJKLMNOP, Signature=abcdef is not allowed"
    proxy.add(answers("Action=DescribeRegions", 403, ec2_error(code, words)))
    with pytest.raises(ProviderAccountError) as caught:
        provider.catalogue()
    assert caught.value.is_permanent
    assert caught.value.hint
    for secret in ("AKIA", "abcdef", "key test"):
        assert secret not in caught.value.message


def test_a_quota_is_permanent_and_says_what_to_do(make, proxy: FaultyProxy):
    world = make("vpc.main")
    proxy.add(answers("Action=CreateVpc", 400, ec2_error("VpcLimitExceeded", "five")))
    with pytest.raises(ProviderError) as caught:
        world.make()
    assert caught.value.is_permanent
    assert "quota" in caught.value.hint


def test_a_wrong_argument_is_permanent(make, proxy: FaultyProxy):
    world = make("vpc.main")
    proxy.add(answers("Action=CreateVpc", 400, ec2_error("InvalidParameterValue", "bad")))
    with pytest.raises(ProviderError) as caught:
        world.make()
    assert caught.value.is_permanent
    assert not isinstance(caught.value, ProviderAccountError)


def test_a_security_group_in_use_is_tried_again_until_it_is_free(make, provider: AwsProvider, proxy: FaultyProxy):
    world = make("security_group.web")
    world.make()
    proxy.add(answers("Action=DeleteSecurityGroup", 400, ec2_error("DependencyViolation", "in use")))
    with pytest.raises(ProviderBusyError):
        provider.delete(world.main, Journal())
    provider.delete(world.main, Journal())
    assert provider.read(world.main) is None


def test_a_server_that_is_not_ready_is_waited_for_with_words(make, proxy: FaultyProxy):
    world = make("server.web-1")
    lie = rewrites("Action=DescribeInstances", b"<name>running</name>", b"<name>pending</name>", times=3)
    proxy.add(Fault("Filter.1.Name=tag", FOREVER), lie)
    journal = Journal()
    assert world.make(journal).status == "running"
    assert lie.used == 3
    assert any("running" in words for words in journal.reports)


def test_waiting_ends_after_its_limit_and_can_go_on(make, proxy: FaultyProxy, client):
    world = make("server.web-1")
    proxy.add(rewrites("Action=DescribeInstances", b"<name>running</name>", b"<name>pending</name>", times=FOREVER))
    with pytest.raises(ProviderBusyError):
        world.make()
    proxy.clear()
    before = count(client)
    assert world.make().status == "running"
    assert count(client) == before


def test_waiting_ends_when_a_person_cancels(make, proxy: FaultyProxy):
    class Cancelled(Journal):
        def is_cancelled(self) -> bool:
            return True

    world = make("server.web-1")
    proxy.add(rewrites("Action=DescribeInstances", b"<name>running</name>", b"<name>pending</name>", times=FOREVER))
    with pytest.raises(ProviderBusyError, match="cancelled"):
        world.make(Cancelled())
    proxy.clear()
    world.make()


def test_a_server_that_ends_while_it_starts_is_a_permanent_error(make, proxy: FaultyProxy):
    world = make("server.web-1")
    proxy.add(rewrites("Filter.1.Name=instance-id", b"<name>running</name>", b"<name>terminated</name>", times=1))
    with pytest.raises(ProviderError) as caught:
        world.make()
    assert caught.value.is_permanent
    world.make()


def test_every_attempt_sends_the_same_token(make, proxy: FaultyProxy):
    world = make("server.web-1")
    proxy.add(answers("Action=RunInstances", 503, ec2_error("Unavailable"), times=2))
    for _ in range(2):
        with pytest.raises(ProviderBusyError):
            world.make()
    world.make()
    tokens = [
        part for one in proxy.asked("Action=RunInstances") for part in one.text.split("&") if part.startswith("ClientToken=")
    ]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1


def test_a_database_password_is_in_no_error(make, proxy: FaultyProxy):
    world = make("database.shop")
    proxy.add(answers("Action=CreateDBInstance", 400, query_error("InvalidParameterValue", "correct-horse-1 is no password")))
    with pytest.raises(ProviderError) as caught:
        world.make()
    assert "correct-horse-1" not in caught.value.message
    assert "correct-horse-1" not in repr(world.wanted(world.address))
    world.make()


def test_a_role_that_iam_does_not_know_everywhere_yet_is_waited_for(make, proxy: FaultyProxy):
    world = make("kubernetes.shop")
    body = json.dumps({"message": "Role could not be assumed"})
    refusal = Answer(400, body.encode(), {"Content-Type": "application/json", "x-amzn-errortype": "InvalidParameterException"})
    proxy.add(Fault("POST /clusters", respond=lambda _: refusal))
    with pytest.raises(ProviderBusyError):
        world.make()
    world.make()


def test_a_cluster_is_upgraded_one_version_after_the_other_and_its_nodes_with_it(make, provider: AwsProvider, proxy: FaultyProxy):
    """moto has no upgrade: the proxy keeps the versions."""
    world = make("kubernetes.shop")
    world.make()
    versions = {"cluster": "1.33", "nodes": "1.33"}
    asked: list[str] = []

    def upgrade(request: Request) -> Answer:
        which = "nodes" if "node-groups" in request.path else "cluster"
        versions[which] = json.loads(request.body)["version"]
        asked.append(f"{which} {versions[which]}")
        return Answer(200, b'{"update": {"id": "u", "status": "Successful"}}', {"Content-Type": "application/json"})

    def tell(answer: Answer) -> Answer:
        told = json.loads(answer.body)
        for key, which in (("cluster", "cluster"), ("nodegroup", "nodes")):
            if key in told:
                told[key]["version"] = versions[which]
        return Answer(answer.status, json.dumps(told).encode(), answer.headers)

    proxy.add(
        Fault("/update-version", FOREVER, respond=upgrade),
        Fault("/updates", FOREVER, respond=upgrade),
        Fault("GET /clusters/", FOREVER, rewrite=tell),
    )
    wanted = world.wanted(world.address)
    values = {**wanted.values, "version": "1.35.2"}
    found = provider.update(world.main, replace(wanted, values=values), frozenset({"version"}), Journal())
    assert [one for one in asked if one.startswith("cluster")] == ["cluster 1.34", "cluster 1.35"]
    assert versions == {"cluster": "1.35", "nodes": "1.35"}
    assert found.values["version"] == "1.35.2"


def test_a_database_that_cannot_start_is_a_permanent_error(make, proxy: FaultyProxy):
    world = make("database.shop")
    before, after = b">available</DBInstanceStatus>", b">incompatible-network</DBInstanceStatus>"
    proxy.add(rewrites("Action=DescribeDBInstances", before, after, times=FOREVER))
    with pytest.raises(ProviderError) as caught:
        world.make()
    assert caught.value.is_permanent
    assert "incompatible-network" in caught.value.message
    proxy.clear()
    world.make()


def test_a_read_that_fails_is_an_error_and_never_gone(make, provider: AwsProvider, proxy: FaultyProxy):
    world = make("vpc.main")
    world.make()
    proxy.add(answers("Action=DescribeVpcs", 503, ec2_error("RequestLimitExceeded")))
    with pytest.raises(ProviderBusyError):
        provider.read(world.main)
    proxy.add(drops("Action=DescribeVpcs"))
    with pytest.raises(ProviderSilentError):
        provider.read_all([world.main])


def test_the_account_test_tells_what_is_missing_and_never_raises(provider: AwsProvider, proxy: FaultyProxy):
    proxy.add(
        answers("Action=DescribeVpcs", 403, ec2_error("UnauthorizedOperation", "no")),
        answers("Action=DescribeDBInstances", 503, query_error("Throttling")),
    )
    checks = {check.name: check for check in provider.test()}
    assert checks["credentials"].verdict == "ok"
    assert "123456789012" in checks["credentials"].said
    assert checks["servers and networks"].verdict == "failed"
    assert checks["servers and networks"].hint
    assert checks["databases"].verdict == "warning"
    assert checks["buckets"].verdict == "ok"

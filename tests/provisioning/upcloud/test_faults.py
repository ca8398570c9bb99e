"""UpCloud slow, silent, throttling, refusing: what the engine is told, and that nothing is made twice."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.provisioning.upcloud import recordings
from tests.provisioning.upcloud.examples import GROUPS, balancer, config, server, volume
from tests.provisioning.upcloud.fake import PASSWORD, TOKEN, FakeUpCloud, Fault
from tests.provisioning.upcloud.fake_store import RefusedError
from tests.provisioning.worlds import Journal

from provisioning.errors import ProviderAccountError, ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.base import Account, NoCalls
from provisioning.providers.upcloud.cloud import Pace
from provisioning.providers.upcloud.provider import UpCloud

GROUND = config(security_groups=GROUPS)
WEB = config(security_groups=GROUPS, servers=[server()])


@pytest.fixture
def hasty(account: Account) -> Iterator[UpCloud]:
    """A provider that waits for an answer for a moment only."""
    made = UpCloud(account, pace=Pace(0.001, 20), timeout_seconds=0.3)
    yield made
    made.close()


@pytest.mark.parametrize("hang", [True, False], ids=["no answer in time", "the connection ends"])
@pytest.mark.parametrize(
    ("values", "address", "path", "kind"),
    [
        (config(), "vpc.main", "/router", "routers"),
        (config(), "subnet.front", "/network/", "networks"),
        (GROUND, "security_group.web", "/server-group", "groups"),
        (WEB, "server.web", "/server", "servers"),
        (volume(""), "volume.data", "/storage", "storages"),
        (balancer(""), "load_balancer.front", "/load-balancer", "balancers"),
    ],
)
def test_a_creation_without_an_answer_is_looked_up_and_made_once(
    fake: FakeUpCloud, hasty: UpCloud, build, values, address, path, kind, hang
):
    world = build(values)
    # Another one of the same kind: things stand on the first.
    wanted = world.wanted(address)
    other = {"cidr": "10.0.77.0/24"} if address == "subnet.front" else {}
    wanted = replace(
        wanted, address=f"{address}-2", tags={**wanted.tags, "prov:id": f"{address}-2"}, values={**wanted.values, **other}
    )
    before = fake.objects(world.lineage)[kind]
    fake.faults = [Fault("POST", path, hang=hang)]
    with pytest.raises(ProviderSilentError) as caught:
        hasty.create(wanted, Journal())
    assert not caught.value.is_permanent
    assert fake.objects(world.lineage)[kind] == before + 1
    found = hasty.create(wanted, Journal())
    assert found.address == wanted.address
    assert fake.objects(world.lineage)[kind] == before + 1


def test_a_deletion_without_an_answer_is_done_once_it_is_tried_again(fake: FakeUpCloud, hasty: UpCloud, build):
    world = build(WEB)
    fake.faults = [Fault("DELETE", "/server/.*")]
    with pytest.raises(ProviderSilentError):
        hasty.delete(world.made["server.web"], NoCalls())
    hasty.delete(world.made["server.web"], NoCalls())
    assert fake.objects(world.lineage)["servers"] == 0
    assert fake.objects(world.lineage)["storages"] == 0


def test_maintenance_that_lasts_is_reported_and_left_for_later(fake: FakeUpCloud, account: Account, build):
    wanted = build(WEB).wanted("server.web")
    fake.store.lag = 1_000_000
    wanted = replace(wanted, tags={**wanted.tags, "prov:id": "server.slow"})
    impatient, journal = UpCloud(account, pace=Pace(0.001, 0.05)), Journal()
    with pytest.raises(ProviderBusyError, match="still 'maintenance'"):
        impatient.create(wanted, journal)
    assert any("now 'maintenance'" in words for words in journal.reports)
    # The next attempt takes up the same server.
    (uuid,) = (one for one, (_, state) in fake.store.pending.items() if state == "started")
    fake.store.pending[uuid] = (0, "started")
    assert impatient.create(wanted, Journal()).id == uuid
    impatient.close()


def test_a_cancelled_wait_ends_and_the_server_stays_for_the_next_attempt(fake: FakeUpCloud, provider: UpCloud, build):
    class Cancelled(Journal):
        def is_cancelled(self) -> bool:
            return True

    wanted = build(WEB).wanted("server.web")
    fake.store.lag = 1_000_000
    wanted = replace(wanted, tags={**wanted.tags, "prov:id": "server.slow"})
    with pytest.raises(ProviderBusyError, match="cancelled while waiting"):
        provider.create(wanted, Cancelled())
    assert provider.find_by_tag({"prov:id": "server.slow"})


def test_a_server_that_goes_away_while_it_is_waited_for_is_an_error(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    one = world.made["server.web"]
    gone = RefusedError(404, "SERVER_NOT_FOUND", "The server does not exist.").body
    fake.faults = [Fault("POST", ".*/stop", 409, RefusedError(409, "SERVER_STATE_ILLEGAL", "Not now.").body)]
    with pytest.raises(ProviderBusyError, match="SERVER_STATE_ILLEGAL"):
        provider.delete(one, NoCalls())
    fake.faults = [
        Fault("GET", f"/server/{one.id}", 200, {"server": fake.store.servers[one.id]}),
        Fault("GET", f"/server/{one.id}", 404, gone),
    ]
    with pytest.raises(ProviderError, match="went away"):
        provider.delete(one, NoCalls())


def test_throttling_says_how_long_to_wait(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(config())
    fake.faults = [
        Fault(
            "GET",
            "/router/.*",
            429,
            {"error": {"error_code": "TOO_MANY_REQUESTS", "error_message": "Slow down."}},
            {"Retry-After": "17"},
        )
    ]
    with pytest.raises(ProviderBusyError, match="Slow down") as caught:
        provider.read(world.made["vpc.main"])
    assert caught.value.details["retry_after"] == 17
    assert provider.read(world.made["vpc.main"]) is not None


INVALID = recordings.answer("errorhandling", "POST", "/start")
PROBLEM = recordings.answer("loadbalancer", "GET", "/load-balancer/", -1)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, INVALID, ProviderError, "The server UUID is invalid (SERVER_INVALID; "),
        (400, {**PROBLEM, "invalid_params": [{"name": "plan", "reason": "unknown"}]}, ProviderError, "plan: unknown"),
        (401, None, ProviderAccountError, "HTTP status 401"),
        (402, {"error": {"error_code": "INSUFFICIENT_CREDITS", "error_message": "No credits."}}, ProviderAccountError, "No"),
        (403, {"error": {"error_code": "INSUFFICIENT_PERMISSIONS", "error_message": "No."}}, ProviderAccountError, "No"),
        (404, recordings.answer("createtag", "DELETE", "/tag/"), ProviderError, "TAG_NOT_FOUND"),
        (408, None, ProviderBusyError, "408"),
        (409, {"error": {"error_code": "SERVER_RESOURCES_UNAVAILABLE", "error_message": "Full."}}, ProviderBusyError, "Full"),
        (409, {"error": {"error_code": "STORAGE_STATE_ILLEGAL", "error_message": "Busy."}}, ProviderBusyError, "Busy"),
        (409, {"error": {"error_code": "TITLE_TAKEN", "error_message": "Taken."}}, ProviderError, "Taken"),
        (429, None, ProviderBusyError, "429"),
        (500, b"<html>oops</html>", ProviderBusyError, "500"),
        (502, None, ProviderBusyError, "502"),
        (503, {"error": "down"}, ProviderBusyError, "503"),
        (504, ["odd"], ProviderSilentError, "504"),
    ],
)  # fmt: skip
def test_every_refusal_tells_whether_trying_again_helps(fake: FakeUpCloud, provider: UpCloud, build, status, body, kind, said):
    wanted = build(config()).wanted("vpc.main")
    wanted = replace(wanted, tags={**wanted.tags, "prov:id": "vpc.other"})
    fake.faults = [Fault("POST", "/router", status, body)]
    with pytest.raises(ProviderError) as caught:
        provider.create(wanted, NoCalls())
    assert said in caught.value.message
    assert "POST /router" in caught.value.message
    assert caught.value.details["status"] == status
    assert caught.value.hint
    assert isinstance(caught.value, kind)
    assert caught.value.is_permanent is kind.is_permanent


def test_an_answer_that_is_no_json_leaves_open_what_was_done(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(config())
    fake.faults = [Fault("GET", "/router/.*", 200, b"<html>a proxy</html>")]
    with pytest.raises(ProviderSilentError, match="no JSON"):
        provider.read(world.made["vpc.main"])


@pytest.mark.parametrize("body", [{}, [], {"router": None}, {"router": {"uuid": "04"}}, "text", 7])
def test_an_answer_without_what_it_always_has_is_no_traceback(fake: FakeUpCloud, provider: UpCloud, build, body):
    world = build(config())
    fake.faults = [Fault("GET", "/router/.*", 200, body)]
    with pytest.raises(ProviderSilentError, match=r"not understood|nothing in it") as caught:
        provider.read(world.made["vpc.main"])
    assert caught.value.hint
    fake.faults = [Fault("GET", "/account", 200, body)]
    assert provider.test()[0].verdict == "failed"


@pytest.mark.parametrize("body", [None, b"<html>not found</html>", {"detail": "Not Found"}])
def test_a_404_that_is_not_upcloud_s_takes_nothing_for_gone(fake: FakeUpCloud, provider: UpCloud, build, body):
    world = build(config())
    fake.faults = [Fault("GET", "/router/.*", 404, body)]
    with pytest.raises(ProviderError, match="404") as caught:
        provider.read(world.made["vpc.main"])
    assert "endpoint" in caught.value.hint


def test_secrets_of_the_account_never_stand_in_an_error(fake: FakeUpCloud, provider: UpCloud, account: Account, build):
    wanted = build(config()).wanted("vpc.main")
    wanted = replace(wanted, tags={**wanted.tags, "prov:id": "vpc.other"})
    fake.faults = [Fault("POST", "/router", 400, {"error": {"error_code": "BAD", "error_message": f"wrong: {PASSWORD}"}})]
    with pytest.raises(ProviderError) as caught:
        provider.create(wanted, NoCalls())
    assert PASSWORD not in str(caught.value.as_dict())
    assert "***" in caught.value.message
    assert PASSWORD not in repr(account)


def test_a_token_is_taken_instead_of_a_password(account: Account):
    made = UpCloud(replace(account, secrets={"token": TOKEN}))
    assert made.test()[0].verdict == "ok"
    made.close()


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ({}, "no credentials"),
        ({"token": "ucat\r\nX: y"}, "characters that no token has"),
        ({"username": "tester"}, "no credentials"),
        ({"token": "ucat_wrong"}, "Authentication failed"),
    ],
)
def test_missing_or_wrong_credentials_are_said_to_be_so(account: Account, secrets, said):
    made = UpCloud(replace(account, secrets=secrets))
    with pytest.raises(ProviderAccountError, match=said):
        made.catalogue()
    (check,) = made.test()
    assert check.verdict == "failed"
    assert said in check.said
    assert "prov provider add" in check.hint
    made.close()


@pytest.mark.parametrize("endpoint", ["http://api.example.com", "ftp://127.0.0.1", "https://", "https://[bad", "api.upcloud.com"])
def test_credentials_never_travel_in_the_clear(endpoint):
    made = UpCloud(Account("work", "upcloud", "", endpoint, {}, {"token": TOKEN}))
    with pytest.raises(ProviderAccountError, match="no https address"):
        made.catalogue()


def test_nobody_there_can_be_tried_again(account: Account):
    with FakeUpCloud() as ended:
        endpoint = ended.endpoint
    made = UpCloud(replace(account, endpoint=endpoint))
    with pytest.raises(ProviderBusyError, match="cannot be reached"):
        made.catalogue()
    made.close()

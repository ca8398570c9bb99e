"""Questions in English and Spanish: what is found, how it was read, and what was not understood."""

from typing import Any

import pytest

from provisioning.query import answer
from provisioning.resource import Recorded


def row(address: str, region: str = "eu-west-1", status: str = "running", provider: str = "aws", **more: Any) -> Recorded:
    kind = address.partition(".")[0]
    values = {"plan": more.pop("plan", "t3.micro"), "tags": more.pop("tags", {})}
    return Recorded(
        address, kind, provider, region, "i-1", values, {}, "Server", ("servers", 0), status=status, checked_at=1.0, **more
    )


ROWS = [
    row("server.web-1", tags={"team": "web", "Env": "prod"}, outputs={"public_ip": "192.0.2.7"}),
    row("server.web-2", region="us-east-1", status="stopped", plan="m5.large"),
    row("server.box", region="local", provider="local", plan=""),
    row("database.orders", status="available", plan="db.t3.micro"),
    row("bucket.logs", status="available", plan="", observed={"versioning": False}),
    row("volume.data", status="gone", plan=""),
    row("vpc.shop", status="available", plan=""),
]


def found(question: str, provider: str | None = None) -> set[str]:
    return {one.address for one in answer(question, ROWS, provider).rows}


@pytest.mark.parametrize(
    ("question", "addresses"),
    [
        ("list all servers", {"server.web-1", "server.web-2", "server.box"}),
        ("how many servers are running?", {"server.web-1", "server.box"}),
        ("¿Cuántos servidores están parados?", {"server.web-2"}),
        ("stopped machines in us-east-1", {"server.web-2"}),
        ("servidores en Irlanda", {"server.web-1"}),
        ("what is in Dublin", {"server.web-1", "database.orders", "bucket.logs", "volume.data", "vpc.shop"}),
        ("instances on amazon", {"server.web-1", "server.web-2"}),
        ("servers not in eu-west-1", {"server.web-2", "server.box"}),
        ("servers that are not running", {"server.web-2"}),
        ("servidores que no están en aws", {"server.box"}),
        ("tagged team=web", {"server.web-1"}),
        ("team=web", {"server.web-1"}),
        ("servers without the tag team", {"server.web-2", "server.box"}),
        ("servidores con la etiqueta env=prod", {"server.web-1"}),
        ("databases or buckets", {"database.orders", "bucket.logs"}),
        ("bases de datos y cubos", {"database.orders", "bucket.logs"}),
        ("what has drifted?", {"bucket.logs", "volume.data"}),
        ("qué se ha cambiado a mano", {"bucket.logs", "volume.data"}),
        ("what is missing", {"volume.data"}),
        ("servers in sync", {"server.web-1", "server.web-2", "server.box"}),
        ("servers with a public ip", {"server.web-1"}),
        ("m5.large servers", {"server.web-2"}),
        ("server.web-1", {"server.web-1"}),
        ("show me web-2", {"server.web-2"}),
        ("the server called box", {"server.box"}),
        ("el servidor llamado nadie", set()),
        ("networks", {"vpc.shop"}),
        ("is there a load balancer?", set()),
        ("everything", {one.address for one in ROWS}),
    ],
)
def test_a_question_finds_what_it_asks_for(question: str, addresses: set[str]):
    assert found(question) == addresses


def test_a_count_is_answered_with_a_number():
    assert answer("how many servers are there", ROWS).answer == "3"


@pytest.mark.parametrize(
    ("question", "groups"),
    [
        ("servers per provider", {"aws": 2, "local": 1}),
        ("servidores por región", {"eu-west-1": 1, "us-east-1": 1, "local": 1}),
        ("cuántos recursos hay por estado", {"running": 2, "stopped": 1, "available": 3, "gone": 1}),
        ("resources by kind", {"server": 3, "database": 1, "bucket": 1, "volume": 1, "vpc": 1}),
    ],
)
def test_a_question_can_ask_for_groups(question: str, groups: dict[str, int]):
    given = answer(question, ROWS)
    assert dict(given.groups) == groups
    assert all(f"{count} {name}" in given.answer for name, count in groups.items())


def test_words_that_mean_nothing_here_are_told_and_not_guessed():
    given = answer("which expensive servers", ROWS)
    assert given.count == 3
    assert any("'expensive'" in note for note in given.notes)


def test_the_parameter_provider_wins_over_the_words():
    assert found("servers on aws", provider="local") == {"server.box"}


def test_one_resource_is_answered_with_what_most_want_to_know():
    assert "192.0.2.7" in answer("what is the address of web-1", ROWS).answer


def test_how_the_question_was_read_is_told():
    assert answer("stopped servers in us-east-1", ROWS).understood == "server, in us-east-1, that is stopped"


def test_of_an_empty_state_it_says_how_something_gets_in():
    assert any("nothing is recorded" in note for note in answer("servers", []).notes)


def test_an_old_one_that_waits_for_its_deletion_is_not_counted():
    assert answer("how many servers", [*ROWS, row("server.web-1@old")]).count == 3


@pytest.mark.parametrize("question", ["", "?", "=", "a" * 400, "'''", "server.", "tag", "called", "\x00\ud800", "🙂 servers 🙂"])
def test_no_question_is_a_traceback(question: str):
    answer(question, ROWS)

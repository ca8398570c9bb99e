"""The ledger: what was stated and nobody took is listed."""

from typing import Any

from hypothesis import given, settings

from export_cases import configurations
from prov_gen.export.model import NotCarried
from prov_gen.export.tracking import Ledger, path_of, record_of
from prov_gen.model.infrastructure import InfrastructureConfig, dump_stated


def ledger_of(**fields: Any) -> Ledger:
    return Ledger(InfrastructureConfig.model_validate(fields))


def paths(ledger: Ledger) -> list[tuple[str | int, ...]]:
    return [one.path for one in ledger.not_carried("nobody")]


def test_a_stated_field_that_nobody_reads_is_listed() -> None:
    ledger = ledger_of(buckets=[{"name": "a", "versioning": False}])
    assert ledger.root.buckets[0].name == "a"
    assert ledger.not_carried("no place") == (NotCarried(("buckets", 0, "versioning"), "no place"),)


def test_a_record_of_which_nothing_was_read_is_one_entry() -> None:
    assert paths(ledger_of(buckets=[{"name": "a"}], servers=[{"name": "b"}])) == [("servers",), ("buckets",)]


def test_a_field_with_its_default_is_not_listed_even_when_it_is_stated() -> None:
    ledger = ledger_of(buckets=[{"name": "a", "versioning": True}])
    assert ledger.root.buckets[0].name
    assert paths(ledger) == []


def test_the_size_that_a_server_gets_without_stating_one_is_not_listed() -> None:
    ledger = ledger_of(servers=[{"name": "a"}, {"name": "b", "spec": {"disk_gb": 80}}])
    for server in ledger.root.servers:
        assert server.name
        assert server.spec.disk_gb
    assert paths(ledger) == []


def test_a_size_that_a_server_states_is_listed() -> None:
    ledger = ledger_of(servers=[{"name": "a", "spec": {"cpu": 8}}])
    assert ledger.root.servers[0].name
    assert ledger.root.servers[0].spec
    assert paths(ledger) == [("servers", 0, "spec", "cpu")]


def test_what_is_left_on_purpose_is_listed_with_its_reason_although_it_was_read() -> None:
    ledger = ledger_of(buckets=[{"name": "a", "versioning": False}], tags={"x": "1", "y": "2"})
    bucket = ledger.root.buckets[0]
    assert bucket.name
    assert bucket.versioning is False
    assert ledger.root.tags
    ledger.leave((*path_of(bucket), "versioning"), "on purpose")
    ledger.leave(("tags", "y"), "odd")
    assert ledger.not_carried("nobody") == (
        NotCarried(("tags", "y"), "odd"),
        NotCarried(("buckets", 0, "versioning"), "on purpose"),
    )


def test_a_default_is_listed_only_when_it_is_told() -> None:
    ledger = ledger_of(buckets=[{"name": "a"}])
    assert ledger.root.buckets[0].name
    ledger.leave(("buckets", 0, "versioning"), "nobody stated it")
    assert paths(ledger) == []
    ledger.tell(("buckets", 0, "versioning"), "worth knowing")
    assert paths(ledger) == [("buckets", 0, "versioning")]


def test_reading_the_record_itself_does_not_count() -> None:
    ledger = ledger_of(name="shop")
    assert record_of(ledger.root).name == "shop"
    assert paths(ledger) == [("name",)]


@given(configurations())
@settings(max_examples=60)
def test_reading_everything_leaves_nothing_and_reading_nothing_leaves_every_stated_field(config: InfrastructureConfig) -> None:
    untouched = Ledger(config)
    # What a server gets without stating it is no statement, so `dump_stated` may hold more below a server, never above.
    assert {path[0] for path in paths(untouched)} == set(dump_stated(config)) - {"provider"} | (
        {"provider"} if config.provider != "aws" else set()
    )
    whole = Ledger(config)
    read(whole.root, InfrastructureConfig)
    assert paths(whole) == []


def read(view: Any, model: Any) -> None:
    for name in model.model_fields:
        value = getattr(view, name)
        for one in value if isinstance(value, list) else [value]:
            if hasattr(type(one), "__slots__") and "_record" in type(one).__slots__:
                read(one, type(record_of(one)))

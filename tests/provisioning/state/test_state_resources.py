"""Resources by serial, the same in SQLite and PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.errors import LeaseLostError
from provisioning.state.store import StateStore, Write, open_store
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError

from .states import WRITE, server, sized

Opens = Callable[..., StateStore]


def test_an_empty_state_has_a_lineage_and_the_serial_zero(store: StateStore, stores: Opens):
    head = store.head()
    assert (len(head.lineage), head.serial, head.hash) == (36, 0, "")
    assert store.resources() == store.resources(0) == []
    assert stores().head() == head


def test_what_was_put_is_read_again_as_it_was(store: StateStore, stores: Opens):
    one = server()
    head = store.put(one, WRITE)
    assert head.serial == 1
    assert store.resource("server.web") == one
    assert stores().resources() == [one]


def test_each_change_makes_one_serial_that_follows_from_the_one_before(store: StateStore):
    store.put(server("web"), WRITE)
    store.put_all([server("api"), sized("web", 1)], [], WRITE)
    store.remove("server.web", WRITE)
    third, second, first = store.serials()
    assert first.parent == ""
    assert (second.parent, third.parent) == (first.hash, second.hash)
    assert store.head().hash == third.hash
    assert second.changes == {"server.api": "create", "server.web": "update"}
    assert third.changes == {"server.web": "delete"}
    assert (third.operation, third.by, third.reason) == ("op", "ana", "a test")
    assert store.serials(limit=1) == [third]
    assert store.verify_history() == []


def test_every_serial_can_be_read_again(store: StateStore):
    store.put(sized("web", 1), WRITE)
    store.put(sized("web", 2), WRITE)
    store.put(server("api"), WRITE)
    store.remove("server.web", WRITE)
    store.put(sized("web", 3), WRITE)
    assert [[one.address for one in store.resources(number)] for number in range(6)] == [
        [], ["server.web"], ["server.web"], ["server.api", "server.web"], ["server.api"], ["server.api", "server.web"],
    ]  # fmt: skip
    sizes = [store.resource("server.web", number).values["spec"]["disk_gb"] for number in (1, 2, 3, 5)]
    assert sizes == [1, 2, 2, 3]
    with pytest.raises(NotFoundError, match="no serial 6"):
        store.resources(6)
    with pytest.raises(NotFoundError):
        store.resource("server.web", 4)


def test_what_changes_nothing_makes_no_serial(store: StateStore):
    head = store.put(server(), WRITE)
    assert store.put(server(), WRITE) == head
    assert store.put_all([], ["server.gone"], WRITE) == head
    assert store.put_all([], [], WRITE) == head


def test_another_status_is_kept_without_a_serial(store: StateStore):
    head = store.put(server(), WRITE)
    assert store.put(server(status="stopped", observed={}), WRITE) == head
    assert store.resource("server.web") == server(status="stopped", observed={})


def test_a_check_is_kept_without_a_serial_and_only_for_what_is_there(store: StateStore):
    head = store.put_all([server("web"), server("api")], [], WRITE)
    store.note_check({"server.web": ("gone", {"spec.cpu": 4}, 99.0), "server.none": ("gone", {}, 99.0)}, WRITE)
    assert store.head() == head
    assert store.resource("server.web") == server("web", status="gone", observed={"spec.cpu": 4}, checked_at=99.0)
    assert store.resource("server.api") == server("api")


def test_an_unknown_address_is_told_with_the_nearest_ones(store: StateStore):
    store.put_all([server("web"), server("api")], [], WRITE)
    with pytest.raises(NotFoundError) as caught:
        store.resource("server.wbe")
    assert "server.web" in caught.value.hint
    with pytest.raises(NotFoundError):
        store.remove("server.wbe", WRITE)
    with pytest.raises(NotFoundError):
        store.move("server.wbe", "server.api", WRITE)
    assert store.head().serial == 1


def test_a_moved_resource_is_named_by_its_new_address_everywhere(store: StateStore):
    store.put_all([server("web"), server("api", names=(("target", "server.web"),))], [], WRITE)
    head = store.move("server.web", "server.front", WRITE)
    assert head.serial == 2
    assert [one.address for one in store.resources()] == ["server.api", "server.front"]
    assert store.resource("server.front") == replace(server("web"), address="server.front")
    assert store.resource("server.api").names == (("target", "server.front"),)
    with pytest.raises(ConflictError, match="taken"):
        store.move("server.api", "server.front", WRITE)
    with pytest.raises(InvalidInputError):
        store.move("server.api", "server.api", WRITE)


@pytest.mark.parametrize(
    "bad",
    [server(values={"a": {1, 2}}), server(values={"a": float("nan")}), server(address=""), server(observed={"a": object()})],
)
def test_what_json_cannot_say_is_refused_without_its_value(store: StateStore, bad: Any):
    with pytest.raises(InvalidInputError) as caught:
        store.put(bad, WRITE)
    assert "nan" not in caught.value.message
    assert store.head().serial == 0


def test_one_change_cannot_tell_of_an_address_twice(store: StateStore):
    for changed, removed in (([sized("web", 1), sized("web", 2)], []), ([sized("web", 1)], ["server.web"])):
        with pytest.raises(InvalidInputError, match="twice"):
            store.put_all(changed, removed, WRITE)


def test_a_change_of_thousands_is_one_serial(store: StateStore):
    many = [server(f"n{number:05}") for number in range(2500)]
    store.put_all(many, [], WRITE)
    head = store.put_all([sized("n00007", 5)], [one.address for one in many[1000:]], WRITE)
    assert head.serial == 2
    assert len(store.resources()) == 1000
    assert store.resources(1) == many
    assert store.verify_history() == []


def test_a_write_under_a_lost_lease_changes_nothing(store: StateStore):
    old = store.acquire("elsewhere/1/x", "op-1")
    store.release(old)
    store.put(server(), WRITE)
    write = Write(old)
    attempts: list[Callable[[], object]] = [
        lambda: store.put(server("api"), write),
        lambda: store.put_all([], ["server.web"], write),
        lambda: store.remove("server.web", write),
        lambda: store.move("server.web", "server.api", write),
        lambda: store.note_check({"server.web": ("gone", {}, 1.0)}, write),
        lambda: store.restore([], write),
    ]
    for attempt in attempts:
        with pytest.raises(LeaseLostError):
            attempt()
    assert store.resources() == [server()]


def test_several_states_share_a_postgresql_database(database: str):
    first, second = open_store(database, name="first"), open_store(database, name="second")
    first.put(server(), WRITE)
    second.put_all([server("api"), server("web")], [], WRITE)
    second.put(sized("api", 3), WRITE)
    lease = first.acquire("elsewhere/1/x", "op-1")
    assert second.acquire("elsewhere/2/x", "op-2").token == lease.token == 1
    assert first.resources() == [server()]
    assert (first.head().serial, second.head().serial) == (1, 2)
    assert first.head().lineage != second.head().lineage
    assert first.verify_history() == second.verify_history() == []
    first.close()
    second.close()


NAMES = st.sampled_from(["a", "b", "c"])
CHANGES = st.lists(
    st.tuples(st.dictionaries(NAMES, st.integers(1, 3), max_size=3), st.sets(NAMES)).map(
        lambda change: (change[0], change[1] - set(change[0]))
    ),
    max_size=12,
)


@given(CHANGES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_resources_of_any_serial_are_those_of_a_replay(store: StateStore, changes: list[tuple[dict[str, int], set[str]]]):
    base = store.head().serial
    live = {one.address: one for one in store.resources()}
    states = {base: live}
    for put, removed in changes:
        after = {address: one for address, one in live.items() if address not in {f"server.{name}" for name in removed}}
        after |= {f"server.{name}": sized(name, size) for name, size in put.items()}
        head = store.put_all([sized(*one) for one in put.items()], [f"server.{name}" for name in removed], WRITE)
        assert (head.serial > max(states)) is (after != live)
        live = after
        states[head.serial] = live
    assert {number: {one.address: one for one in store.resources(number)} for number in states} == states
    assert store.verify_history() == []

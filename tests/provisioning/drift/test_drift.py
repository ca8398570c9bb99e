"""What a look at the clouds tells: in sync, changed, missing, unmanaged; and nothing is changed by it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.provisioning.workflow.paper import PaperCloud, PaperProvider

from provisioning.drift import CHUNK, DriftReport, differences, look
from provisioning.errors import ProviderBusyError
from provisioning.resource import Found, Recorded
from provisioning.secrets import SEALED
from provisioning.state.store import StateStore, Write, open_store
from stratumops.errors import NotFoundError


class Place:
    """A state and a paper cloud of what it records."""

    def __init__(self, store: StateStore, cloud: PaperCloud) -> None:
        self.store = store
        self.cloud = cloud
        self.tags = {"prov:lineage": store.head().lineage}

    def add(self, address: str, provider: str = "paper", **values: object) -> str:
        kind, _, name = address.partition(".")
        id_ = self.cloud.add(kind, name, {**self.tags, "prov:id": address})
        self.cloud.change(id_, name=name, **values)
        one = Recorded(address, kind, provider, "paper-1", id_, {"name": name, **values}, {}, "Server", ())
        self.store.put(one, Write(None))
        return id_

    def provider(self, name: str) -> PaperProvider:
        if name != "paper":
            raise NotFoundError(f"there is no provider {name}", hint="add it")
        return PaperProvider(self.cloud)

    def look(self, **how: object) -> DriftReport:
        return look(self.store, self.provider, **how)  # type: ignore[arg-type] # options by name


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    store = open_store(tmp_path / "state")
    yield Place(store, PaperCloud(tmp_path / "cloud.db"))
    store.close()


def test_what_is_as_recorded_is_in_sync(place: Place):
    place.add("server.web", size=2, tags={"Team": "shop"})
    report = place.look()

    assert report.is_in_sync
    assert [(one.address, one.verdict, one.status) for one in report.resources] == [("server.web", "in_sync", "running")]
    one = place.store.resource("server.web")
    assert (one.status, one.observed, one.checked_at) == ("running", {}, report.checked_at)


def test_a_changed_leaf_is_told_with_both_values_and_kept(place: Place):
    id_ = place.add("server.web", size=2)
    place.cloud.change(id_, size=8)
    serial = place.store.head().serial
    report = place.look()

    [one] = report.resources
    assert not report.is_in_sync
    assert one.verdict == "changed"
    assert [(leaf.path, leaf.recorded, leaf.seen) for leaf in one.differences] == [("size", 2, 8)]
    assert place.store.resource("server.web").observed == {"size": 8}
    assert place.store.resource("server.web").values["size"] == 2
    assert place.store.head().serial == serial


def test_what_was_mended_is_in_sync_again(place: Place):
    id_ = place.add("server.web", size=2)
    place.cloud.change(id_, size=8)
    place.look()
    place.cloud.change(id_, size=2)

    assert place.look().is_in_sync
    assert place.store.resource("server.web").observed == {}


def test_what_is_gone_is_missing(place: Place):
    place.cloud.remove(place.add("server.web"))
    report = place.look()

    assert [(one.verdict, one.status) for one in report.resources] == [("missing", "gone")]
    assert place.store.resource("server.web").status == "gone"
    assert report.count("missing") == 1


def test_what_carries_our_tag_and_is_not_recorded_is_unmanaged(place: Place):
    place.add("server.web")
    id_ = place.cloud.add("server", "orphan", {**place.tags, "prov:id": "server.orphan"})
    place.cloud.add("server", "foreign", {"Name": "foreign"})
    report = place.look()

    assert [(one.id, one.address, one.is_ours) for one in report.unmanaged] == [(id_, "server.orphan", True)]
    assert not report.is_in_sync


def test_everything_of_an_account_is_told_when_asked_for(place: Place):
    place.add("server.web")
    id_ = place.cloud.add("server", "foreign", {"Name": "foreign"})
    report = place.look(everything=True)

    assert [(one.id, one.name, one.is_ours) for one in report.unmanaged] == [(id_, "foreign", False)]
    assert report.is_in_sync


def test_an_account_of_which_nothing_is_recorded_is_asked_when_named(place: Place):
    place.cloud.add("server", "foreign", {})

    assert place.look(everything=True).unmanaged == ()
    assert len(place.look(everything=True, providers=frozenset({"paper"})).unmanaged) == 1


def test_only_some_addresses_are_looked_at_when_asked_for(place: Place):
    for name in ("a", "b"):
        place.cloud.change(place.add(f"server.{name}", size=1), size=2)
    report = place.look(only=frozenset({"server.a"}))

    assert [one.address for one in report.resources] == ["server.a"]
    assert place.store.resource("server.b").checked_at == 0.0
    assert place.cloud.requests("FindByTag") == []


def test_a_provider_that_fails_does_not_lose_what_the_others_saw(place: Place):
    place.add("server.web")
    place.add("server.lost", provider="stone")
    report = place.look()

    assert report.errors == {"stone": "not_found: there is no provider stone (add it)"}
    assert [one.address for one in report.resources] == ["server.web"]
    assert not report.is_in_sync
    assert place.store.resource("server.lost").checked_at == 0.0


def test_a_provider_that_throttles_is_told_and_nothing_is_called_missing(place: Place):
    place.add("server.web")
    place.cloud.fail("throttle", "ReadAll", times=9)
    report = place.look()

    assert report.resources == ()
    assert report.errors["paper"].startswith(f"{ProviderBusyError.code}: ")
    assert place.store.resource("server.web").status == "unknown"


def test_many_resources_are_asked_for_in_chunks(place: Place):
    ones = []
    for number in range(CHUNK + 1):
        id_ = place.cloud.add("server", f"w{number}", place.tags)
        ones.append(Recorded(f"server.w{number}", "server", "paper", "", id_, {}, {}, "Server", ()))
    place.store.put_all(ones, [], Write(None))
    report = place.look()

    assert len(report.resources) == CHUNK + 1
    assert report.is_in_sync
    assert len(place.cloud.requests("ReadAll")) == 2


def recorded(**values: object) -> Recorded:
    return Recorded("server.web", "server", "paper", "", "i-1", values, {}, "Server", ())


def found(tags: dict[str, str] | None = None, **values: object) -> Found:
    return Found("server", "i-1", "running", values=values, tags=tags or {})


def test_what_a_provider_cannot_tell_is_not_compared():
    assert differences(recorded(size=2, image="debian"), found(size=2)) == ()


def test_nothing_in_another_spelling_is_no_difference():
    assert differences(recorded(note=None), found(note="", rules=[], extra=None)) == ()


def test_the_order_of_a_list_is_no_difference():
    assert differences(recorded(zones=["b", "a"]), found(zones=["a", "b"])) == ()
    assert len(differences(recorded(zones=["a"]), found(zones=["a", "b"]))) == 1


def test_a_secret_is_neither_compared_nor_shown():
    sealed = recorded(password={SEALED: "vault:v1:x"}, key="vault:secret/app#key")
    assert differences(sealed, found(password="hunter2", key="hunter2")) == ()
    [one] = differences(recorded(size=1), found(size=1, password="hunter2"))
    assert "hunter2" not in repr(one)


def test_a_tag_that_was_taken_away_differs():
    one = recorded(tags={"Team": "shop", "Cost": "7"})
    [gone] = differences(one, found({"prov:id": "server.web", "Team": "shop"}))

    assert (gone.path, gone.recorded, gone.seen) == ("tags.Cost", "7", None)
    assert differences(replace(one, values={}), found({"Team": "shop"})) == ()

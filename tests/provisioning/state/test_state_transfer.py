"""A state as a document and back, and going back to an earlier serial."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from provisioning.secrets import SEALED
from provisioning.state.records import canonical, sha256
from provisioning.state.store import StateStore, open_store
from provisioning.state.transfer import export, import_resource, read, restore, text
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError

from .states import WRITE, server, sized

TOKEN = "ghp_" + "a1B2" * 9
SEALED_LEAF = {SEALED: "vault:v1:c2VhbGVk"}


@pytest.fixture
def other(folder) -> StateStore:
    """A state that never had a serial."""
    return open_store(folder.with_name("other"))


def signed(document: dict) -> dict:
    unsigned = {name: value for name, value in document.items() if name != "sha256"}
    return {**unsigned, "sha256": sha256(canonical(unsigned))}


def test_a_document_makes_the_same_state_elsewhere(store: StateStore, other: StateStore):
    store.put(server("gone"), WRITE)
    store.put_all([server("web"), server("api")], ["server.gone"], WRITE)
    document = json.loads(text(export(store)))
    head = restore(other, document, WRITE)
    assert other.resources() == store.resources()
    assert (head.lineage, head.serial) == (store.head().lineage, 3)  # a number that this lineage never had
    assert other.verify_history() == []
    with pytest.raises(NotFoundError):
        other.resources(2)
    assert export(other)["resources"] == document["resources"]
    other.close()


def test_an_adopted_lineage_stays_through_a_crash_of_the_database(store: StateStore, folder):
    store.put(server(), WRITE)
    place = folder.with_name("adopted")
    adopted = open_store(place)
    restore(adopted, export(store), WRITE)
    head = adopted.put(server("api"), WRITE)
    adopted.close()
    (place / "state.db").unlink()
    again = open_store(place)
    assert again.head() == head
    assert again.verify_history() == []
    again.close()


def test_a_document_has_no_secret_in_clear_and_what_is_sealed_stays_sealed(store: StateStore):
    values = {"env": {"TOKEN": SEALED_LEAF, "KEY": "vault:secret/app#key"}, "note": f"use {TOKEN}"}
    store.put(server(values=values, outputs={"password": "hunter2-x9", "hosts": [TOKEN, "10.0.0.1"]}), WRITE)
    document = export(store)
    said = text(document)
    assert TOKEN not in said
    assert "hunter2-x9" not in said
    (one,) = document["resources"]
    assert one["values"]["env"] == {"TOKEN": SEALED_LEAF, "KEY": "vault:secret/app#key"}
    assert one["outputs"] == {"password": "(hidden)", "hosts": ["(hidden)", "10.0.0.1"]}
    assert document["hidden"] == ["server.web: values.note", "server.web: outputs.hosts", "server.web: outputs.password"]


def test_an_earlier_serial_is_restored_as_a_new_one(store: StateStore):
    store.put_all([sized("a", 1), sized("b", 1)], [], WRITE)
    store.put_all([sized("a", 2), sized("c", 1)], ["server.b"], WRITE)
    head = restore(store, 1, replace(WRITE, reason="back"))
    assert head.serial == 3
    assert store.resources() == store.resources(1)
    newest = store.serials(1)[0]
    assert newest.changes == {"server.a": "update", "server.b": "create", "server.c": "delete"}
    assert newest.reason == "back"
    assert restore(store, 3, WRITE) == head
    assert restore(store, 0, WRITE).serial == 4
    assert store.resources() == []
    with pytest.raises(NotFoundError):
        restore(store, 9, WRITE)


def test_an_export_of_an_earlier_serial_says_which(store: StateStore):
    store.put(sized("a", 1), WRITE)
    store.put(sized("a", 2), WRITE)
    first = export(store, 1)
    assert (first["serial"], first["hash"]) == (1, store.serials()[1].hash)
    assert read(first) == store.resources(1)
    assert export(store, 0)["resources"] == []
    with pytest.raises(NotFoundError):
        export(store, 7)


def test_older_documents_and_other_states_are_refused_unless_forced(store: StateStore, other: StateStore):
    store.put(sized("a", 1), WRITE)
    old = export(store)
    store.put(sized("a", 2), WRITE)
    other.put(server(), WRITE)
    for document, said in ((old, "older"), (export(other), "another state"), ({**old, "serial": 2}, "another history")):
        with pytest.raises(ConflictError, match=said):
            restore(store, signed(document), WRITE)
    assert store.head().serial == 2
    assert restore(store, old, WRITE, force=True).serial == 3
    assert store.resources() == store.resources(1)
    lineage = store.head().lineage
    assert restore(store, export(other), WRITE, force=True).serial == 4
    assert store.resources() == [server()]
    assert store.head().lineage == lineage
    assert store.verify_history() == []
    other.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _document: {},
        lambda document: {**document, "format": "other"},
        lambda document: {**document, "version": 2},
        lambda document: {**document, "serial": 5},
        lambda document: {**document, "extra": float("nan")},
        lambda document: signed({**document, "resources": [{}]}),
        lambda document: signed({**document, "resources": None}),
        lambda document: {name: value for name, value in document.items() if name != "sha256"},
    ],
)
def test_what_is_no_document_of_ours_is_refused(store: StateStore, spoil: Callable[[dict], dict]):
    store.put(server(), WRITE)
    with pytest.raises(InvalidInputError):
        restore(store, spoil(export(store)), WRITE)
    assert store.head().serial == 1


def test_what_exists_is_imported_once(store: StateStore):
    assert import_resource(store, server("web"), WRITE).serial == 1
    with pytest.raises(ConflictError, match="recorded already"):
        import_resource(store, server("web", id="i-2"), WRITE)
    with pytest.raises(ConflictError, match=r"as server\.web"):
        import_resource(store, server("api", id="i-web"), WRITE)
    assert import_resource(store, server("api"), WRITE).serial == 2

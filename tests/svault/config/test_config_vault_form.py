"""Vault's own configuration in its JSON form."""

import json
from pathlib import Path
from typing import Any

import pytest

from svault.config.errors import ConfigError
from svault.config.loading import Loaded, load

PLAIN = {"tcp": {"address": "127.0.0.1:8200", "tls_disable": True}}


def loaded(tmp_path: Path, tree: dict[str, Any]) -> Loaded:
    path = tmp_path / "vault.json"
    path.write_text(json.dumps(tree, indent=2), "utf-8")
    return load(path)


@pytest.mark.parametrize("key", ["backend", "storage"])
@pytest.mark.parametrize(
    "wrap", [lambda block: block, lambda block: [block], lambda block: {name: [one] for name, one in block.items()}]
)
def test_blocks_may_be_objects_or_lists_of_one(tmp_path: Path, key: str, wrap: Any) -> None:
    tree = {
        key: wrap({"file": {"path": "/data"}}),
        "listener": wrap({"tcp": {"address": "127.0.0.1:8299", "tls_disable": "true"}}),
    }
    found = loaded(tmp_path, tree)
    assert found.is_vault_form
    assert found.settings.storage.filesystem is not None
    assert found.settings.storage.filesystem.path == "/data"
    assert found.settings.server.address.port == 8299
    assert found.findings == []


def test_tls_files_and_times_are_taken_over(tmp_path: Path) -> None:
    tcp = {
        "address": "0.0.0.0:8200",
        "tls_cert_file": "/c.pem",
        "tls_key_file": "/k.pem",
        "tls_client_ca_file": "/ca.pem",
        "tls_require_and_verify_client_cert": "true",
    }
    tree = {
        "storage": {"inmem": {}},
        "listener": {"tcp": tcp},
        "default_lease_ttl": "768h",
        "max_lease_ttl": "800h",
        "api_addr": "https://a:1",
    }
    settings = loaded(tmp_path, tree).settings
    assert (settings.server.tls_cert, settings.server.tls_key, settings.server.client_ca) == ("/c.pem", "/k.pem", "/ca.pem")
    assert settings.server.require_client_cert
    assert (settings.auth.default_lease_ttl, settings.auth.max_lease_ttl) == (768 * 3600, 800 * 3600)
    assert settings.server.api_addr == "https://a:1"


def test_a_vault_of_this_form_mounts_nothing_extra(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"storage": {"inmem": {}}, "listener": PLAIN}).settings.engines == {}


def test_keys_without_meaning_and_unknown_ones_are_told_apart_with_their_lines(tmp_path: Path) -> None:
    tree = {"storage": {"inmem": {}}, "listener": PLAIN, "ui": True, "disable_mlock": True, "disable_mlok": True}
    findings = {one.key: one for one in loaded(tmp_path, tree).findings}
    assert {key: one.code for key, one in findings.items()} == {
        "ui": "key-without-meaning",
        "disable_mlock": "key-without-meaning",
        "disable_mlok": "key-unknown",
    }
    assert findings["disable_mlok"].hint == "did you mean disable_mlock?"
    lines = json.dumps(tree, indent=2).splitlines()
    for key, one in findings.items():
        assert one.line is not None
        assert f'"{key}"' in lines[one.line - 1]


def test_an_unknown_key_of_the_listener_is_a_finding(tmp_path: Path) -> None:
    tree = {"storage": {"inmem": {}}, "listener": {"tcp": {"address": "127.0.0.1:1", "tls_disable": 1, "tls_kex": "x"}}}
    assert [one.code for one in loaded(tmp_path, {**tree, "listener": {"tcp": {"adress": "x"}}}).findings] == ["key-unknown"]
    assert loaded(tmp_path, tree).findings == []


def test_raft_is_kept_as_files_and_said_so(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"storage": {"raft": {"path": "/data", "node_id": "a"}}, "listener": PLAIN})
    assert found.settings.storage.backend == "filesystem"
    assert [one.code for one in found.findings] == ["storage-kept-as-files", "key-without-meaning"]


def test_a_static_seal_is_taken_over(tmp_path: Path) -> None:
    tree = {
        "storage": {"inmem": {}},
        "listener": PLAIN,
        "seal": {"static": {"current_key_id": "1", "current_key": "file:///key"}},
    }
    static = loaded(tmp_path, tree).settings.seal.static
    assert static is not None
    assert static.key_file == "/key"


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"listener": PLAIN}, "a storage backend is missing"),
        ({"storage": {"consul": {}}, "listener": PLAIN}, "the storage 'consul' is not offered"),
        ({"storage": {"inmem": {}}, "listener": {"unix": {"address": "/x"}}}, "of the kind 'unix' is not offered"),
        ({"storage": {"inmem": {}}, "listener": [PLAIN, PLAIN]}, "listener: one block with one name is expected"),
        ({"storage": {"inmem": {}}, "listener": PLAIN, "seal": {"awskms": {"region": "x"}}}, "this seal is not offered"),
        ({"storage": {"file": {}}, "listener": PLAIN}, "vault.json:3: storage.file.path is missing"),
    ],
)
def test_what_is_not_offered_is_refused_with_its_line(tmp_path: Path, tree: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, tree)
    assert said in caught.value.message

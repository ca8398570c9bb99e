"""Reading `svault.toml`."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from svault.config.assembly import core_settings, static_key, storage_of
from svault.config.errors import ConfigError
from svault.config.loading import Loaded, load
from svault.config.model import Settings, StaticSection
from svault.errors import StorageError
from svault.storage.filesystem import FilesystemStorage

MEMORY = '[storage]\nbackend = "memory"\n'


def loaded(tmp_path: Path, text: str, name: str = "svault.toml") -> Loaded:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return load(path)


def wrong(tmp_path: Path, text: str, name: str = "svault.toml") -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, name)
    return caught.value.message


def test_the_specifications_file_is_read_as_it_stands(specification: Path) -> None:
    settings = load(specification).settings
    assert settings.vault.crypto_backend == "oqs"
    assert str(settings.server.address) == "0.0.0.0:8200"
    assert settings.storage.etcd is not None
    assert len(settings.storage.etcd.endpoints) == 3
    assert settings.seal.shamir is not None
    assert (settings.seal.shamir.shares, settings.seal.shamir.threshold) == (5, 3)
    assert (settings.auth.default_lease_ttl, settings.auth.max_lease_ttl) == (86_400, 720 * 3600)
    assert settings.audit.retention_days == 2555
    assert settings.metrics.address is not None
    assert settings.metrics.address.port == 9090


def test_the_specifications_engines_become_mounts(specification: Path) -> None:
    told = core_settings(load(specification).settings)
    assert [(mount.path, mount.kind) for mount in told.mounts] == [
        ("secret/", "kv"),
        ("transit/", "transit"),
        ("pki/", "pki"),
        ("database/", "database"),
    ]
    assert told.mounts[0].options == {"version": "2"}
    assert told.mounts[2].max_lease_ttl == 87_600 * 3600
    assert told.audit_devices is not None
    assert told.audit_devices[0].options["retention_days"] == "2555"


def test_a_password_is_never_shown_with_the_settings(specification: Path) -> None:
    assert "secret'" not in repr(load(specification).settings.storage.etcd)


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_one(tmp_path: Path) -> None:
    said = wrong(tmp_path, MEMORY + '[server]\nadress = "127.0.0.1:1"\n')
    assert ":4: server.adress is not known here; did you mean server.address" in said


def test_a_wrong_value_is_named_by_its_key_and_not_repeated(tmp_path: Path) -> None:
    said = wrong(tmp_path, MEMORY + '[auth]\ntoken_ttl = "canary-value"\n')
    assert ":4: auth.token_ttl: a duration is written like" in said
    assert "canary-value" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "this is no TOML"),
        ('listener "tcp" {\n  address = "a"\n}\n', "looks like HCL"),
        ('{"storage": ', "this is no JSON"),
        ('[storage]\nbackend = "etcd"\n', "needs the table [storage.etcd]"),
        (MEMORY + '[server]\ntls_cert = "a"\n', "tls_cert and tls_key belong together"),
        (MEMORY + "[server]\nrequire_client_cert = true\n", "require_client_cert needs client_ca"),
        (MEMORY + "[seal.shamir]\nshares = 3\nthreshold = 4\n", "threshold cannot be larger than shares"),
        (MEMORY + "[seal.shamir]\nshares = 3\nthreshold = 1\n", "threshold must be greater than one"),
        (MEMORY + '[seal.static]\nkey_env = "A"\nkey_file = "b"\n', "either key_file or key_env"),
        (MEMORY + "[audit]\nenabled = true\n", "the file audit device needs path"),
        (MEMORY + '[auth]\ntoken_ttl = "48h"\ntoken_max_ttl = "24h"\n', "token_ttl cannot be longer"),
        (MEMORY + '[server]\naddress = "localhost"\n', "HOST:PORT"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    assert said in wrong(tmp_path, text, "config")


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "this is a folder"), (tmp_path / "none.toml", "cannot be read: No such file")):
        with pytest.raises(ConfigError, match=said):
            load(path)


def test_values_may_stand_in_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETCD_USER", "anna")
    (tmp_path / "password").write_text("canary\n", "utf-8")
    text = (
        '[storage]\nbackend = "etcd"\n[storage.etcd]\nendpoints = ["https://a:2379"]\n'
        'username = "env:ETCD_USER"\npassword = "file:password"\n'
    )
    etcd = loaded(tmp_path, text).settings.storage.etcd
    assert etcd is not None
    assert (etcd.username, etcd.password.get_secret_value()) == ("anna", "canary")


def test_a_reference_that_leads_nowhere_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    said = wrong(tmp_path, '[storage]\nbackend = "postgresql"\n[storage.postgresql]\nurl = "env:NOWHERE"\n')
    assert ":4: storage.postgresql.url: the environment variable NOWHERE is not set" in said


def test_an_address_of_files_is_no_reference(tmp_path: Path) -> None:
    text = f'[storage]\nbackend = "surrealdb"\n[storage.surrealdb]\nurl = "file://{tmp_path}/db"\n'
    surreal = loaded(tmp_path, text).settings.storage.surrealdb
    assert surreal is not None
    assert surreal.url == f"file://{tmp_path}/db"


@pytest.mark.parametrize(
    ("given", "times"),
    [("", (24, 720)), ('token_ttl = "800h"', (800, 800)), ('token_max_ttl = "2h"', (2, 2))],
)
def test_a_time_that_is_not_said_never_contradicts_one_that_is(tmp_path: Path, given: str, times: tuple[int, int]) -> None:
    auth = loaded(tmp_path, f"{MEMORY}[auth]\n{given}\n").settings.auth
    assert (auth.default_lease_ttl // 3600, auth.max_lease_ttl // 3600) == times


def test_an_engine_that_there_is_not_is_named(tmp_path: Path) -> None:
    settings = loaded(tmp_path, f'{MEMORY}[engines]\nssh = {{ path = "ssh" }}\n').settings
    with pytest.raises(ConfigError, match=r"engines\.ssh: there is no engine 'ssh'"):
        core_settings(settings)


@pytest.mark.parametrize("encode", [bytes.hex, lambda key: base64.b64encode(key).decode()])
def test_a_static_key_is_hex_or_base64(tmp_path: Path, encode: Callable[[bytes], str]) -> None:
    key = bytes(range(32))
    path = tmp_path / "key"
    path.write_text(f"{encode(key)}\n", "utf-8")
    assert static_key(StaticSection(key_file=str(path))) == key


def test_a_static_key_of_another_length_is_refused_without_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("abcdef0123456789", "utf-8")
    with pytest.raises(ConfigError) as caught:
        static_key(StaticSection(key_file=str(path)))
    assert "abcdef" not in str(caught.value)


def test_the_chosen_storage_is_made_from_its_table(tmp_path: Path) -> None:
    text = f'[storage]\nbackend = "filesystem"\n[storage.filesystem]\npath = "{tmp_path}/data"\n'
    assert isinstance(storage_of(loaded(tmp_path, text).settings), FilesystemStorage)


def test_every_option_of_a_storage_table_is_one_that_the_storage_takes() -> None:
    tables: dict[str, dict[str, object]] = {
        "filesystem": {"path": "a"},
        "etcd": {"endpoints": ["http://127.0.0.1:1"]},
        "postgresql": {"url": "postgresql://127.0.0.1:1/a"},
        "surrealdb": {"url": "mem://"},
    }
    for name, table in tables.items():
        settings = Settings.model_validate({"storage": {"backend": name, name: table}})
        try:
            storage_of(settings)
        except StorageError as error:
            pytest.skip(error.message)

"""Settings come from the defaults, the file, the environment and flags, in this order; errors name keys, never values."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stratumops import settings
from stratumops.errors import InvalidInputError, NotFoundError

CANARY = "canary-91c4-do-not-tell"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.startswith(settings.ENV_PREFIX)]:
        monkeypatch.delenv(name)


def write(folder: Path, text: str) -> Path:
    (folder / settings.FILE_NAME).write_text(text, encoding="utf-8")
    return folder


def test_without_any_source_every_setting_has_its_default(tmp_path: Path):
    loaded = settings.load(tmp_path)
    assert [one.key for one in settings.accessors() if one.read(loaded) != one.default] == []
    assert loaded.model_dump() == settings.load(None).model_dump()


def test_the_file_wins_over_the_default_the_environment_over_the_file_and_a_flag_over_all(tmp_path: Path, monkeypatch):
    assert settings.load(tmp_path).server.port == 8002
    write(tmp_path, "[server]\nport = 1\nhost = '127.0.0.9'\n")
    assert settings.load(tmp_path).server.port == 1
    monkeypatch.setenv("PROV_SERVER__PORT", "2")
    assert settings.load(tmp_path).server.port == 2
    loaded = settings.load(tmp_path, server={"port": 3})
    assert (loaded.server.port, loaded.server.host) == (3, "127.0.0.9")


def test_the_file_of_another_workspace_is_not_read(tmp_path: Path):
    (tmp_path / "below").mkdir()
    write(tmp_path, "[server]\nport = 1\n")
    assert settings.load(tmp_path / "below").server.port == 8002


def test_an_env_file_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env").write_text("PROV_SERVER__PORT=7\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert settings.load(tmp_path).server.port == 8002


def test_a_list_in_a_variable_is_json_and_an_empty_variable_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROV_MCP__TOOLSETS", '["config", "core"]')
    monkeypatch.setenv("PROV_SERVER__PORT", "")
    loaded = settings.load(tmp_path)
    assert (loaded.mcp.toolsets, loaded.server.port) == (["config", "core"], 8002)


def test_settings_cannot_be_changed_once_loaded(tmp_path: Path):
    loaded = settings.load(tmp_path)
    with pytest.raises(ValidationError):
        loaded.server.port = 1  # type: ignore[misc] # that is the point


def refused(folder: Path, **flags) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        settings.load(folder, **flags)
    return caught.value


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f'[server]\nport = "{CANARY}"\n', "server.port"),
        (f'[server]\ntls_kye = "{CANARY}"\n', "server.tls_kye"),
        (f'[log]\nlevel = "{CANARY}"\n', "log.level"),
        (f'server = "{CANARY}"\n', "server"),
        (f'[generation]\nenvironment = "{CANARY * 10}"\n', "generation.environment"),
        (f'[surprise]\nx = "{CANARY}"\n', "surprise"),
    ],
)
def test_a_wrong_value_in_the_file_is_told_by_its_key_and_not_by_its_value(tmp_path: Path, text: str, key: str):
    error = refused(write(tmp_path, text))
    assert [problem["key"] for problem in error.details["problems"]] == [key]
    assert key in error.message
    assert settings.FILE_NAME in error.hint
    assert CANARY not in json.dumps(error.as_dict())
    assert error.__suppress_context__


def test_a_wrong_value_in_the_environment_is_told_by_its_key_and_not_by_its_value(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PROV_SERVER__PORT", CANARY)
    error = refused(tmp_path)
    assert [problem["key"] for problem in error.details["problems"]] == ["server.port"]
    assert CANARY not in json.dumps(error.as_dict())


def test_all_wrong_settings_are_told_at_once(tmp_path: Path):
    error = refused(write(tmp_path, "[server]\nport = 70000\n[nickel]\nworkers = 0\n"), log={"level": "loud"})
    assert {problem["key"] for problem in error.details["problems"]} == {"server.port", "nickel.workers", "log.level"}


def test_a_file_that_is_no_toml_is_told_with_its_line(tmp_path: Path):
    error = refused(write(tmp_path, "[server]\nport = = 1\n"))
    assert "prov.toml is not TOML" in error.message
    assert "line 2" in error.message


def test_a_file_that_is_no_text_is_an_error_of_ours(tmp_path: Path):
    (tmp_path / settings.FILE_NAME).write_bytes(b"\xff\xfe[server]")
    assert "prov.toml" in refused(tmp_path).message


def test_a_variable_for_a_list_that_is_no_json_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROV_MCP__TOOLSETS", CANARY)
    error = refused(tmp_path)
    assert "PROV_MCP__TOOLSETS" in error.message
    assert "JSON" in error.hint
    assert CANARY not in json.dumps(error.as_dict())


def test_a_misspelt_variable_of_a_known_table_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROV_SERVER__PROT", "1")
    assert "server.prot" in refused(tmp_path).message


def test_our_other_variables_are_not_mistaken_for_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROV_WORKSPACE", str(tmp_path))
    assert settings.load(tmp_path).server.port == 8002


def test_every_leaf_is_an_accessor_with_a_description_a_variable_and_its_own_default():
    found = list(settings.accessors())
    assert len({one.key for one in found}) == len(found) > 15
    for one in found:
        assert one.description
        assert one.variable == "PROV_" + "__".join(one.key.split(".")).upper()
        assert settings.accessor(one.key) == one


def test_a_misspelt_key_is_answered_with_the_keys_that_were_meant():
    with pytest.raises(NotFoundError) as caught:
        settings.accessor("server.prot")
    assert "server.port" in caught.value.hint


SCALARS = [one for one in settings.accessors() if isinstance(one.default, int | float)]


@given(data=st.data())
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_number_or_switch_reads_the_same_from_the_environment_as_from_a_flag(data: st.DataObject, tmp_path: Path):
    one = data.draw(st.sampled_from(SCALARS))
    value = data.draw(st.booleans() if isinstance(one.default, bool) else st.sampled_from([one.default, one.default + 1]))
    group, name = one.key.split(".")
    by_flag = settings.load(tmp_path, **{group: {name: value}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(one.variable, json.dumps(value))
        by_variable = settings.load(tmp_path)
    assert one.read(by_variable) == one.read(by_flag) == value


def test_a_program_is_never_named_by_the_workspace(tmp_path, monkeypatch):
    (tmp_path / "prov.toml").write_text('[nickel]\nprogram = "bin/nickel"\n', encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        settings.load(tmp_path)
    assert "PROV_NICKEL__PROGRAM" in caught.value.hint
    assert "bin/nickel" not in str(caught.value.as_dict())
    (tmp_path / "prov.toml").unlink()
    monkeypatch.setenv("PROV_NICKEL__PROGRAM", "/usr/bin/nickel")
    assert settings.load(tmp_path).nickel.program == "/usr/bin/nickel"
    assert [one.key for one in settings.accessors() if one.is_operator_only] == [
        "nickel.program",
        "audit.enabled",
        "vault.address",
        "vault.token_file",
        "engine.state_url",
        "engine.workflows_url",
        "engine.elicitation",
        "rag.chroma_url",
        "knowledge.shared",
    ]

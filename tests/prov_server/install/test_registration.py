"""Our server goes into every client's real file, and out again as if it had never been there."""

import json
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prov_server.install import Client, clients, find_client, install, registered, running_command, serve_arguments, uninstall
from stratumops.errors import InvalidInputError, NotFoundError

PROV = "/opt/stratumops/bin/prov"
EVERY_CLIENT = pytest.mark.parametrize("client", clients(), ids=lambda client: client.name)

# What people's files look like: another server, settings of other kinds, and a secret that is none of our business.
EXISTING = {
    "json": """\
{
  "theme": "dark",
  "KEY": {
    "other": {
      "command": "npx",
      "env": {"TOKEN": "t0p-s3cret"}
    }
  },
  "z": 1
}
""",
    "jsonc": """\
// mine
{
\t"theme": "dark", // night
\t"KEY": {
\t\t"other": { "command": "npx", "env": {"TOKEN": "t0p-s3cret"} }, // last
\t},
\t"z": 1,
}
""",
    "toml": """\
# mine
theme = "dark" # night

[KEY.other]
command = "npx"
env = { TOKEN = "t0p-s3cret" }

[z]
a = 1
""",
}


def existing(client: Client) -> str:
    return EXISTING[client.format].replace("KEY", ".".join(client.key))


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def put(client: Client, home: Path, **more: Any) -> Any:
    return install(client, command=PROV, args=serve_arguments(Path("/srv/infra")), home=home, **more)


@EVERY_CLIENT
def test_a_client_without_a_file_gets_one_that_is_private_and_goes_away_again(client: Client, tmp_path: Path):
    change = put(client, tmp_path)
    path = client.config_path(home=tmp_path)
    assert change.path == path
    assert change.changed
    assert change.backup is None
    assert mode_of(path) == 0o600
    document: Any = (tomllib if client.format == "toml" else json).loads(path.read_text(encoding="utf-8"))
    entry = {**client.entry, "command": PROV, "args": ["mcp", "serve", "--workspace", "/srv/infra"]}
    assert document == {client.key[0]: {"stratumops": entry}}
    assert registered(client, home=tmp_path) == entry == change.entry
    assert uninstall(client, home=tmp_path).changed
    assert files_below(tmp_path) == {}


@EVERY_CLIENT
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_what_a_person_has_in_the_file_stays_byte_for_byte(client: Client, mode: int, tmp_path: Path):
    path = write(client.config_path(home=tmp_path), existing(client), mode)
    before = files_below(tmp_path)
    change = put(client, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert mode_of(path) == mode
    assert change.backup == path.with_name(path.name + ".bak-stratumops-1")
    assert change.backup.read_text(encoding="utf-8") == existing(client)
    assert mode_of(change.backup) == mode
    # Every line of theirs is still there, in its order (one of them may have won a comma).
    remaining = iter(text.replace(",", "").splitlines())
    assert all(line in remaining for line in existing(client).replace(",", "").splitlines())
    assert "t0p-s3cret" not in repr(change)
    assert uninstall(client, home=tmp_path).after == existing(client)
    assert files_below(tmp_path) == before
    assert mode_of(path) == mode


@EVERY_CLIENT
def test_installing_again_changes_nothing_and_makes_no_second_backup(client: Client, tmp_path: Path):
    write(client.config_path(home=tmp_path), existing(client))
    put(client, tmp_path)
    once = files_below(tmp_path)
    again = put(client, tmp_path)
    assert not again.changed
    assert again.backup is None
    assert files_below(tmp_path) == once


@EVERY_CLIENT
def test_an_installation_that_was_changed_is_undone_whole(client: Client, tmp_path: Path):
    write(client.config_path(home=tmp_path), existing(client))
    before = files_below(tmp_path)
    put(client, tmp_path)
    moved = install(client, command="/elsewhere/prov", env={"PROV_LOG__LEVEL": "debug"}, home=tmp_path)
    assert moved.backup is not None
    assert moved.backup.name.endswith("-2")
    entry = registered(client, home=tmp_path)
    assert entry is not None
    assert (entry["command"], entry["env"]) == ("/elsewhere/prov", {"PROV_LOG__LEVEL": "debug"})
    uninstall(client, home=tmp_path)
    assert files_below(tmp_path) == before


@EVERY_CLIENT
def test_what_was_added_after_the_installation_survives_the_removal(client: Client, tmp_path: Path):
    path = write(client.config_path(home=tmp_path), existing(client))
    put(client, tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("dark", "light"), encoding="utf-8")
    change = uninstall(client, home=tmp_path)
    assert registered(client, home=tmp_path) is None
    kept = path.read_text(encoding="utf-8")
    remaining = iter(kept.replace(",", "").splitlines())
    assert all(line in remaining for line in existing(client).replace("dark", "light").replace(",", "").splitlines())
    assert change.backup is not None
    assert PROV in change.backup.read_text(encoding="utf-8")


@EVERY_CLIENT
def test_a_rehearsal_writes_nothing(client: Client, tmp_path: Path):
    change = put(client, tmp_path, dry_run=True)
    assert change.changed
    assert files_below(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []
    put(client, tmp_path)
    installed = files_below(tmp_path)
    assert uninstall(client, home=tmp_path, dry_run=True).after is None
    assert files_below(tmp_path) == installed


@pytest.mark.parametrize("client", [client for client in clients() if client.project], ids=lambda client: client.name)
def test_a_project_has_its_own_file(client: Client, tmp_path: Path):
    project = tmp_path / "project"
    project.mkdir()
    change = install(client, command=PROV, scope="project", home=tmp_path / "home", project=project)
    assert change.path == project / str(client.project)
    assert not (tmp_path / "home").exists()
    assert registered(client, scope="project", project=project) is not None
    uninstall(client, scope="project", project=project)
    assert files_below(tmp_path) == {}


@EVERY_CLIENT
def test_a_broken_file_is_an_error_with_its_place_and_is_not_touched(client: Client, tmp_path: Path):
    write(client.config_path(home=tmp_path), '{\n  "a": 1\n  "b": 2\n}\n' if client.format != "toml" else "a = 1\nb = = 2\n")
    before = files_below(tmp_path)
    for attempt in (put, lambda client, home: uninstall(client, home=home), lambda client, home: registered(client, home=home)):
        with pytest.raises(InvalidInputError, match=r"line \d+, column \d+") as caught:
            attempt(client, tmp_path)
        assert caught.value.details["line"] in (2, 3)
        assert str(client.config_path(home=tmp_path)) in caught.value.message
    assert files_below(tmp_path) == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    document=st.dictionaries(
        st.text(max_size=8) | st.just("mcpServers"), st.dictionaries(st.text(max_size=8), json_values, max_size=3)
    ),
    indent=st.sampled_from([None, 0, 2, 4, "\t"]),
    end=st.sampled_from(["", "\n", "\r\n", "  "]),
    moved=st.booleans(),
)
def test_any_document_comes_back_byte_for_byte(
    document: dict[str, Any], indent: int | str | None, end: str, moved: bool, tmp_path: Path
):
    client = find_client("claude-desktop")
    path = client.config_path(home=tmp_path)
    text = json.dumps(document, indent=indent).replace("\n", "\r\n" if end == "\r\n" else "\n") + end
    write(path, text)
    put(client, tmp_path)
    if moved:
        install(client, command="/elsewhere/prov", home=tmp_path)
    uninstall(client, home=tmp_path)
    assert path.read_bytes() == text.encode()
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_an_empty_file_comes_back_empty(tmp_path: Path):
    for client in clients():
        path = write(client.config_path(home=tmp_path / client.name), "")
        put(client, tmp_path / client.name)
        assert registered(client, home=tmp_path / client.name) is not None
        uninstall(client, home=tmp_path / client.name)
        assert path.read_bytes() == b""


def test_backups_of_other_installations_are_kept(tmp_path: Path):
    client = find_client("cursor")
    path = write(client.config_path(home=tmp_path), '{"a": 1}')
    old = write(path.with_name("mcp.json.bak-stratumops-7"), '{"an older": "state"}')
    change = put(client, tmp_path)
    assert change.backup is not None
    assert change.backup.name == "mcp.json.bak-stratumops-8"
    uninstall(client, home=tmp_path)
    assert files_below(path.parent) == {"mcp.json": b'{"a": 1}', old.name: b'{"an older": "state"}'}


@pytest.mark.parametrize(
    "more",
    [
        {"env": {"PROV_TOKEN": "x"}},
        {"env": {"AWS_SECRET_ACCESS_KEY": "x"}},
        {"args": ["mcp", "serve", "--api-key=x"]},
        {"args": ["mcp", "serve", "--password", "x"]},
    ],
)
def test_a_secret_is_never_written(more: dict[str, Any], tmp_path: Path):
    with pytest.raises(InvalidInputError, match="looks like a secret") as caught:
        install(find_client("vscode"), command=PROV, home=tmp_path, **more)
    assert "=x" not in caught.value.message
    assert files_below(tmp_path) == {}


@pytest.mark.parametrize("name", ["", "a b", "a.b", "../x", "-x", "x" * 65, 'a"b'])
def test_a_server_name_that_a_client_could_misread_is_refused(name: str, tmp_path: Path):
    with pytest.raises(InvalidInputError, match="no name"):
        install(find_client("codex"), server_name=name, command=PROV, home=tmp_path)


def test_two_servers_of_ours_have_two_names(tmp_path: Path):
    client = find_client("codex")
    put(client, tmp_path, server_name="infra-a")
    put(client, tmp_path, server_name="infra-b")
    uninstall(client, server_name="infra-a", home=tmp_path)
    assert registered(client, server_name="infra-a", home=tmp_path) is None
    assert registered(client, server_name="infra-b", home=tmp_path) is not None


def test_removing_what_was_never_installed_changes_nothing(tmp_path: Path):
    client = find_client("gemini-cli")
    assert not uninstall(client, home=tmp_path).changed
    write(client.config_path(home=tmp_path), "{}")
    assert not uninstall(client, home=tmp_path).changed
    assert files_below(tmp_path) == {".gemini/settings.json": b"{}"}


def test_an_unknown_client_is_answered_with_the_nearest():
    with pytest.raises(NotFoundError) as caught:
        find_client("claude-dekstop")
    assert "claude-desktop" in caught.value.hint
    with pytest.raises(NotFoundError, match="no client") as caught:
        find_client("ed")
    assert "vscode" in caught.value.hint or "zed" in caught.value.hint


def test_an_unknown_place_is_an_error_that_says_what_to_do():
    with pytest.raises(InvalidInputError, match="not known") as caught:
        find_client("claude-desktop").config_path(platform="win32")
    assert "mcp.json" in caught.value.hint
    with pytest.raises(InvalidInputError, match="no settings of a project"):
        find_client("windsurf").config_path("project")


def test_the_variables_that_move_a_clients_folder_count_for_the_person_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_client("codex").config_path() == tmp_path / "codex" / "config.toml"
    assert find_client("zed").config_path(platform="linux") == tmp_path / "xdg" / "zed" / "settings.json"
    assert find_client("cursor").config_path() == tmp_path / ".cursor" / "mcp.json"
    assert find_client("zed").config_path(home=tmp_path, platform="linux") == tmp_path / ".config" / "zed" / "settings.json"


def test_every_client_says_where_its_facts_are_from():
    for client in clients():
        assert client.source.startswith("https://")
        assert client.after.endswith(".")
        assert client.user
        assert len({one.name for one in clients()}) == len(clients())


def test_the_running_command_is_an_absolute_path_to_a_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    beside = Path(sys.executable).with_name("prov")
    assert running_command() == str(beside)
    own = write(tmp_path / "prov", "#!/bin/sh\n", 0o700)
    monkeypatch.setattr(sys, "argv", [str(own)])
    assert running_command() == str(own)
    monkeypatch.setattr(sys, "argv", ["-c"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "elsewhere" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert running_command() == str(own)
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    with pytest.raises(NotFoundError, match="not installed"):
        running_command()

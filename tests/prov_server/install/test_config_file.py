"""A person's file is written in one step, through links, and never over another program's work."""

import os
from pathlib import Path
from typing import Any

import pytest

from prov_server.install import Client, find_client, install, serve_arguments, uninstall
from prov_server.install.config_file import ConfigFile
from stratumops.errors import ConflictError, InvalidInputError, PermissionDeniedError

PROV = "/opt/stratumops/bin/prov"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(client: Client, home: Path, **more: Any) -> Any:
    return install(client, command=PROV, args=serve_arguments(Path("/srv/infra")), home=home, **more)


def test_a_linked_file_stays_linked_and_its_target_is_written(tmp_path: Path):
    client = find_client("zed")
    target = write(tmp_path / "dotfiles" / "zed.json", "{\n}\n")
    path = client.config_path(home=tmp_path)
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    change = put(client, tmp_path)
    assert path.is_symlink()
    assert "stratumops" in target.read_text(encoding="utf-8")
    assert change.backup == target.with_name("zed.json.bak-stratumops-1")
    uninstall(client, home=tmp_path)
    assert path.is_symlink()
    assert target.read_text(encoding="utf-8") == "{\n}\n"


def test_a_project_cannot_lead_us_out_of_it_with_a_link(tmp_path: Path):
    outside = write(tmp_path / "outside.json", "{}")
    project = tmp_path / "project"
    (project / ".cursor").mkdir(parents=True)
    (project / ".cursor" / "mcp.json").symlink_to(outside)
    with pytest.raises(PermissionDeniedError, match="leads out of the project"):
        install(find_client("cursor"), command=PROV, scope="project", project=project)
    assert outside.read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize("make", ["folder", "pipe", "loop", "nowhere", "latin1"])
def test_what_is_no_text_file_is_refused(make: str, tmp_path: Path):
    client = find_client("kiro")
    path = client.config_path(home=tmp_path)
    path.parent.mkdir(parents=True)
    match make:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path)
        case "nowhere":
            path.symlink_to(tmp_path / "gone" / "mcp.json")
        case _:
            path.write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(InvalidInputError) as caught:
        put(client, tmp_path)
    assert caught.value.hint


def test_a_file_in_the_place_of_a_folder_is_a_clear_error(tmp_path: Path):
    client = find_client("kiro")
    in_the_way = write(tmp_path / ".kiro", "mine")
    with pytest.raises(PermissionDeniedError, match="Not a directory"):
        put(client, tmp_path)
    assert in_the_way.read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_a_clear_error(tmp_path: Path):
    client = find_client("kiro")
    path = write(client.config_path(home=tmp_path), "{}")
    path.parent.chmod(0o500)
    try:
        with pytest.raises(PermissionDeniedError):
            put(client, tmp_path)
    finally:
        path.parent.chmod(0o700)
    assert path.read_text(encoding="utf-8") == "{}"


def test_a_file_that_another_program_has_just_written_is_not_overwritten(tmp_path: Path):
    path = write(tmp_path / "settings.json", '{"newer": true}')
    with pytest.raises(ConflictError, match="another program"):
        ConfigFile(path).replace("{}", '{"ours": true}')
    with pytest.raises(ConflictError, match="another program"):
        ConfigFile(path).replace("{}", None)
    assert files_below(tmp_path) == {"settings.json": b'{"newer": true}'}

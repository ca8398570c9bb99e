"""A configuration argument: text, or a path inside the workspace."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_gen.source import MAX_TEXT_BYTES, PASTED, looks_like_path, read_source
from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from stratumops.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "main.ncl").write_text("{}", encoding="utf-8")
    (tmp_path / "data.yaml").write_text("provider: local\n", encoding="utf-8")
    (tmp_path / "prov.toml").write_text("[server]\n", encoding="utf-8")
    return Workspace.at(tmp_path)


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        ("main.ncl", True),
        (" deep/er/main.ncl ", True),
        ("values.YAML", True),
        ('{ name = import "x.ncl" }', False),
        ('import "main.ncl"', False),
        ("{}\nmain.ncl", False),
        ("let x = 1 in x", False),
        ("main", False),
    ],
)
def test_a_single_line_that_ends_like_a_file_is_a_path(text: str, is_path: bool) -> None:
    assert looks_like_path(text) is is_path


def test_a_path_is_read_and_keeps_its_name(workspace: Workspace) -> None:
    source = read_source("main.ncl", workspace)
    assert (source.text, source.name, source.is_nickel) == ("{}", "main.ncl", True)
    assert not read_source("data.yaml", workspace).is_nickel
    assert read_source("{ }", workspace).name == PASTED


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("missing.ncl", NotFoundError),
        ("../main.ncl", PermissionDeniedError),
        ("/etc/hosts.toml", PermissionDeniedError),
        ("prov.toml", PermissionDeniedError),
        ("", InvalidInputError),
        ("  \n ", InvalidInputError),
        ('{ a = "\x00" }', InvalidInputError),
        ('{ a = "' + "x" * MAX_TEXT_BYTES + '" }', InvalidInputError),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(workspace: Workspace, text: str, error: type) -> None:
    with pytest.raises(error) as caught:
        read_source(text, workspace)
    assert caught.value.hint


@pytest.mark.parametrize("path", ["main.tf", " deep/main.TF ", "../main.tf"])
def test_a_path_to_hcl_is_refused_with_the_way_to_convert_it(workspace: Workspace, path: str) -> None:
    with pytest.raises(InvalidInputError, match="written in HCL") as caught:
        read_source(path, workspace)
    assert "hcl2json" in caught.value.hint
    assert "prov import terraform" in caught.value.hint


@given(st.text())
def test_any_text_is_a_source_or_an_error_of_ours(text: str) -> None:
    try:
        source = read_source(text, Workspace.at(Path(__file__).parent))
    except (InvalidInputError, NotFoundError, PermissionDeniedError):
        return
    assert source.text == text

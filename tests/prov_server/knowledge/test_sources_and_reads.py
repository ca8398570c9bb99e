"""What a person added and what a principal read are kept in `.prov`, by several processes, and survive damage."""

import time
from pathlib import Path

import pytest

from prov_server.knowledge.reads import FILE as READS
from prov_server.knowledge.reads import Reads
from prov_server.knowledge.sources import FILE as SOURCES
from prov_server.knowledge.sources import Sources
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from stratumops.principal import LOCAL, Principal
from stratumops.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "workspace"
    folder.mkdir()
    made = Workspace.at(folder)
    made.make_own()
    return made


def test_a_folder_is_added_once_under_the_name_of_its_folder(workspace: Workspace, tmp_path: Path):
    runbooks = tmp_path / "Team Wiki" / "runbooks"
    runbooks.mkdir(parents=True)
    sources = Sources(workspace.own)
    before = sources.stamp()
    added = sources.add(runbooks)
    assert (added.name, added.folder) == ("team-wiki-runbooks", str(runbooks))
    assert sources.add(runbooks) == added
    assert sources.all() == [added]
    assert sources.stamp() != before
    assert sources.remove(added.name) == added
    assert sources.all() == []


def test_two_folders_of_one_name_are_told_apart(workspace: Workspace, tmp_path: Path):
    sources = Sources(workspace.own)
    for parent in ("a", "b"):
        (tmp_path / parent / "notes").mkdir(parents=True)
    assert [sources.add(tmp_path / parent / "notes").name for parent in ("a", "b")] == ["notes", "notes-2"]
    with pytest.raises(ConflictError, match="another folder is called notes"):
        sources.add(tmp_path, "notes")


@pytest.mark.parametrize("name", ["stratumops", "kogral", "Ops", "../up", "-x", "a" * 41])
def test_a_name_that_would_mislead_is_refused(workspace: Workspace, tmp_path: Path, name: str):
    with pytest.raises(InvalidInputError, match="no name for a source"):
        Sources(workspace.own).add(tmp_path, name)


def test_what_is_not_there_is_neither_added_nor_removed(workspace: Workspace, tmp_path: Path):
    with pytest.raises(NotFoundError):
        Sources(workspace.own).add(tmp_path / "nowhere")
    with pytest.raises(NotFoundError) as caught:
        Sources(workspace.own).remove("nothing")
    assert caught.value.hint == "added were: none"


@pytest.mark.parametrize("text", ["{", '[{"name": "x"}]', "3"])
def test_a_damaged_list_of_sources_is_said_and_not_overwritten(workspace: Workspace, tmp_path: Path, text: str):
    (workspace.own / SOURCES).write_text(text)
    (workspace.own / SOURCES).chmod(0o600)
    with pytest.raises(UnavailableError, match="damaged"):
        Sources(workspace.own).add(tmp_path)
    assert (workspace.own / SOURCES).read_text() == text


def test_a_read_is_remembered_for_the_one_who_read(workspace: Workspace):
    before = time.time()
    assert Reads(workspace).last(LOCAL.subject) == 0.0
    Reads(workspace).note(LOCAL)
    assert before <= Reads(workspace).last(LOCAL.subject) <= time.time()
    assert Reads(workspace).last("somebody else") == 0.0


def test_after_damage_everybody_counts_as_having_read(workspace: Workspace):
    (workspace.own / READS).write_text("[")
    (workspace.own / READS).chmod(0o600)
    before = time.time()
    reads = Reads(workspace)
    assert reads.last("anybody") >= before
    reads.note(Principal("ana", frozenset()))
    assert reads.last("anybody") >= before

"""Which `.prov` is believed: what was made here, what a person adopted, and nothing that a clone or an archive brings."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from engine_person import Person, word
from prov_server.engine.adoption import MAX_NOTES, Adoption
from prov_server.engine.foreign import described, list_of_approvers
from provisioning.approval.errors import NotAdoptedError
from provisioning.approval.keys import new_key
from provisioning.approval.pins import Pins
from provisioning.approval.trust import Trust
from provisioning.state.store import open_store
from stratumops.errors import PermissionDeniedError, UnavailableError

ACCOUNT = (
    '{"aws": {"provider": "aws", "region": "eu-west-1", "endpoint": "http://127.0.0.1:9", '
    '"options": {"credentials": "environment"}, "secrets": {"access_key_id": "vault:secret/providers/aws#access_key_id"}}}'
)
BUCKET = '{ provider = \'aws, region = "eu-west-1", buckets = [{ name = "evil-bucket-7" }] }\n'


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace" / ".prov"
    folder.mkdir(mode=0o700, parents=True)
    return folder


@pytest.fixture
def adoption(own: Path, tmp_path: Path) -> Adoption:
    return _of(own, tmp_path)


def _of(own: Path, tmp_path: Path) -> Adoption:
    return Adoption.of_user(own, {"HOME": str(tmp_path / "home")})


def _account(own: Path, mode: int = 0o600) -> Path:
    file = own / "providers.json"
    file.write_text(ACCOUNT, encoding="utf-8")
    file.chmod(mode)
    return file


def test_what_we_have_just_made_is_ours_and_stays_so(adoption: Adoption, own: Path):
    adoption.require()
    assert adoption.is_ours
    assert (own / "id").stat().st_mode & 0o777 == 0o600
    _account(own)
    adoption.require()


def test_a_folder_that_is_not_there_is_well_and_not_noted(tmp_path: Path):
    adoption = _of(tmp_path / "none" / ".prov", tmp_path)
    adoption.require()
    adoption.take_over()
    assert not adoption.is_ours
    assert not (tmp_path / "home").exists()


def test_a_folder_of_before_with_a_vault_and_an_audit_is_noted_without_a_word(adoption: Adoption, own: Path):
    for name in ("vault", "audit"):
        (own / name).mkdir(mode=0o700)
        (own / name / "key").write_text("x", encoding="utf-8")
    adoption.require()
    assert adoption.is_ours


@pytest.mark.parametrize(
    "name", ["providers.json", "approvers.json", "state/state.db", "state/state.journal", "state/workflows.db",
             "keys/approval.key", "sandbox/state.db", "sandbox/approvers.json"],
)  # fmt: skip
def test_anything_that_would_be_believed_makes_a_folder_of_unknown_origin_refused(adoption: Adoption, own: Path, name: str):
    (own / name).parent.mkdir(mode=0o700, exist_ok=True)
    (own / name).touch(0o600)
    with pytest.raises(NotAdoptedError, match=r"not made by you on this machine") as refused:
        adoption.require()
    assert (refused.value.code, refused.value.exit_code) == ("workspace_not_adopted", 5)
    assert "prov trust" in refused.value.hint
    adoption.take_over()
    adoption.require()


def test_a_moved_workspace_stays_ours_and_a_copy_is_asked_about(adoption: Adoption, own: Path, tmp_path: Path):
    adoption.require()
    _account(own)
    moved = tmp_path / "elsewhere"
    own.parent.rename(moved)
    _of(moved / ".prov", tmp_path).require()
    shutil.copytree(moved, own.parent)
    with pytest.raises(NotAdoptedError):
        adoption.require()
    _of(moved / ".prov", tmp_path).require()


def test_an_id_that_is_copied_or_guessed_does_not_make_another_folder_ours(adoption: Adoption, own: Path, tmp_path: Path):
    adoption.require()
    foreign = tmp_path / "foreign" / ".prov"
    foreign.mkdir(mode=0o700, parents=True)
    shutil.copy(own / "id", foreign / "id")
    _account(foreign)
    with pytest.raises(NotAdoptedError):
        _of(foreign, tmp_path).require()


def test_the_notes_of_another_user_say_nothing(adoption: Adoption, own: Path, tmp_path: Path):
    adoption.require()
    _account(own)
    with pytest.raises(NotAdoptedError):
        Adoption.of_user(own, {"HOME": str(tmp_path / "home-of-bea")}).require()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_files_that_others_can_read_or_write_are_refused_with_the_remedy(adoption: Adoption, own: Path, mode: int):
    adoption.require()
    file = _account(own, mode)
    with pytest.raises(PermissionDeniedError, match=r"others can read or change") as refused:
        adoption.require()
    assert f"chmod 600 {file}" in refused.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_and_folders_of_another_user_are_refused(adoption: Adoption, own: Path):
    adoption.require()
    file = _account(own)
    os.chown(file, 12345, -1)
    with pytest.raises(PermissionDeniedError, match="belongs to another user"):
        adoption.require()
    with pytest.raises(PermissionDeniedError, match="belongs to another user"):
        adoption.take_over()
    os.chown(own, 12345, -1)
    with pytest.raises(PermissionDeniedError, match="belongs to another user"):
        adoption.require()


def test_links_are_not_followed(adoption: Adoption, own: Path, tmp_path: Path):
    adoption.require()
    (tmp_path / "target").write_text(ACCOUNT, encoding="utf-8")
    (own / "providers.json").symlink_to(tmp_path / "target")
    with pytest.raises(PermissionDeniedError, match="not a regular file"):
        adoption.require()
    with pytest.raises(PermissionDeniedError, match="not a regular file"):
        adoption.take_over()
    other = tmp_path / "other"
    other.mkdir()
    (other / ".prov").symlink_to(own)
    with pytest.raises(PermissionDeniedError, match="not a folder"):
        _of(other / ".prov", tmp_path).require()
    (own / "providers.json").unlink()
    (own / "state").symlink_to(tmp_path)
    with pytest.raises(PermissionDeniedError, match="not a folder"):
        adoption.require()


def test_a_folder_that_others_can_put_files_into_is_refused(adoption: Adoption, own: Path):
    own.chmod(0o770)
    with pytest.raises(PermissionDeniedError) as refused:
        adoption.require()
    assert f"chmod 700 {own}" in refused.value.hint


def test_taking_over_closes_the_folder_to_others(adoption: Adoption, own: Path):
    file = _account(own, 0o644)
    own.chmod(0o755)
    adoption.take_over()
    adoption.require()
    assert (file.stat().st_mode & 0o777, own.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_damaged_notes_are_named_and_nothing_is_believed(adoption: Adoption, own: Path, tmp_path: Path, text: str):
    adoption.require()
    notes = tmp_path / "home" / ".config" / "stratumops" / "approvers" / "made.json"
    notes.write_text(text, encoding="utf-8")
    with pytest.raises(UnavailableError, match="is damaged"):
        adoption.require()
    notes.unlink()
    notes.symlink_to(tmp_path / "x")
    with pytest.raises(UnavailableError):
        adoption.require()


def test_notes_that_cannot_be_written_are_an_error_before_anything_is_made(own: Path, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError):
        Adoption(own, tmp_path / "file" / "made.json").require()


def test_old_notes_give_way_to_new_ones(adoption: Adoption, own: Path, tmp_path: Path):
    notes = tmp_path / "home" / ".config" / "stratumops" / "approvers" / "made.json"
    notes.parent.mkdir(parents=True)
    notes.touch(0o600)
    every = ", ".join(f'"{number:032x}": {{"path": "/x", "device": 1, "inode": 1}}' for number in range(MAX_NOTES))
    notes.write_text("{" + every + "}", encoding="utf-8")
    adoption.require()
    kept = notes.read_text(encoding="utf-8")
    assert f'"{0:032x}"' not in kept
    assert f'"{1:032x}"' in kept
    assert adoption.is_ours


def test_a_list_of_approvers_that_this_user_never_saw_is_refused_until_it_is_accepted(own: Path, tmp_path: Path):
    mallory = new_key("mallory")
    Trust(own, "lineage", Pins(tmp_path / "hers.json")).begin(mallory, time.time())
    trust = Trust(own, "lineage", Pins(tmp_path / "mine.json"))
    for refused in (trust.entries, trust.approvers, trust.pin, lambda: trust.add("x", new_key("x").public, mallory, 1.0)):
        with pytest.raises(NotAdoptedError, match="you have not yet seen the list"):
            refused()
    assert [one.name for one in trust.accept()] == ["mallory"]
    assert [one.name for one in trust.approvers().values()] == ["mallory"]


def test_what_is_there_is_described_without_opening_it(own: Path):
    store = open_store(own / "state")
    lineage = store.head().lineage
    store.close()
    Trust(own, lineage).begin(new_key("mallory"), time.time())
    _account(own)
    (own / "keys").mkdir(mode=0o700)
    (own / "keys" / "approval.key").touch(0o600)
    said = "\n".join(described(own))
    for part in ("http://127.0.0.1:9", "vault:secret/providers/aws#access_key_id", "credentials=environment", "mallory (",
                 "0 resources", "0 operations under way", "keys/approval.key"):  # fmt: skip
        assert part in said
    assert list_of_approvers(own / "sandbox") is None


def test_what_cannot_be_read_is_described_as_such(own: Path):
    (own / "state").mkdir()
    (own / "sandbox").mkdir()
    for name in ("providers.json", "approvers.json", "state/state.db"):
        (own / name).write_text("nonsense " * 99, encoding="utf-8")
    (own / "sandbox" / "state.journal").touch()
    said = "\n".join(described(own))
    assert said.count("cannot be read") == 3
    assert "a state would be made" in said
    (own / "approvers.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match=r".prov"):
        list_of_approvers(own)


@pytest.fixture(scope="module")
def mallory(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Somebody whose workspace has an account, and a plan that is marked as used: no approval would be asked for it."""
    person = Person(tmp_path_factory.mktemp("mallory"))
    person.write(BUCKET)
    assert person.prov("provider", "list").code == 0
    _account(person.workspace / ".prov")
    planned = person.prov("--json", "plan", "main.ncl", PROV_ENGINE__PLAN_MINUTES="10080")
    assert planned.code == 0, planned.err
    with closing(sqlite3.connect(person.workspace / ".prov" / "state" / "state.db")) as database:
        database.execute("UPDATE prov_plans SET used_by = 'op-' || substr(sha256, 1, 12)")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return person


@pytest.fixture
def victim(mallory: Person, tmp_path: Path) -> Person:
    """Somebody who unpacked that workspace."""
    person = Person(tmp_path)
    person.workspace.rmdir()
    shutil.copytree(mallory.workspace, person.workspace)
    return person


def test_nothing_of_a_workspace_that_was_unpacked_is_carried_out_listed_or_asked(victim: Person):
    for said in ("apply main.ncl", "plan main.ncl", "state list", "provider list", "provider test aws", "provider remove aws",
                 "provider add aws --option profile=work --force", "approver list"):  # fmt: skip
        words = said.split()
        ended = victim.prov(*words)
        assert ended.code == 5, (words, ended)
        assert "workspace_not_adopted" in ended.err, words


def test_no_setting_and_no_pipe_adopts_a_workspace(victim: Person):
    assert victim.prov("trust", given="yes\n").code == 6
    assert victim.prov("plan", "main.ncl", PROV_ENGINE__ELICITATION="true", PROV_ENGINE__PROVIDER="sandbox").code == 5


def test_a_person_sees_what_is_there_types_its_word_and_has_adopted_it(victim: Person):
    wrong = victim.typed(["trust"], (" to take it over", "yes"))
    assert wrong.code == 6
    assert victim.prov("state", "list").code == 5
    adopted = victim.typed(["trust"], (" to take it over", word))
    assert adopted.code == 0, adopted.out
    assert "account at aws: endpoint http://127.0.0.1:9" in adopted.out
    assert "1 plans that can still be carried out" in adopted.out
    assert victim.prov("state", "list").code == 0
    assert victim.prov("trust", "--json").json["adopted"] is False
    assert "yours already" in victim.prov("trust").out
    assert "approval:workspace_adopted" in victim.prov("audit", "list", "--json").out


def test_a_list_of_approvers_that_was_copied_in_is_adopted_with_its_state(mallory: Person, tmp_path: Path):
    person = Person(tmp_path)
    person.write(BUCKET)
    assert person.prov("state", "list").code == 0
    own = person.workspace / ".prov"
    with closing(sqlite3.connect(own / "state" / "state.db")) as database:
        (lineage,) = database.execute("SELECT lineage FROM prov_states").fetchone()
    Trust(own, lineage).begin(new_key("bea"), time.time())
    refused = person.prov("approver", "list")
    assert refused.code == 5
    assert "workspace_not_adopted" in refused.err
    adopted = person.typed(["trust"], (" to take it over", word))
    assert adopted.code == 0, adopted.out
    assert "bea (" in adopted.out
    assert "bea" in person.prov("approver", "list").out


def test_there_is_nothing_to_adopt_in_an_empty_folder(tmp_path: Path):
    assert Person(tmp_path).prov("trust").code == 3

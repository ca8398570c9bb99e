"""An approver's key: how it signs, how it lies on the disk, and what is refused."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.approval.errors import WrongPassphraseError
from provisioning.approval.key_files import ApproverFolder, checked_name, read_or_make_server_key
from provisioning.approval.keys import ApproverKey, PublicKey, check_passphrase, lock_key, new_key, public_of, unlock_key
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError, UnavailableError

PASSPHRASE = "corazón tilde órbita zafiro"
CONTEXT = b"a test"


def test_a_signature_holds_for_its_message_and_its_context_only(ana: ApproverKey, inigo: ApproverKey):
    signature = ana.sign(b"yes", CONTEXT)
    assert ana.public.verifies(b"yes", signature, CONTEXT)
    assert not ana.public.verifies(b"no", signature, CONTEXT)
    assert not ana.public.verifies(b"yes", signature, b"another test")
    assert not inigo.public.verifies(b"yes", signature, CONTEXT)


def test_either_half_of_a_signature_alone_is_none(ana: ApproverKey, inigo: ApproverKey):
    own, other = ana.sign(b"yes", CONTEXT), inigo.sign(b"yes", CONTEXT)
    assert not ana.public.verifies(b"yes", own[:64] + other[64:], CONTEXT)
    assert not ana.public.verifies(b"yes", other[:64] + own[64:], CONTEXT)
    assert not ana.public.verifies(b"yes", own[:64], CONTEXT)
    assert not ana.public.verifies(b"yes", b"", CONTEXT)


@given(at=st.integers(0, 64 + 3309 - 1), bit=st.integers(0, 7))
def test_one_wrong_bit_makes_a_signature_wrong(at: int, bit: int):
    key = ApproverKey("ana", bytes(range(64)))
    signature = bytearray(key.sign(b"yes", CONTEXT))
    signature[at] ^= 1 << bit
    assert not key.public.verifies(b"yes", bytes(signature), CONTEXT)


@pytest.fixture(scope="module")
def locked() -> str:
    """Ana's key in its file."""
    return lock_key(ApproverKey("ana", bytes(range(64))), PASSPHRASE)


def test_a_key_opens_with_its_passphrase_only_however_its_letters_are_composed(ana: ApproverKey):
    text = lock_key(ana, PASSPHRASE)
    assert unlock_key(text, PASSPHRASE) == ana
    assert unlock_key(text, "corazo\u0301n tilde o\u0301rbita zafiro") == ana
    with pytest.raises(WrongPassphraseError) as refused:
        unlock_key(text, PASSPHRASE + " ")
    assert PASSPHRASE not in str(refused.value.as_dict())


@pytest.mark.parametrize("member", ["name", "public", "nonce", "salt", "ciphertext", "n"])
def test_a_key_whose_file_was_altered_does_not_open(member: str, locked: str):
    members = json.loads(locked)
    holder = members["kdf"] if member in {"salt", "n"} else members
    before = holder[member]
    other = {"name": "eva", "public": new_key("eva").public.text, "n": 1 << 15}
    holder[member] = other[member] if member in other else ("B" if before[0] == "A" else "A") + before[1:]
    with pytest.raises(WrongPassphraseError):
        unlock_key(json.dumps(members), PASSPHRASE)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.pop("nonce"),
        lambda found: found.update(format="another"),
        lambda found: found["kdf"].update(n=1 << 30),
        lambda found: found["kdf"].update(n=[1]),
        lambda found: found["kdf"].update(p=1000),
        lambda found: found.update(public="AAAA"),
        lambda found: found.update(nonce=7),
        lambda found: found.update(ciphertext="not base64!"),
        lambda found: found.update(kdf=None),
    ],
)
def test_what_is_no_key_file_is_said_to_be_none(change, locked: str):
    found = json.loads(locked)
    change(found)
    with pytest.raises(InvalidInputError, match="holds no approver key"):
        unlock_key(json.dumps(found), PASSPHRASE)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000])
def test_a_file_that_is_not_even_json_of_ours_is_no_key(text: str):
    with pytest.raises(InvalidInputError, match="holds no approver key"):
        public_of(text)


@pytest.mark.parametrize(("passphrase", "why"), [("corta", "too short"), ("a" * 40, "same few"), ("abcde" * 300, "more than")])
def test_a_passphrase_that_a_program_would_guess_is_refused_in_words(passphrase: str, why: str):
    with pytest.raises(InvalidInputError, match=why) as refused:
        check_passphrase(passphrase)
    assert passphrase not in str(refused.value.as_dict())


def test_neither_a_key_nor_its_public_half_can_have_another_length():
    with pytest.raises(ValueError, match="length"):
        ApproverKey("ana", b"short")
    with pytest.raises(ValueError, match="length"):
        PublicKey(b"short")


def test_a_key_does_not_show_in_its_own_words(ana: ApproverKey):
    assert repr(ana.seeds) not in repr(ana)
    assert "ana" in repr(ana)


@pytest.fixture
def keys(tmp_path: Path) -> ApproverFolder:
    return ApproverFolder.of_user({"HOME": str(tmp_path / "home")}, tmp_path / "workspace")


def test_a_key_lies_in_the_users_own_folder_for_its_owner_alone_and_encrypted(keys: ApproverFolder, tmp_path: Path):
    public = keys.make("María José", PASSPHRASE)
    path = tmp_path / "home" / ".config" / "stratumops" / "approvers" / "María José.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.names() == ["María José"]
    assert keys.public("María José") == public
    seeds = unlock_key(keys.text("María José"), PASSPHRASE).seeds
    assert seeds not in path.read_bytes()
    assert list(path.parent.iterdir()) == [path]


def test_the_folder_of_keys_follows_xdg_and_never_lies_in_the_workspace(tmp_path: Path):
    elsewhere = ApproverFolder.of_user({"HOME": "/nowhere", "XDG_CONFIG_HOME": str(tmp_path)}, tmp_path / "workspace")
    assert elsewhere.path == tmp_path / "stratumops" / "approvers"
    with pytest.raises(PermissionDeniedError, match="lies in the workspace"):
        ApproverFolder.of_user({"HOME": str(tmp_path)}, tmp_path)


def test_a_key_is_never_written_over_another(keys: ApproverFolder):
    first = keys.make("ana", PASSPHRASE)
    with pytest.raises(ConflictError, match="already"):
        keys.make("ana", PASSPHRASE)
    assert keys.public("ana") == first


@pytest.mark.parametrize("name", ["", "..", "../ana", "a/b", ".ana", "ana\n", "-ana", "a" * 65, "ana\u202egnp"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str):
    if name == "ana\n":
        assert checked_name(name) == "ana"
        return
    with pytest.raises(InvalidInputError, match="cannot be an approver's name"):
        checked_name(name)


def test_a_key_that_others_can_read_is_not_used(keys: ApproverFolder):
    keys.make("ana", PASSPHRASE)
    keys.file("ana").chmod(0o640)
    with pytest.raises(PermissionDeniedError, match="0640"):
        keys.text("ana")


def test_a_key_in_a_folder_that_others_can_write_to_is_not_used(keys: ApproverFolder):
    keys.make("ana", PASSPHRASE)
    keys.path.chmod(0o777)
    with pytest.raises(PermissionDeniedError, match="others can put files"):
        keys.text("ana")


def test_a_key_behind_a_link_is_not_used(keys: ApproverFolder, tmp_path: Path):
    keys.make("ana", PASSPHRASE)
    keys.file("eva").symlink_to(keys.file("ana"))
    with pytest.raises(UnavailableError):
        keys.text("eva")


def test_a_key_under_another_name_is_noticed(keys: ApproverFolder):
    keys.make("ana", PASSPHRASE)
    keys.file("ana").rename(keys.file("eva"))
    with pytest.raises(InvalidInputError, match="holds the key of 'ana'"):
        keys.public("eva")


def test_a_key_that_is_not_there_is_told_with_those_that_are(keys: ApproverFolder):
    assert keys.names() == []
    keys.make("ana", PASSPHRASE)
    with pytest.raises(NotFoundError) as missing:
        keys.text("eva")
    assert "ana" in missing.value.hint


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "stratumops").write_text("a file")
    with pytest.raises(UnavailableError):
        ApproverFolder(tmp_path / "stratumops" / "approvers").make("ana", PASSPHRASE)
    with pytest.raises(UnavailableError):
        ApproverFolder(tmp_path / "stratumops" / "approvers").names()


def test_the_server_has_one_key_in_its_own_folder_for_its_owner_alone(folder: Path):
    made = read_or_make_server_key(folder)
    assert read_or_make_server_key(folder) == made
    path = folder / "keys" / "approval.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_key_of_the_server_that_is_damaged_or_open_to_others_is_not_used(folder: Path):
    read_or_make_server_key(folder)
    path = folder / "keys" / "approval.key"
    path.chmod(0o644)
    with pytest.raises(PermissionDeniedError):
        read_or_make_server_key(folder)
    path.chmod(0o600)
    for text in ("{}", "", '{"format": "another"}', '{"format": "stratumops approval key of a server 1", "seeds": "AAAA"}'):
        path.write_text(text)
        with pytest.raises(InvalidInputError, match="holds no key"):
            read_or_make_server_key(folder)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(PermissionDeniedError):
        read_or_make_server_key(folder)

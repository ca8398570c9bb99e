"""The hash chain: what it writes, what it survives, and what verifying it finds."""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svault.audit import records
from svault.audit.files import AuditFileError
from svault.audit.records import BEFORE_ALL, Head
from svault.audit.verify import Verification, verify
from svault.crypto.openssl import OpenSSLBackend
from svault.errors import NotFoundError

CRYPTO = OpenSSLBackend()
PUBLIC = CRYPTO.dsa_public(bytes(range(32)))
pytestmark = pytest.mark.anyio


def body(number: int) -> bytes:
    return json.dumps({"n": number}).encode()


def check(path: Path, expected: Head | None = None) -> Verification:
    return verify(path, PUBLIC, CRYPTO, expected)


def said(found: Verification) -> str:
    return "\n".join(problem.what for problem in found.problems)


def events(path: Path) -> list[str]:
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [one["event"] if one.get("type") == "chain" else "entry" for one in found]


@pytest.fixture
def written(chain, tmp_path: Path) -> Path:
    """A closed file of twenty entries, signed at the end."""
    one = chain()
    for number in range(20):
        one.append([body(number)])
    one.close()
    return tmp_path / "audit.log"


def test_each_line_is_json_and_links_to_the_line_before_it(written: Path):
    lines = written.read_bytes().splitlines()
    before = records.NOTHING
    for number, line in enumerate(lines):
        link = json.loads(line)["chain"]
        assert (link["seq"], link["prev"]) == (number, before)
        assert link["hash"] == hashlib.sha256(line[: line.rindex(b',"hash":')]).hexdigest()
        before = link["hash"]
    assert written.stat().st_mode & 0o777 == 0o600


def test_the_first_line_names_the_key_and_a_signature_follows_it_and_the_last_entry(written: Path):
    first = json.loads(written.read_bytes().splitlines()[0])
    assert base64.b64decode(first["public_key"]) == PUBLIC
    assert first["key_id"] == hashlib.sha256(PUBLIC).hexdigest()
    assert events(written) == ["start", "signed", *["entry"] * 20, "signed"]


def test_a_whole_chain_is_verified_with_and_without_the_key(written: Path):
    for key in (PUBLIC, None):
        found = verify(written, key, CRYPTO)
        assert found.ok
        assert (found.lines, found.entries, found.unsigned, found.signed_up_to) == (23, 20, 0, 21)
        assert found.key_id == records.key_id(PUBLIC)


def test_a_head_that_was_noted_is_found_again(written: Path):
    head = check(written).head
    assert Head.parse(str(head)) == head
    assert check(written, head).ok


def _changed(lines: list[bytes]) -> list[bytes]:
    return [*lines[:9], lines[9].replace(b'{"n": 7}'[:6], b'{"n": 8}'[:6]).replace(b'"n": 7', b'"n": 8'), *lines[10:]]


def _rehashed(lines: list[bytes]) -> list[bytes]:
    """Somebody without the key changes a line and computes every hash behind it again."""
    kept = lines[:9]
    line = records.parsed(lines[8].rstrip(b"\n"))
    assert line is not None
    head = line.head
    for old in [lines[9].replace(b'"n": 7', b'"n": 8'), *lines[10:]]:
        new, head = records.linked(old[: old.rindex(b',"chain":')] + b"}", head)
        kept = [*kept, new]
    return kept


TAMPERING: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "changed": (_changed, "was changed"),
    "removed": (lambda lines: [*lines[:9], *lines[10:]], "line 9 is missing"),
    "several removed": (lambda lines: [*lines[:9], *lines[12:]], "lines 9 to 11 are missing"),
    "repeated": (lambda lines: [*lines[:9], lines[8], *lines[9:]], "repeated, added or moved"),
    "moved": (lambda lines: [*lines[:9], lines[10], lines[9], *lines[11:]], "repeated, added or moved"),
    "added": (lambda lines: [*lines[:9], b'{"n":1}\n', *lines[9:]], "not a line of the chain"),
    "beginning cut": (lambda lines: lines[1:], "lines 0 to 0 are missing"),
    "hashes computed again": (_rehashed, "does not stand here"),
    "all signatures removed": (lambda lines: [line for line in lines if b'"event":"signed"' not in line], "no valid signature"),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found_and_named(written: Path, how: str):
    tamper, expected = TAMPERING[how]
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join(tamper(lines)))
    found = check(written)
    assert not found.ok
    assert expected in said(found)


def test_a_changed_line_is_named_by_its_number(written: Path):
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join(_changed(lines)))
    assert [(problem.file, problem.line) for problem in check(written).problems] == [(str(written), 10)]


def test_a_forged_signature_is_found(written: Path):
    lines = written.read_bytes().splitlines()
    last = json.loads(lines[-1])
    forged = bytearray(base64.b64decode(last["signature"]))
    forged[100] ^= 1
    record = lines[-1][: lines[-1].rindex(b',"chain":')].replace(last["signature"].encode(), base64.b64encode(forged)) + b"}"
    before = records.parsed(lines[-2])
    assert before is not None
    written.write_bytes(b"\n".join([*lines[:-1], records.linked(record, before.head)[0]]))
    assert "is not by the key" in said(check(written))


def test_a_chain_of_another_key_is_found_when_the_caller_has_the_key(chain, tmp_path: Path):
    other = chain(seed=bytes(32))
    other.append([body(1)])
    other.close()
    assert verify(tmp_path / "audit.log", None, CRYPTO).ok
    assert "another key" in said(check(tmp_path / "audit.log"))


def test_a_cut_end_is_found_by_a_head_that_was_kept(written: Path):
    head = check(written).head
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join(lines[:10]))
    assert check(written).unsigned == 8
    assert "the end was cut" in said(check(written, head))


def test_any_flipped_bit_is_found(written: Path):
    whole = written.read_bytes()

    @given(at=st.integers(0, len(whole) - 1), bit=st.integers(0, 7))
    def flipped(at: int, bit: int) -> None:
        data = bytearray(whole)
        data[at] ^= 1 << bit
        written.write_bytes(data)
        found = check(written)
        if at == len(whole) - 1:
            assert found.notes, "without its line break the last line counts as torn"
        else:
            assert not found.ok

    flipped()


def test_a_chain_goes_on_where_it_stopped(chain, tmp_path: Path):
    first = chain()
    first.append([body(1)])
    first.close()
    second = chain()
    assert second.head == first.head
    second.append([body(2)])
    second.close()
    found = check(tmp_path / "audit.log")
    assert found.ok
    assert found.entries == 2
    assert found.notes == []


def test_a_torn_last_line_is_marked_and_what_follows_is_verified(chain, tmp_path: Path):
    path = tmp_path / "audit.log"
    first = chain()
    first.append([body(1), body(2)])
    first.close()
    with path.open("ab") as file:
        file.write(b'{"n":3,"cha')
    assert check(path).ok, "a torn end is no forgery"
    assert "torn" in check(path).notes[0].what
    second = chain()
    second.append([body(4)])
    second.close()
    found = check(path)
    assert found.ok
    assert found.entries == 3
    assert "marked by the writer" in found.notes[0].what
    path.write_bytes(path.read_bytes().replace(b'{"n":3,"cha\n', b""))
    assert "missing" in said(check(path))


def test_a_file_that_held_other_lines_gets_a_chain_behind_them(chain, tmp_path: Path):
    path = tmp_path / "audit.log"
    path.write_bytes(b'{"from":"before"}\n' * 3)
    one = chain()
    one.append([body(1)])
    one.close()
    found = check(path)
    assert found.ok
    assert len(found.notes) == 1
    path.write_bytes(path.read_bytes().replace(b"before", b"beford", 1))
    assert not check(path).ok


def test_the_chain_runs_on_across_files(chain, tmp_path: Path, clock):
    one = chain()
    for number in range(3):
        one.append([body(number)])
        clock.advance(1)
        one.rotate()
    one.append([body(3)])
    one.close()
    found = check(tmp_path / "audit.log")
    assert found.ok
    assert found.entries == 4
    assert len(found.files) == 4
    assert check(tmp_path).ok
    assert check(tmp_path).lines == found.lines
    Path(found.files[1]).unlink()
    assert "are missing before this one" in said(check(tmp_path))


async def test_a_full_file_is_rotated_behind_the_append(chain, tmp_path: Path, until):
    one = chain(rotate_bytes=20_000)
    for number in range(200):
        one.append([json.dumps({"n": number, "text": "x" * 200}).encode()])
    await until(lambda: len(list(tmp_path.iterdir())) > 1)
    one.append([body(1)])
    one.close()
    assert check(tmp_path / "audit.log").ok
    assert check(tmp_path / "audit.log").entries == 201


async def test_a_signature_comes_after_so_many_lines_without_being_asked_for(chain, tmp_path: Path, until):
    one = chain(sign_lines=50)
    one.append([body(number) for number in range(49)])
    assert events(tmp_path / "audit.log").count("signed") == 1
    one.append([body(49)])
    await until(lambda: events(tmp_path / "audit.log").count("signed") == 2)
    assert check(tmp_path / "audit.log").unsigned == 0


async def test_a_signature_comes_some_time_after_the_first_unsigned_line(chain, tmp_path: Path, until):
    one = chain(sign_seconds=0.05)
    one.append([body(1)])
    await until(lambda: check(tmp_path / "audit.log").unsigned == 0)


def test_the_retention_removes_old_files_and_says_so_under_signature(chain, tmp_path: Path, clock):
    one = chain(retention_days=10)
    for number in range(3):
        one.append([body(number)])
        clock.advance(86_400)
        one.rotate()
    old = sorted(tmp_path.glob("audit.log.*"))
    for path in old[:2]:
        os.utime(path, (clock.time(), clock.time()))
    os.utime(old[2], (clock.time() + 86_400 * 20,) * 2)
    clock.advance(86_400 * 30)
    one.rotate()  # the file that is rotated was begun before anything is old
    clock.advance(1)
    one.append([body(9)])
    one.rotate()
    one.close()
    assert not any(path.exists() for path in old[:2])
    assert old[2].exists()
    found = check(tmp_path / "audit.log")
    assert found.ok, said(found)
    assert "the retention removed 2 files" in [note.what for note in found.notes]
    old[2].unlink()
    assert "no signed record says that the retention removed them" in said(check(tmp_path / "audit.log"))


def test_a_file_of_another_key_is_put_away_and_the_chain_goes_on_behind_it(chain, tmp_path: Path):
    old = chain(seed=bytes(32))
    old.append([body(1)])
    old.close()
    new = chain()
    new.append([body(2)])
    new.close()
    assert new.head.seq > old.head.seq
    first = json.loads((tmp_path / "audit.log").read_bytes().splitlines()[0])
    assert (first["reason"], first["follows"]) == ("key changed", {"seq": old.head.seq, "hash": old.head.hash})
    assert "another key" in said(verify(tmp_path, None, CRYPTO))


def test_what_somebody_else_wrote_into_the_open_file_is_marked(chain, tmp_path: Path):
    one = chain()
    one.append([body(1)])
    with (tmp_path / "audit.log").open("ab") as file:
        file.write(b'{"n":"forged"}\n')
    one.append([body(2)])
    one.close()
    found = check(tmp_path / "audit.log")
    assert found.ok
    assert found.entries == 2
    assert [note.line for note in found.notes] == [4]


def test_one_process_holds_the_file(chain):
    chain()
    with pytest.raises(AuditFileError, match="another process or device"):
        chain()


def test_a_removed_file_is_begun_again_and_its_loss_shows(chain, tmp_path: Path):
    one = chain()
    one.append([body(1)])
    (tmp_path / "audit.log").unlink()
    one.append([body(2)])
    one.close()
    assert json.loads((tmp_path / "audit.log").read_bytes().splitlines()[0])["reason"] == "removed"
    assert "are missing, and no signed record" in said(check(tmp_path / "audit.log"))


def test_a_file_that_became_a_folder_refuses_appends(chain, tmp_path: Path):
    one = chain()
    before = one.append([body(1)])
    (tmp_path / "audit.log").rename(tmp_path / "audit.log.moved")
    (tmp_path / "audit.log").mkdir()
    with pytest.raises(AuditFileError, match="is a directory"):
        one.reopen()
    with pytest.raises(AuditFileError, match="is a directory"):
        one.append([body(2)])
    (tmp_path / "audit.log").rmdir()
    assert one.append([body(2)]).seq > before.seq
    one.close()
    assert check(tmp_path / "audit.log").ok


def test_a_log_rotator_may_rename_the_file_and_ask_to_reopen(chain, tmp_path: Path):
    one = chain()
    one.append([body(1)])
    (tmp_path / "audit.log").rename(tmp_path / "audit.log.1")
    one.append([body(2)])
    one.reopen()
    one.append([body(3)])
    one.close()
    found = check(tmp_path / "audit.log")
    assert found.ok
    assert found.entries == 3
    assert [Path(name).name for name in found.files] == ["audit.log.1", "audit.log"]


def test_appending_to_a_closed_chain_is_refused(chain):
    one = chain()
    one.close()
    with pytest.raises(AuditFileError, match="closed"):
        one.append([body(1)])


def test_nothing_to_verify_is_said(tmp_path: Path):
    with pytest.raises(NotFoundError):
        check(tmp_path)
    with pytest.raises(NotFoundError):
        check(tmp_path / "missing.log")


@given(
    body=st.dictionaries(st.text(min_size=1).filter(lambda name: name != "chain"), st.text() | st.integers(), min_size=1),
    seq=st.integers(min_value=-1, max_value=10**15),
)
def test_a_line_is_read_back_as_it_was_linked(body: dict[str, object], seq: int):
    after = BEFORE_ALL if seq == -1 else Head(seq, "ab" * 32)
    raw, head = records.linked(json.dumps(body).encode(), after)
    line = records.parsed(raw.rstrip(b"\n"))
    assert line is not None
    assert (line.head, line.prev, line.is_whole) == (head, after.hash, True)
    assert {name: value for name, value in json.loads(raw).items() if name != "chain"} == body

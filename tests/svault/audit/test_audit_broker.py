"""The broker and its devices: what is written, and that nothing happens when nothing can be written."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from audit_lines import enable, lines
from disks import small_disk
from svault.audit.broker import AuditBroker
from svault.audit.entry import AuditAuth, AuditMount
from svault.audit.verify import verify
from svault.barrier.view import View
from svault.crypto.openssl import OpenSSLBackend
from svault.errors import BadRequestError, InternalError
from svault.logical.request import Auth, Lease, Operation, Response

pytestmark = pytest.mark.anyio
SEED = bytes(range(32))
CRYPTO = OpenSSLBackend()
CANARIES = ("canary-token", "canary-accessor", "canary-value", "canary-answer", "canary-list")


async def test_without_a_device_everything_passes(started, a_record):
    await started.log_request(a_record())
    await started.log_response(a_record())


async def test_an_entry_has_vault_s_members_and_no_value(started, a_record, tmp_path: Path):
    await enable(started, "file", file_path=str(tmp_path / "a.log"))
    record = a_record(
        data={"password": "canary-value", "n": 7, "f": 1.5, "b": True, "nul": None, "l": ["canary-list", {"x": "y"}]}
    )
    await started.log_request(record)
    record.response = Response({"version": 1, "text": "canary-answer"})
    await started.log_response(record)
    request, response = lines(tmp_path / "a.log")
    assert request["type"] == "request"
    assert request["auth"]["policy_results"] == {
        "allowed": True,
        "granting_policies": [{"name": "root", "namespace_id": "root", "type": "acl"}],
    }
    assert request["auth"]["token_issue_time"].endswith("Z")
    assert request["request"]["path"] == "secret/data/app"
    hashed = {name: started.hash("file", text) for name, text in {"v": "canary-value", "l": "canary-list", "y": "y"}.items()}
    assert request["request"]["data"]["data"] == {
        "password": hashed["v"],
        "n": 7,
        "f": 1.5,
        "b": True,
        "nul": None,
        "l": [hashed["l"], {"x": hashed["y"]}],
    }
    assert response["request"] == request["request"]
    assert response["response"]["data"] == {"version": 1, "text": started.hash("file/", "canary-answer")}
    text = (tmp_path / "a.log").read_text()
    assert not [canary for canary in CANARIES if canary in text]


async def test_what_a_mount_is_tuned_to_show_is_shown_right_under_its_key_and_in_its_lists(started, a_record, tmp_path: Path):
    await enable(started, "file", file_path=str(tmp_path / "a.log"))
    mount = AuditMount("secret/", "kv", "kv_1", "secret", frozenset({"l", "m", "data"}), frozenset({"version"}))
    record = a_record(mount=mount, data={"other": "z", "l": ["x", ["y"], {"k": "v"}], "m": {"q": "r"}})
    record.response = Response({"version": "seen", "other": "hidden"})
    await started.log_response(record)
    (entry,) = lines(tmp_path / "a.log")
    assert entry["request"]["data"]["data"] == {
        "other": started.hash("file", "z"),
        "l": ["x", ["y"], {"k": started.hash("file", "v")}],
        "m": {"q": started.hash("file", "r")},
    }
    assert entry["response"]["data"] == {"version": "seen", "other": started.hash("file", "hidden")}


async def test_the_options_of_a_device_say_what_stays_readable(started, a_record, tmp_path: Path):
    await enable(started, "raw", file_path=str(tmp_path / "raw.log"), log_raw="true", elide_list_responses="true")
    await enable(started, "px", file_path=str(tmp_path / "px.log"), prefix="PFX ", hmac_accessor="false", mode="0644")
    record = a_record("secret/metadata")
    record.request.operation = Operation.LIST
    record.response = Response({"keys": ["a", "b"], "key_info": {"a": {}}})
    await started.log_response(record)
    (raw,) = lines(tmp_path / "raw.log")
    assert raw["auth"]["client_token"].startswith("hvs.canary")
    assert raw["response"]["data"] == {"keys": 2, "key_info": 1}
    last = (tmp_path / "px.log").read_text().splitlines()[-1]
    assert last.startswith('PFX {"time":"')
    prefixed = json.loads(last.removeprefix("PFX "))
    assert prefixed["auth"]["accessor"] == "canary-accessor"
    assert prefixed["response"]["data"]["keys"] == [started.hash("px", "a"), started.hash("px", "b")]
    assert (tmp_path / "px.log").stat().st_mode & 0o777 == 0o644


async def test_a_login_a_lease_a_wrapping_and_an_error_are_shown_as_vault_shows_them(started, a_record, tmp_path: Path):
    await enable(started, "file", file_path=str(tmp_path / "a.log"))
    login = a_record("auth/userpass/login/u", password="canary-value")
    login.auth, login.request.token = AuditAuth(allowed=True), ""
    made = {"client_token": "hvs.canary-made", "accessor": "canary-accessor", "policies": ["default"], "lease_duration": 3600}
    login.response = Response(auth=Auth(["default"], display_name="userpass-u"), envelope={"auth": made})
    await started.log_response(login)
    leased = a_record("database/creds/r")
    leased.response = Response({"password": "canary-answer"}, lease=Lease("creds", {}, id="database/creds/r/abc"))
    await started.log_response(leased)
    wrapped = a_record()
    wrapped.request.wrap_ttl = 60
    info = {"token": "hvs.canary-wrap", "accessor": "canary-accessor", "ttl": 60, "creation_time": "t", "creation_path": "p"}
    wrapped.response = Response(envelope={"wrap_info": info})
    await started.log_response(wrapped)
    failed = a_record()
    failed.error = "permission denied"
    await started.log_request(failed)
    entries = lines(tmp_path / "a.log")
    token = {"client_token": started.hash("file", "hvs.canary-made"), "accessor": started.hash("file", "canary-accessor")}
    shown = {**token, "display_name": "userpass-u", "policies": ["default"], "token_type": "service", "token_ttl": 3600}
    assert entries[0]["auth"] == entries[0]["response"]["auth"] == shown
    assert entries[1]["response"]["secret"] == {"lease_id": "database/creds/r/abc"}
    assert entries[2]["request"]["wrap_ttl"] == 60
    assert entries[2]["response"]["wrap_info"]["token"] == started.hash("file", "hvs.canary-wrap")
    assert entries[3]["error"] == "permission denied"
    assert "canary" not in (tmp_path / "a.log").read_text()


async def test_headers_are_written_when_they_are_asked_for(started, a_record, tmp_path: Path):
    await enable(started, "file", file_path=str(tmp_path / "a.log"))
    await started.headers.put("X-Foo", hmac=True)
    await started.headers.put("X-Bar", hmac=False)
    record = a_record()
    record.request.headers = {"x-foo": "canary-value", "X-BAR": "shown", "x-other": "canary-answer"}
    await started.log_request(record)
    (entry,) = lines(tmp_path / "a.log")
    assert entry["request"]["headers"] == {"x-foo": [started.hash("file", "canary-value")], "x-bar": ["shown"]}
    await started.headers.remove("X-Foo")
    assert started.headers.all() == {"x-bar": {"hmac": False}}
    with pytest.raises(BadRequestError, match="Could not find header in config"):
        started.headers.get("x-foo")


async def test_odd_bodies_are_written_as_json_and_too_deep_ones_refused(started, a_record, tmp_path: Path):
    await enable(started, "file", file_path=str(tmp_path / "a.log"))
    await started.log_request(a_record(**{"half \ud800": "\ud800", "inf": float("inf"), "large": 10**30, "line": "a\nb"}))
    (entry,) = lines(tmp_path / "a.log")
    assert set(entry["request"]["data"]) == {"half \ud800", "inf", "large", "line"}
    deep: dict = {}
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(BadRequestError, match="nested too deeply"):
        await started.log_request(a_record(**deep))


async def test_the_file_is_a_chain_that_is_verified_with_the_public_key(started, a_record, tmp_path: Path):
    path = tmp_path / "made" / "a.log"
    await enable(started, "file", file_path=str(path))
    for _ in range(5):
        await started.log_request(a_record())
    await started.stop()
    found = verify(path, CRYPTO.dsa_public(SEED), CRYPTO)
    assert found.ok
    assert (found.entries, found.unsigned) == (6, 0)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_device_may_do_without_the_chain(started, a_record, tmp_path: Path):
    await enable(started, "file", file_path=str(tmp_path / "a.log"), chain="false")
    await started.log_request(a_record())
    assert "chain" not in (tmp_path / "a.log").read_text()
    assert len(lines(tmp_path / "a.log")) == 1


async def test_devices_are_there_again_after_an_unseal_with_the_same_salts(broker, entries, clock, a_record, tmp_path: Path):
    await broker.start(SEED)
    await broker.enable("file", "file", "a file", {"file_path": str(tmp_path / "a.log")}, local=True)
    before = broker.hash("file", "x")
    await broker.stop()
    assert broker.devices() == {}
    again = AuditBroker(View(entries, "core/audit/"), clock, CRYPTO)
    await again.start(SEED)
    assert again.hash("file", "x") == before
    assert again.devices()["file/"].as_dict() == {
        "description": "a file",
        "local": True,
        "options": {"file_path": str(tmp_path / "a.log")},
        "path": "file/",
        "type": "file",
    }
    await again.log_request(a_record())
    await again.disable("file")
    await again.disable("file")
    assert again.devices() == {}
    assert not [key for key in entries.kept if "salt" in key]
    await again.stop()


async def test_a_device_that_is_away_at_unseal_takes_entries_when_it_is_back(broker, entries, clock, a_record, tmp_path: Path):
    folder = tmp_path / "mounted"
    await broker.start(SEED)
    await enable(broker, "file", file_path=str(folder / "a.log"))
    await broker.stop()
    folder.rename(tmp_path / "away")
    again = AuditBroker(View(entries, "core/audit/"), clock, CRYPTO)
    await again.start(SEED)
    with pytest.raises(InternalError):
        await again.log_request(a_record())
    (tmp_path / "away").rename(folder)
    await asyncio.gather(*(again.log_request(a_record()) for _ in range(5)))
    await again.stop()
    assert len(lines(folder / "a.log")) == 5
    assert verify(folder / "a.log", CRYPTO.dsa_public(SEED), CRYPTO).ok


async def test_two_devices_each_have_their_own_salt_and_one_is_enough(started, a_record, tmp_path: Path):
    for name in ("one", "two"):
        await enable(started, name, file_path=str(tmp_path / name / "a.log"))
    assert started.hash("one", "x") != started.hash("two", "x")
    for name in ("one", "two"):
        (tmp_path / name / "a.log").unlink()
        (tmp_path / name / "a.log").mkdir()
        if name == "one":
            await started.log_request(a_record())
    with pytest.raises(InternalError, match="internal error"):
        await started.log_request(a_record())
    with pytest.raises(InternalError):
        await started.log_response(a_record())


async def test_sighup_opens_renamed_files_again(started, a_record, tmp_path: Path):
    path = tmp_path / "a.log"
    await enable(started, "file", file_path=str(path))
    await started.log_request(a_record())
    path.rename(tmp_path / "a.log.1")
    await started.reopen()
    await started.log_request(a_record())
    assert len(lines(path)) == len(lines(tmp_path / "a.log.1")) == 1
    await started.stop()
    assert verify(path, CRYPTO.dsa_public(SEED), CRYPTO).ok


@pytest.fixture
def disk(tmp_path: Path):
    """A file system of 64 KiB."""
    with small_disk(tmp_path / "small", 64 << 10):
        yield tmp_path / "small"


@pytest.mark.parametrize("chain", ["true", "false"])
async def test_a_full_disk_fails_the_request_and_leaves_whole_lines(started, a_record, disk: Path, tmp_path: Path, chain: str):
    path = disk / "a.log"
    await enable(started, "full", file_path=str(path), chain=chain)

    async def fill() -> None:
        for _ in range(1000):
            await started.log_request(a_record(text="x"))

    with pytest.raises(InternalError):
        await fill()
    taken = len(lines(path))
    assert taken > 10
    assert path.read_bytes().endswith(b"}\n")
    await enable(started, "second", file_path=str(tmp_path / "b.log"))
    await started.log_request(a_record(text="x"))
    assert len(lines(path)) == taken
    os.truncate(path, 0)
    await started.disable("second")
    await started.log_request(a_record())
    assert len(lines(path)) == 1


REFUSED = [
    ("file", {}, "file_path is required"),
    ("nope", {}, 'unknown backend type: "nope"'),
    (
        "file",
        {"file_path": "{folder}"},
        'sanity check failed; unable to open "{folder}" for writing: open {folder}: is a directory',
    ),
    (
        "file",
        {"file_path": "/proc/nope"},
        'sanity check failed; unable to open "/proc/nope" for writing: open /proc/nope: no such file or directory',
    ),
    ("file", {"file_path": "{folder}/c.log", "mode": "abc"}, 'strconv.ParseUint: parsing "abc": invalid syntax'),
    ("file", {"file_path": "{folder}/c.log", "mode": "0000"}, "stat {folder}/c.log: no such file or directory"),
    ("file", {"file_path": "{folder}/c.log", "log_raw": "maybe"}, 'strconv.ParseBool: parsing "maybe": invalid syntax'),
    ("file", {"file_path": "{folder}/c.log", "hmac_accessor": "x"}, 'strconv.ParseBool: parsing "x": invalid syntax'),
    ("file", {"file_path": "{folder}/c.log", "elide_list_responses": "x"}, 'strconv.ParseBool: parsing "x": invalid syntax'),
    ("file", {"file_path": "{folder}/c.log", "format": "xml"}, 'unknown format type "xml"'),
    (
        "file",
        {"file_path": "{folder}/c.log", "format": "jsonx"},
        'jsonx formatting has been removed, consider switching to json by omitting "format" or setting it to "json"',
    ),
    ("socket", {}, "address is required"),
    ("socket", {"address": "127.0.0.1:1", "write_timeout": "xx"}, 'time: invalid duration "xx"'),
    (
        "socket",
        {"address": "127.0.0.1:1"},
        "audit backend failed test message: 2 errors occurred:\n"
        + "\t* dial tcp 127.0.0.1:1: connect: connection refused\n" * 2
        + "\n",
    ),
    (
        "socket",
        {"address": "127.0.0.1:1", "socket_type": "foo"},
        "audit backend failed test message: 2 errors occurred:\n" + "\t* dial foo: unknown network foo\n" * 2 + "\n",
    ),
    (
        "socket",
        {"address": "{folder}/no.sock", "socket_type": "unix"},
        "audit backend failed test message: 2 errors occurred:\n"
        + "\t* dial unix {folder}/no.sock: connect: no such file or directory\n" * 2
        + "\n",
    ),
]


@pytest.mark.parametrize(("kind", "options", "message"), REFUSED)
async def test_a_device_that_cannot_be_is_refused_in_vault_s_words(started, tmp_path: Path, kind, options, message):
    filled = {name: text.replace("{folder}", str(tmp_path)) for name, text in options.items()}
    with pytest.raises(BadRequestError) as refused:
        await enable(started, "dev", kind, **filled)
    assert refused.value.errors == [message.replace("{folder}", str(tmp_path))]
    assert started.devices() == {}


async def test_a_path_under_another_device_s_path_is_in_use(started, tmp_path: Path):
    await enable(started, "px", file_path=str(tmp_path / "a.log"))
    for path in ("px", "px/", "px/in"):
        with pytest.raises(BadRequestError, match="path already in use"):
            await enable(started, path, file_path=str(tmp_path / "b.log"))
    await enable(started, "p", file_path=str(tmp_path / "b.log"))
    with pytest.raises(BadRequestError, match="another process or device writes this file"):
        await enable(started, "q", file_path=str(tmp_path / "b.log"))
    with pytest.raises(BadRequestError, match='unknown audit backend "none/"'):
        started.hash("none", "x")

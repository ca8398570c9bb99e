"""Whom a workspace believes: who may change the list, and what happens to one that was changed by others."""

import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioning.approval.errors import TrustAlteredError
from provisioning.approval.keys import ApproverKey, new_key
from provisioning.approval.pins import Pins
from provisioning.approval.trust import Trust
from stratumops.errors import ConflictError, NotFoundError, PermissionDeniedError, StratumError, UnavailableError

LINEAGE = "0b0f5a52-3f55-4f7d-9a44-3a5a3d0c9f10"


@pytest.fixture
def trust(folder: Path, pins: Pins) -> Trust:
    return Trust(folder, LINEAGE, pins)


@pytest.fixture
def unpinned(folder: Path) -> Trust:
    """As somebody sees it who has never seen it before."""
    return Trust(folder, LINEAGE)


def names(trust: Trust) -> list[str]:
    return sorted(one.name for one in trust.approvers().values())


def test_the_first_approver_is_trusted_on_first_use_and_the_list_says_so(trust: Trust, ana: ApproverKey, inigo: ApproverKey):
    assert trust.approvers() == {}
    trust.begin(ana, 1.0)
    trust.add("íñigo", inigo.public, ana, 2.0)
    assert [(one.action, one.name, one.by) for one in trust.entries()] == [
        ("first", "ana", ana.public.id),
        ("add", "íñigo", ana.public.id),
    ]
    assert {one.name: one.is_first for one in trust.approvers().values()} == {"ana": True, "íñigo": False}
    assert stat.S_IMODE(trust.path.stat().st_mode) == 0o600


def test_nobody_becomes_the_first_a_second_time(trust: Trust, ana: ApproverKey, inigo: ApproverKey):
    trust.begin(ana, 1.0)
    with pytest.raises(ConflictError, match="has approvers already: ana"):
        trust.begin(inigo, 2.0)
    assert names(trust) == ["ana"]


def test_a_stranger_vouches_for_nobody_not_even_for_itself(trust: Trust, ana: ApproverKey, inigo: ApproverKey):
    with pytest.raises(PermissionDeniedError):
        trust.add("íñigo", inigo.public, inigo, 1.0)
    trust.begin(ana, 1.0)
    with pytest.raises(PermissionDeniedError, match="no approver of this workspace"):
        trust.add("íñigo", inigo.public, inigo, 2.0)
    with pytest.raises(PermissionDeniedError):
        trust.remove("ana", inigo, 2.0)
    assert names(trust) == ["ana"]


def test_one_who_was_removed_vouches_no_longer(trust: Trust, ana: ApproverKey, inigo: ApproverKey):
    trust.begin(ana, 1.0)
    trust.add("íñigo", inigo.public, ana, 2.0)
    trust.remove("ana", inigo, 3.0)
    assert names(trust) == ["íñigo"]
    with pytest.raises(PermissionDeniedError):
        trust.add("eva", new_key("eva").public, ana, 4.0)


def test_the_last_approver_stays(trust: Trust, ana: ApproverKey):
    trust.begin(ana, 1.0)
    with pytest.raises(ConflictError, match="last approver"):
        trust.remove("ana", ana, 2.0)
    with pytest.raises(NotFoundError):
        trust.remove("eva", ana, 2.0)


def test_neither_a_name_nor_a_key_is_there_twice(trust: Trust, ana: ApproverKey, inigo: ApproverKey):
    trust.begin(ana, 1.0)
    with pytest.raises(ConflictError):
        trust.add("ana", inigo.public, ana, 2.0)
    with pytest.raises(ConflictError):
        trust.add("anita", ana.public, ana, 2.0)


def three(trust: Trust, ana: ApproverKey, inigo: ApproverKey) -> dict[str, Any]:
    trust.begin(ana, 1.0)
    trust.add("íñigo", inigo.public, ana, 2.0)
    trust.add("eva", new_key("eva").public, inigo, 3.0)
    return json.loads(trust.path.read_text())


def renamed(found: dict[str, Any]) -> None:
    found["entries"][1]["name"] = "mallory"


def another_key(found: dict[str, Any]) -> None:
    found["entries"][2]["public"] = new_key("mallory").public.text


def dropped(found: dict[str, Any]) -> None:
    del found["entries"][1]


def swapped(found: dict[str, Any]) -> None:
    found["entries"][1:] = reversed(found["entries"][1:])


def repeated(found: dict[str, Any]) -> None:
    found["entries"].append(found["entries"][-1])


def another_time(found: dict[str, Any]) -> None:
    found["entries"][0]["at"] = 0.5


def another_workspace(found: dict[str, Any]) -> None:
    found["entries"][0]["lineage"] = "another"


def bad_signature(found: dict[str, Any]) -> None:
    found["entries"][2]["signature"] = "no base64"


def bad_key(found: dict[str, Any]) -> None:
    found["entries"][2]["public"] = "AAAA"


def missing(found: dict[str, Any]) -> None:
    del found["entries"][0]["by"]


def wrong_kind(found: dict[str, Any]) -> None:
    found["entries"][0]["number"] = "1"


def emptied(found: dict[str, Any]) -> None:
    found["entries"] = []


@pytest.mark.parametrize(
    "change",
    [
        renamed,
        another_key,
        dropped,
        swapped,
        repeated,
        another_time,
        another_workspace,
        bad_signature,
        bad_key,
        missing,
        wrong_kind,
        emptied,
    ],
)
def test_a_list_that_somebody_altered_is_refused_and_named(
    change: Callable[[dict[str, Any]], None], unpinned: Trust, ana: ApproverKey, inigo: ApproverKey
):
    found = three(unpinned, ana, inigo)
    change(found)
    unpinned.path.write_text(json.dumps(found))
    with pytest.raises(TrustAlteredError) as refused:
        unpinned.approvers()
    assert str(unpinned.path) in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("text", ["[]", "{", '{"format": "another", "entries": []}', '{"entries": 7}'])
def test_a_list_that_is_none_is_refused(text: str, unpinned: Trust):
    unpinned.path.write_text(text)
    unpinned.path.chmod(0o600)
    with pytest.raises(TrustAlteredError, match="not a list of approvers"):
        unpinned.approvers()


def test_a_list_that_others_could_have_written_is_refused(trust: Trust, ana: ApproverKey):
    trust.begin(ana, 1.0)
    trust.path.chmod(0o666)
    with pytest.raises(PermissionDeniedError, match="0666"):
        trust.approvers()


def test_a_list_that_was_cut_is_noticed_by_whoever_saw_the_whole(
    trust: Trust, unpinned: Trust, ana: ApproverKey, inigo: ApproverKey
):
    found = three(trust, ana, inigo)
    found["entries"].pop()
    trust.path.write_text(json.dumps(found))
    assert names(unpinned) == ["ana", "íñigo"]
    with pytest.raises(TrustAlteredError, match="lacks what you saw of it last"):
        trust.approvers()


def test_a_list_that_was_begun_anew_behind_ones_back_is_noticed(trust: Trust, folder: Path, ana: ApproverKey):
    trust.begin(ana, 1.0)
    trust.path.unlink()
    with pytest.raises(TrustAlteredError, match="lacks what you saw"):
        trust.approvers()
    Trust(folder, LINEAGE).begin(new_key("mallory"), 2.0)
    with pytest.raises(TrustAlteredError, match="another list stands in its place"):
        trust.approvers()


def test_a_list_that_another_user_made_longer_is_fine(trust: Trust, folder: Path, ana: ApproverKey, inigo: ApproverKey):
    trust.begin(ana, 1.0)
    Trust(folder, LINEAGE).add("íñigo", inigo.public, ana, 2.0)
    assert names(trust) == ["ana", "íñigo"]
    trust.pin()


def test_of_many_who_would_be_the_first_at_once_one_is(folder: Path):
    keys = [new_key(f"approver{number}") for number in range(6)]
    done: list[str] = []
    together = threading.Barrier(len(keys))

    def begin(key: ApproverKey) -> None:
        together.wait()
        try:
            Trust(folder, LINEAGE).begin(key, 1.0)
        except ConflictError:
            done.append("refused")
        else:
            done.append(key.name)

    threads = [threading.Thread(target=begin, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done)[-5:] == ["refused"] * 5
    assert names(Trust(folder, LINEAGE)) == [one for one in done if one != "refused"]


def test_a_folder_that_is_gone_is_told_without_a_traceback(tmp_path: Path, ana: ApproverKey):
    with pytest.raises(UnavailableError):
        Trust(tmp_path / "nowhere", LINEAGE).begin(ana, 1.0)
    (tmp_path / "approvers.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnavailableError):
        Trust(tmp_path, LINEAGE).approvers()


@pytest.mark.parametrize("text", ["[]", "{"])
def test_what_was_seen_is_not_believed_when_it_is_damaged(text: str, pins: Pins):
    pins.put(LINEAGE, "a" * 64)
    assert pins.get(LINEAGE) == "a" * 64
    pins.path.write_text(text)
    with pytest.raises(StratumError, match="is damaged"):
        pins.get(LINEAGE)


def test_what_was_seen_of_one_workspace_says_nothing_of_another(pins: Pins):
    pins.put("one", "a" * 64)
    pins.put("two", "b" * 64)
    assert (pins.get("one"), pins.get("two"), pins.get("three")) == ("a" * 64, "b" * 64, "")


def test_what_was_seen_that_cannot_be_kept_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError):
        Pins(tmp_path / "file" / "workspaces.json").put(LINEAGE, "a" * 64)

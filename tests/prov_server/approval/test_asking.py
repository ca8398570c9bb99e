"""A person approves at a terminal; nothing else does. Real processes on real pseudo-terminals."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from prov_server.approval.places import own_seat
from provisioning.approval.approvals import Approvals
from provisioning.approval.key_files import ApproverFolder
from provisioning.approval.keys import ApproverKey, new_key
from provisioning.approval.pins import Pins
from provisioning.approval.trust import Trust
from provisioning.errors import ApprovalInvalidError
from provisioning.state.model import StoredPlan
from provisioning.state.store import StateStore
from stratumops.errors import ApprovalRequiredError

from .conftest import PASSPHRASE, PROGRAM, MakePlan, Start, events, word

QUESTION = "Type {} to approve"
PASSPHRASE_OF = "passphrase of {} (not shown): "


def kinds(workspace: Path) -> list[str]:
    return [one["kind"] for one in events(workspace)]


@pytest.fixture
def approvals(workspace: Path, store: StateStore) -> Approvals:
    return Approvals(store, Trust(workspace / ".prov", store.head().lineage), workspace / ".prov")


@pytest.mark.usefixtures("ana")
def test_a_person_sees_the_plan_types_its_word_and_the_passphrase(
    start: Start, plan: StoredPlan, approvals: Approvals, workspace: Path
):
    terminal = start("approve", plan.id)
    before = terminal.wait_for(QUESTION.format(word(plan)))
    assert f"The plan {plan.id}" in before
    assert "ana (key " in before
    assert "becomes the first one, because nobody" in before
    terminal.send(word(plan) + "\n")
    terminal.answer(PASSPHRASE_OF.format("ana"), PASSPHRASE)
    assert terminal.ended() == 0, terminal.transcript
    assert "approved by ana" in terminal.transcript
    assert PASSPHRASE not in terminal.transcript
    who = approvals.valid(plan).who
    assert (who.approver, who.way, who.host) == ("ana", "signature", os.uname().nodename)
    assert who.terminal.startswith("/dev/pts/")
    assert kinds(workspace) == ["approver_first", "approved"]
    assert "trusted on first use" in events(workspace)[0]["note"]


@pytest.mark.usefixtures("ana")
def test_a_plan_cannot_drive_the_terminal_that_shows_it(start: Start, plan: StoredPlan):
    shown = start("approve", plan.id).wait_for(QUESTION.format(word(plan)))
    assert "\x1b[1mThe plan" in shown
    assert "\x1b]0;" not in shown
    assert "\x9b" not in shown
    assert "\\u{1b}]0;title\\u{7}" in shown


@pytest.mark.usefixtures("ana")
@pytest.mark.parametrize("answer", ["", "yes", "sí", "\udcff"])
def test_anything_but_the_word_approves_nothing(
    answer: str, start: Start, plan: StoredPlan, approvals: Approvals, workspace: Path
):
    terminal = start("approve", plan.id)
    terminal.wait_for(QUESTION.format(word(plan)))
    os.write(terminal._master, answer.encode("utf-8", "surrogateescape") + b"\n")
    assert terminal.ended() == 6
    assert "approval_required" in terminal.transcript
    assert kinds(workspace) == ["not_confirmed"]
    with pytest.raises(ApprovalRequiredError):
        approvals.valid(plan)


@pytest.mark.usefixtures("ana")
def test_what_comes_through_a_pipe_is_not_read_even_on_a_terminal(start: Start, plan: StoredPlan, workspace: Path):
    terminal = start("approve", plan.id, stdin=subprocess.PIPE)
    assert terminal.process.stdin
    terminal.process.stdin.write(f"{word(plan)}\n{PASSPHRASE}\n".encode())
    terminal.process.stdin.close()
    terminal.answer(QUESTION.format(word(plan)), "no")
    assert terminal.ended() == 6
    assert kinds(workspace) == ["not_confirmed"]


@pytest.mark.usefixtures("ana")
def test_the_person_is_asked_on_the_terminal_wherever_the_output_goes(start: Start, plan: StoredPlan, tmp_path: Path):
    with (tmp_path / "out").open("wb") as out:
        terminal = start("approve", plan.id, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        terminal.answer(QUESTION.format(word(plan)), word(plan))
        terminal.answer(PASSPHRASE_OF.format("ana"), PASSPHRASE)
        assert terminal.ended() == 0
    assert (tmp_path / "out").read_text() == "approved by ana\n"
    assert f"The plan {plan.id}" in terminal.transcript


@pytest.mark.usefixtures("ana")
@pytest.mark.parametrize("action", ["approve", "deny", "new"])
def test_without_a_terminal_nothing_is_approved_and_the_person_is_told_what_to_do(
    action: str, plan: StoredPlan, environment: dict[str, str], workspace: Path, store: StateStore
):
    done = subprocess.run(
        [sys.executable, PROGRAM, workspace, action, plan.id],
        env=environment,
        input=f"{word(plan)}\n{PASSPHRASE}\n{PASSPHRASE}\n",
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6
    assert done.stdout.startswith("error[no_terminal]: ")
    assert "run this command yourself in a terminal" in done.stdout
    assert store.approvals(plan.sha256) == []
    assert not store.plan(plan.id).denied_by


@pytest.mark.usefixtures("ana")
def test_a_terminal_that_is_only_on_stdin_is_none(plan: StoredPlan, environment: dict[str, str], workspace: Path):
    master, device = os.openpty()
    try:
        os.write(master, f"{word(plan)}\n{PASSPHRASE}\n".encode())
        done = subprocess.run(
            [sys.executable, PROGRAM, workspace, "approve", plan.id],
            env=environment,
            stdin=device,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(master)
        os.close(device)
    assert (done.returncode, "error[no_terminal]" in done.stdout) == (6, True)


@pytest.mark.usefixtures("ana")
def test_three_wrong_passphrases_end_it_later_each_time_and_leave_a_trace(
    start: Start, plan: StoredPlan, approvals: Approvals, workspace: Path
):
    terminal = start("approve", plan.id)
    terminal.answer(QUESTION.format(word(plan)), word(plan))
    for number in range(3):
        terminal.answer(PASSPHRASE_OF.format("ana"), f"not the passphrase {number}")
    assert terminal.ended() == 5
    assert "error[wrong_passphrase]" in terminal.transcript
    assert "2 more tries" in terminal.transcript
    assert kinds(workspace) == ["passphrase_wrong"] * 3 + ["passphrase_refused"]
    assert (workspace / "delays").read_text().split() == ["1.0", "2.0", "4.0"]
    assert "not the passphrase" not in (workspace / "events.jsonl").read_text() + terminal.transcript
    assert approvals.trust.entries() == ()
    with pytest.raises(ApprovalRequiredError):
        approvals.valid(plan)


@pytest.mark.usefixtures("ana")
def test_the_second_try_may_be_right(start: Start, plan: StoredPlan, approvals: Approvals):
    terminal = start("approve", plan.id)
    terminal.answer(QUESTION.format(word(plan)), word(plan))
    terminal.answer(PASSPHRASE_OF.format("ana"), "something else")
    terminal.answer(PASSPHRASE_OF.format("ana"), PASSPHRASE)
    assert terminal.ended() == 0
    assert approvals.valid(plan).who.approver == "ana"


def test_a_person_denies_after_seeing_the_plan_again_and_needs_no_key(
    start: Start, plan: StoredPlan, store: StateStore, workspace: Path
):
    terminal = start("deny", plan.id)
    assert f"The plan {plan.id}" in terminal.wait_for(f"Type {word(plan)} to deny")
    terminal.send(word(plan) + "\n")
    assert terminal.ended() == 0
    assert store.plan(plan.id).denied_why == "demasiado caro"
    assert kinds(workspace) == ["denied"]
    again = start("approve", plan.id)
    assert again.ended() == 6
    assert "error[approval_denied]" in again.transcript


def test_whoever_has_no_key_is_told_how_to_make_one(start: Start, plan: StoredPlan):
    terminal = start("approve", plan.id)
    assert terminal.ended() == 6
    assert "prov approver new NAME" in terminal.transcript


def test_a_key_is_made_with_a_passphrase_typed_twice(start: Start, environment: dict[str, str], workspace: Path):
    terminal = start("new", "íñigo")
    terminal.answer("new passphrase for íñigo (not shown): ", PASSPHRASE)
    terminal.answer("the same again: ", PASSPHRASE)
    assert terminal.ended() == 0
    public = ApproverFolder.of_user(environment, workspace).public("íñigo")
    assert f"made {public.id}" in terminal.transcript
    assert PASSPHRASE not in terminal.transcript
    assert kinds(workspace) == ["approver_made"]


@pytest.mark.parametrize(("first", "second", "why"), [("corta", "", "too short"), (PASSPHRASE, PASSPHRASE + "!", "differ")])
def test_no_key_is_made_with_a_weak_passphrase_or_two_different_ones(
    first: str, second: str, why: str, start: Start, environment: dict[str, str], workspace: Path
):
    terminal = start("new", "íñigo")
    terminal.answer("new passphrase for íñigo (not shown): ", first)
    if second:
        terminal.answer("the same again: ", second)
    assert terminal.ended() == 2
    assert why in terminal.transcript
    assert ApproverFolder.of_user(environment, workspace).names() == []


@pytest.fixture
def anas_workspace(approvals: Approvals, anas_key: ApproverKey, environment: dict[str, str]) -> Approvals:
    """Ana is the first approver already, and has seen the list that says so."""
    approvals.trust.begin(anas_key, time.time())
    _sees(approvals, environment)
    return approvals


def _sees(approvals: Approvals, environment: dict[str, str]) -> None:
    """Somebody with another home adopts the workspace's list of approvers."""
    trust = approvals.trust
    seen = Trust(trust.path.parent, trust.entries()[0].lineage, Pins.of_user(environment)).accept()
    assert "ana" in [one.name for one in seen]


@pytest.mark.usefixtures("ana", "anas_workspace")
def test_who_never_saw_the_list_of_approvers_is_told_to_look_at_it(
    start: Start, plan: StoredPlan, environment: dict[str, str], workspace: Path, tmp_path: Path
):
    environment["HOME"] = str(tmp_path / "home-of-íñigo")
    ApproverFolder.of_user(environment, workspace).make("íñigo", PASSPHRASE + "!")
    refused = start("approve", plan.id)
    assert refused.ended() == 5
    assert "error[workspace_not_adopted]" in refused.transcript
    assert "prov trust" in refused.transcript


@pytest.mark.usefixtures("ana")
def test_a_second_approver_is_refused(
    start: Start, plan: StoredPlan, anas_workspace: Approvals, environment: dict[str, str], workspace: Path, tmp_path: Path
):
    environment["HOME"] = str(tmp_path / "home-of-íñigo")
    ApproverFolder.of_user(environment, workspace).make("íñigo", PASSPHRASE + "!")
    _sees(anas_workspace, environment)
    refused = start("approve", plan.id)
    assert refused.ended() == 6
    assert "error[approval_invalid]: íñigo may not approve in this workspace; its approvers are: ana" in refused.transcript


@pytest.mark.usefixtures("ana")
def test_a_second_approver_approves_once_the_first_has_signed_for_it(
    start: Start, plan: StoredPlan, anas_workspace: Approvals, environment: dict[str, str], workspace: Path, tmp_path: Path
):
    his_home = {"HOME": str(tmp_path / "home-of-íñigo")}
    folder = ApproverFolder.of_user(his_home, workspace)
    public = folder.make("íñigo", PASSPHRASE + "!")
    environment["OTHER"] = str(folder.path)
    adding = start("add", "íñigo")
    adding.answer(f"Type {public.id[:4]} to sign this", public.id[:4])
    adding.answer(PASSPHRASE_OF.format("ana"), PASSPHRASE)
    assert adding.ended() == 0, adding.transcript
    environment |= his_home
    _sees(anas_workspace, environment)
    approving = start("approve", plan.id)
    approving.answer(QUESTION.format(word(plan)), word(plan))
    approving.answer(PASSPHRASE_OF.format("íñigo"), PASSPHRASE + "!")
    assert approving.ended() == 0, approving.transcript
    assert anas_workspace.valid(plan).who.approver == "íñigo"


@pytest.mark.usefixtures("ana")
def test_an_approver_who_was_removed_approves_no_more(
    start: Start, plan: StoredPlan, anas_workspace: Approvals, anas_key: ApproverKey
):
    other = new_key("íñigo")
    anas_workspace.trust.add("íñigo", other.public, anas_key, time.time())
    anas_workspace.approve(plan, other, own_seat())
    removing = start("remove", "íñigo")
    removing.answer(f"Type {other.public.id[:4]} to sign this", other.public.id[:4])
    removing.answer(PASSPHRASE_OF.format("ana"), PASSPHRASE)
    assert removing.ended() == 0, removing.transcript
    with pytest.raises(ApprovalInvalidError, match="no approver of this workspace"):
        anas_workspace.valid(plan)


@pytest.mark.usefixtures("ana")
def test_changing_who_approves_needs_a_first_approver_too_and_says_so(
    start: Start, environment: dict[str, str], tmp_path: Path, workspace: Path
):
    others = ApproverFolder(tmp_path / "others")
    public = others.make("íñigo", PASSPHRASE)
    environment["OTHER"] = str(others.path)
    adding = start("add", "íñigo")
    assert "becomes the first one" in adding.wait_for("Type")
    adding.send(public.id[:4] + "\n")
    adding.answer(PASSPHRASE_OF.format("ana"), PASSPHRASE)
    assert adding.ended() == 0
    assert kinds(workspace) == ["approver_first", "approver_added"]
    gone = start("remove", "eva")
    assert gone.ended() == 3


def test_of_several_keys_the_person_says_which(start: Start, ana: ApproverFolder, plan: StoredPlan, approvals: Approvals):
    ana.make("eva", PASSPHRASE)
    asked = start("approve", plan.id)
    assert asked.ended() == 2
    assert "you have several approver keys: ana, eva" in asked.transcript
    terminal = start("approve-as", f"{plan.id}/eva")
    terminal.answer(QUESTION.format(word(plan)), word(plan))
    terminal.answer(PASSPHRASE_OF.format("eva"), PASSPHRASE)
    assert terminal.ended() == 0
    # Now that one of them is trusted here, it is the one that is meant.
    again = start("approve", plan.id)
    again.answer(QUESTION.format(word(plan)), word(plan))
    again.answer(PASSPHRASE_OF.format("eva"), PASSPHRASE)
    assert again.ended() == 0


@pytest.mark.usefixtures("ana")
def test_a_row_that_was_written_by_hand_does_not_hold(
    start: Start, plan: StoredPlan, make_plan: MakePlan, store: StateStore, approvals: Approvals
):
    terminal = start("approve", plan.id)
    terminal.answer(QUESTION.format(word(plan)), word(plan))
    terminal.answer(PASSPHRASE_OF.format("ana"), PASSPHRASE)
    assert terminal.ended() == 0
    other = make_plan("a hundred web servers")
    (given,) = store.approvals(plan.sha256)
    members = json.loads(given.document) | {"plan": other.id, "plan_sha256": other.sha256}
    body = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    store.add_approval(replace(given, plan_sha256=other.sha256, document=body))
    with pytest.raises(ApprovalInvalidError, match="signature is wrong"):
        approvals.valid(other)

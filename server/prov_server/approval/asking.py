"""What `prov approve`, `prov deny`, `prov apply` and `prov approver` do with a person: show, ask, sign.

Everything is shown and asked on the terminal device. A word that comes from the plan is typed every time; the passphrase is
remembered for five minutes for the same shell on the same terminal, as sudo's is.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from prov_server.approval.events import ApprovalEvent, EventKind, OnEvent, unheard
from prov_server.approval.places import keep_memory_private, own_seat
from prov_server.approval.remembered import recall, remember, runtime_folder
from prov_server.approval.terminal import Terminal
from provisioning.approval.approvals import Approvals
from provisioning.approval.document import Who
from provisioning.approval.errors import WrongPassphraseError
from provisioning.approval.key_files import ApproverFolder, checked_name
from provisioning.approval.keys import ApproverKey, PublicKey, check_passphrase, unlock_key
from provisioning.approval.trust import Approver
from provisioning.errors import ApprovalInvalidError
from provisioning.state.model import StoredPlan
from stratumops.errors import ApprovalRequiredError, InvalidInputError, NotFoundError, StratumError, UnavailableError

REMEMBERED_SECONDS = 300.0
DELAYS = (1.0, 2.0, 4.0)
"""Seconds after each wrong passphrase; as many as there are tries."""
_WORD = 4
_FIRST = """No approver is trusted in this workspace yet. With this, {name} (key {key}) becomes the first one, because nobody
else is there to vouch for it. Every further approver needs the signature of one who is trusted already."""

Render = Callable[[StoredPlan], str]


@dataclass(frozen=True, slots=True)
class Desk:
    """What asking needs besides a person: where keys lie, where opened ones are kept, and whom to tell."""

    folder: ApproverFolder
    runtime: Path
    on_event: OnEvent = unheard
    remembered_seconds: float = REMEMBERED_SECONDS
    wait: Callable[[float], None] = time.sleep

    @classmethod
    def of_user(cls, environment: Mapping[str, str], workspace: Path, on_event: OnEvent = unheard) -> Self:
        """This user's. Raises PermissionDeniedError when keys would lie in the workspace."""
        return cls(ApproverFolder.of_user(environment, workspace), runtime_folder(environment), on_event)

    def tell(self, kind: EventKind, *, approver: str = "", plan: str = "", note: str = "") -> None:
        """Tell what happened, with who sits here."""
        seat = own_seat()
        self.on_event(ApprovalEvent(kind, time.time(), seat.user, seat.host, seat.terminal, approver, plan, note))


def word_of(name: str) -> str:
    """What a person types to say yes: the first four digits of a plan's id, or of a key's."""
    return name.removeprefix("plan-")[:_WORD]


def approve(desk: Desk, approvals: Approvals, plan_id: str, render: Render, *, approver: str = "") -> Who:
    """Show a plan, ask, sign and keep the approval; answers who gave it.

    `approver` names the key when the user has several. Raises NoTerminalError, NotFoundError (plan, key), PlanSpentError,
    ApprovalDeniedError, ApprovalRequiredError (the person did not say yes), WrongPassphraseError, ApprovalInvalidError (the key
    is not trusted here), TrustAlteredError, KeyboardInterrupt.
    """
    with Terminal() as terminal:
        keep_memory_private()
        plan = approvals.open_plan(plan_id)
        name, public, is_first = _chosen(desk, approvals, approver)
        terminal.show(render(plan))
        if is_first:
            terminal.show(_FIRST.format(name=name, key=public.id))
        _confirm(desk, terminal, plan.id, f"to approve {plan.id}", approver=name)
        if not is_first and (remembered := recall(name, public, desk.runtime)):
            try:
                who = approvals.approve(plan, remembered, own_seat())
            except (UnavailableError, ApprovalInvalidError):
                pass  # its time ended just now: the passphrase is asked for, and what is really wrong shows again
            else:
                desk.tell("approved", approver=name, plan=plan.id, note="the key was remembered")
                return who
        key = _opened(desk, terminal, name, plan=plan.id)
        if is_first:
            _begin(desk, approvals, key, plan=plan.id)
        who = approvals.approve(plan, key, own_seat())
        desk.tell("approved", approver=name, plan=plan.id)
        if desk.remembered_seconds > 0 and not remember(key, desk.runtime, desk.remembered_seconds):
            terminal.show("The key could not be remembered: the passphrase is asked for next time too.")
        return who


def deny(desk: Desk, approvals: Approvals, plan_id: str, render: Render, *, why: str = "") -> None:
    """Show a plan, ask, and deny it for good. Raises as `approve` does; no key is needed to say no."""
    with Terminal() as terminal:
        plan = approvals.open_plan(plan_id)
        terminal.show(render(plan))
        _confirm(desk, terminal, plan.id, f"to deny {plan.id}")
        approvals.deny(plan, own_seat(), why)
        desk.tell("denied", plan=plan.id, note=why)


def make_approver(desk: Desk, name: str) -> PublicKey:
    """Make an approver key; its passphrase is typed twice.

    Raises NoTerminalError, ConflictError (there is one), InvalidInputError (the name, a weak passphrase, or two different ones).
    """
    with Terminal() as terminal:
        keep_memory_private()
        name = checked_name(name)
        passphrase = terminal.ask(f"new passphrase for {name} (not shown): ", is_hidden=True)
        check_passphrase(passphrase)
        if terminal.ask("the same again: ", is_hidden=True) != passphrase:
            raise InvalidInputError("the two passphrases differ; no key was made", hint="run the command again")
        public = desk.folder.make(name, passphrase)
        desk.tell("approver_made", approver=name, note=f"key {public.id}")
        return public


def add_approver(desk: Desk, approvals: Approvals, name: str, public: PublicKey, *, by: str = "") -> Approver:
    """Trust another approver in this workspace; one who is trusted types the passphrase. Raises as `Trust.add` and `approve`."""
    with Terminal() as terminal:
        signer = _signer(desk, approvals, terminal, by, f"{name} (key {public.id}) will be able to approve plans.", public.id)
        added = approvals.trust.add(name, public, signer, approvals.now)
        desk.tell("approver_added", approver=added.name, note=f"key {public.id}, signed by {signer.name}")
        return added


def remove_approver(desk: Desk, approvals: Approvals, name: str, *, by: str = "") -> None:
    """Trust an approver no longer; its approvals stop holding. Raises as `Trust.remove` and `approve`."""
    with Terminal() as terminal:
        found = [one for one in approvals.trust.approvers().values() if one.name == name]
        if not found:
            raise NotFoundError(f"{name!r} is no approver of this workspace", hint="prov approver list shows them")
        signer = _signer(desk, approvals, terminal, by, f"Approvals of {name} will not hold any more.", found[0].key_id)
        approvals.trust.remove(name, signer, approvals.now)
        desk.tell("approver_removed", approver=name, note=f"signed by {signer.name}")


def _signer(desk: Desk, approvals: Approvals, terminal: Terminal, by: str, effect: str, key_id: str) -> ApproverKey:
    """Who signs a change of the list. The passphrase is typed even when it is remembered: what is kept signs approvals only."""
    keep_memory_private()
    name, public, is_first = _chosen(desk, approvals, by)
    if is_first:
        terminal.show(_FIRST.format(name=name, key=public.id))
    terminal.show(effect)
    _confirm(desk, terminal, key_id, "to sign this", approver=name)
    key = _opened(desk, terminal, name)
    if is_first:
        _begin(desk, approvals, key)
    return key


def _begin(desk: Desk, approvals: Approvals, key: ApproverKey, *, plan: str = "") -> None:
    approvals.trust.begin(key, approvals.now)
    desk.tell("approver_first", approver=key.name, plan=plan, note=f"key {key.public.id}, trusted on first use")


def _chosen(desk: Desk, approvals: Approvals, wanted: str) -> tuple[str, PublicKey, bool]:
    """Whose key signs, its public half, and whether it will be the first that the workspace trusts."""
    names = desk.folder.names()
    trusted = approvals.trust.approvers()
    if wanted:
        names = [checked_name(wanted)]
    if not names:
        raise ApprovalRequiredError("you have no approver key yet", hint="make one, in a terminal: prov approver new NAME")
    known = [(name, desk.folder.public(name)) for name in names]
    if trusted:
        fitting = [(name, public) for name, public in known if public.id in trusted and trusted[public.id].name == name]
        if not fitting:
            there = ", ".join(sorted(one.name for one in trusted.values()))
            raise ApprovalInvalidError(
                f"{', '.join(names)} may not approve in this workspace; its approvers are: {there}",
                hint="one of them must sign for you: prov approver add NAME KEY (yours: prov approver show NAME)",
            )
        known = fitting
    if len(known) > 1:
        raise InvalidInputError(
            f"you have several approver keys: {', '.join(name for name, _ in known)}", hint="say which: --as NAME"
        )
    return *known[0], not trusted


def _confirm(desk: Desk, terminal: Terminal, name: str, what: str, *, approver: str = "") -> None:
    word = word_of(name)
    typed = terminal.ask(f"Type {word} {what}, anything else leaves everything as it is: ")
    if typed.strip().lower() != word:
        desk.tell("not_confirmed", approver=approver, plan=name if name.startswith("plan-") else "")
        raise ApprovalRequiredError(f"{word} was not typed: nothing was done", hint="run the command again when you have decided")


def _opened(desk: Desk, terminal: Terminal, name: str, *, plan: str = "") -> ApproverKey:
    """The decrypted key, after at most three tries."""
    text = desk.folder.text(name)
    problem: StratumError | None = None
    for number, delay in enumerate(DELAYS, start=1):
        try:
            return unlock_key(text, terminal.ask(f"passphrase of {name} (not shown): ", is_hidden=True))
        except WrongPassphraseError as error:
            problem = error
            left = len(DELAYS) - number
            desk.tell("passphrase_wrong", approver=name, plan=plan, note=f"try {number} of {len(DELAYS)}")
            terminal.show(f"That does not open the key; {left} more tries." if left else "That does not open the key either.")
            desk.wait(delay)
    desk.tell("passphrase_refused", approver=name, plan=plan)
    assert problem is not None
    raise problem

"""`prov approve`, `deny` and `approver`: what only a person at a terminal can do."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command, Group
from prov_server.cli.session import Session
from stratumops.errors import ConflictError, InvalidInputError

if TYPE_CHECKING:
    from prov_server.approval.asking import Desk


def _approve(plan_id: str, approver: str) -> None:
    from prov_server.cli.commands.apply import person_approves
    from prov_server.cli.engines import opened

    session = Session.current()
    with opened(session) as here:
        stored, plan = here.run(here.engine.find_plan(plan_id))
        here.require_same_source(plan)
        who = person_approves(here, stored.id, approver)
    if session.as_json:
        session.say_json({"plan": plan.id, "approved_by": who})
    else:
        session.out.print(Text.assemble(("approved", "good"), f" by {visible(who)}: {plan.id}"), soft_wrap=True)


def _deny(plan_id: str, why: str) -> None:
    from prov_server.approval.asking import deny
    from prov_server.cli.commands.apply import rendered
    from prov_server.cli.engines import opened

    session = Session.current()
    with opened(session) as here:
        stored, _ = here.run(here.engine.find_plan(plan_id))
        deny(here.desk(), here.run(here.engine.approvals()), stored.id, rendered(here), why=why)
    if session.as_json:
        session.say_json({"plan": stored.id, "denied": True})
    else:
        session.out.print(Text.assemble(("denied", "warning"), f" {stored.id}"), soft_wrap=True)


def _new(name: str) -> None:
    from prov_server.approval.asking import make_approver
    from prov_server.cli.engines import opened

    session = Session.current()
    with opened(session) as here:
        desk = here.desk()
        if name in desk.folder.names():  # before a passphrase is typed for nothing
            raise ConflictError(
                f"you have a key {visible(name)} already", hint="use another name; `prov approver show` prints it"
            )
        public = make_approver(desk, name)
    if session.as_json:
        session.say_json({"approver": name, "key": public.id})
        return
    session.out.print(Text.assemble(("made", "good"), f" the approver {visible(name)}, key {public.id}"), soft_wrap=True)
    session.notes.print(
        "The first approval that you give in a workspace makes you its first approver; others are added by those who are there.\n"
        f"Keep a copy of {desk.folder.file(name)}: without it and its passphrase you cannot approve.",
        soft_wrap=True,
    )


def _list() -> None:
    from prov_server.cli.engines import opened

    session = Session.current()
    with opened(session) as here:
        approvals = here.run(here.engine.approvals())
        trusted = approvals.trust.approvers()
    mine = {_public(session, name): name for name in _desk(session).folder.names()}
    rows = [{"name": one.name, "key": key, "mine": key in mine, "since": _moment(one.since)} for key, one in trusted.items()]
    others = [name for key, name in mine.items() if key not in trusted]
    if session.as_json:
        session.say_json({"approvers": rows, "your_other_keys": others})
        return
    if not rows:
        session.out.print("nobody may approve here yet: the first approval makes its giver the first approver")
    else:
        table = Table(box=None, header_style="quiet", pad_edge=False)
        for name in ("approver", "key", "yours", "since"):
            table.add_column(name)
        for row in rows:
            table.add_row(visible(str(row["name"])), str(row["key"]), "yes" if row["mine"] else "", str(row["since"]))
        session.out.print(table)
    if others:
        session.notes.print(f"your keys that are not trusted here: {', '.join(map(visible, others))}", soft_wrap=True)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _show(name: str) -> None:
    session = Session.current()
    public = _desk(session).folder.public(name)
    if session.as_json:
        session.say_json({"approver": name, "key": public.id, "public": public.text})
    else:
        session.out.print(Text(public.text), soft_wrap=True)


def _add(name: str, public: str, approver: str) -> None:
    from prov_server.approval.asking import add_approver
    from prov_server.cli.engines import opened
    from provisioning.approval.keys import PublicKey

    session = Session.current()
    try:
        key = PublicKey.of_text(public)
    except ValueError:
        raise InvalidInputError("that is no approver's public key", hint="they print it: prov approver show NAME") from None
    with opened(session) as here:
        added = add_approver(here.desk(), here.run(here.engine.approvals()), name, key, by=approver)
    session.out.print(Text.assemble(("trusted from now on: ", "good"), visible(added.name)), soft_wrap=True)


def _remove(name: str, approver: str) -> None:
    from prov_server.approval.asking import remove_approver
    from prov_server.cli.engines import opened

    session = Session.current()
    with opened(session) as here:
        remove_approver(here.desk(), here.run(here.engine.approvals()), name, by=approver)
    session.out.print(Text.assemble(("trusted no longer: ", "warning"), visible(name)), soft_wrap=True)


def _forget() -> None:
    from prov_server.approval.remembered import forget, runtime_folder

    session = Session.current()
    count = forget(runtime_folder(os.environ))
    session.out.print(f"forgot {count} remembered key{'' if count == 1 else 's'}")


def _desk(session: Session) -> "Desk":
    from prov_server.approval.asking import Desk

    return Desk.of_user(os.environ, session.workspace.root)


def _public(session: Session, name: str) -> str:
    return _desk(session).folder.public(name).id


def _plan_argument() -> RichArgument:
    return RichArgument(["plan_id"], metavar="PLAN", help="The plan's id, or the beginning of it")


def _as() -> RichOption:
    return RichOption(["--as", "approver"], default="", metavar="NAME", help="Which of your approver keys signs")


def _name() -> RichArgument:
    return RichArgument(["name"], help="What the approver is called")


approve = Command(
    "approve",
    callback=_approve,
    params=[_plan_argument(), _as()],
    help="Allow a plan: it is shown again, you type a word of it and your passphrase. What waits for it goes on by itself.",
)
deny = Command(
    "deny",
    callback=_deny,
    params=[_plan_argument(), RichOption(["--why"], default="", help="Why, for whoever asked")],
    help="Refuse a plan for good: it is shown again, and you type a word of it.",
)


def approver_group() -> Group:
    """`prov approver`."""
    public = RichArgument(["public"], metavar="PUBLIC", help="Their public key, as `prov approver show` prints it")
    commands = [
        Command("new", callback=_new, params=[_name()], help="Make an approver key of yours; you type its passphrase twice."),
        Command("list", callback=_list, help="List who may approve in this workspace."),
        Command("show", callback=_show, params=[_name()], help="Print a public key of yours, for somebody who adds you."),
        Command(
            "add", callback=_add, params=[_name(), public, _as()], help="Trust another approver in this workspace; you sign it."
        ),
        Command("remove", callback=_remove, params=[_name(), _as()], help="Trust an approver no longer; you sign it."),
        Command("forget", callback=_forget, help="Forget the passphrases that were typed in the last five minutes."),
    ]
    return Group("approver", commands=commands, help="Who may approve plans")

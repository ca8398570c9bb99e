"""What `prov approve` and its like do, as a program of its own: `python program.py WORKSPACE ACTION NAME [SECONDS]`.

It ends with the exit code of what went wrong, and writes what happened, for the audit, to `events.jsonl` in the workspace.
"""

import json
import os
import sys
from pathlib import Path

from prov_server.approval import asking
from prov_server.approval.events import ApprovalEvent
from prov_server.approval.remembered import forget, recall
from provisioning.approval.approvals import Approvals
from provisioning.approval.key_files import ApproverFolder
from provisioning.approval.pins import Pins
from provisioning.approval.trust import Trust
from provisioning.state.model import StoredPlan
from provisioning.state.store import open_store
from stratumops.errors import StratumError


def said(text: str) -> None:
    sys.stdout.write(text + "\n")


def rendered(plan: StoredPlan) -> str:
    return f"\x1b[1mThe plan {plan.id}\x1b[0m makes one web server\x1b]0;title\x07 and \x9b2Jno more"


def main() -> int:
    workspace, action, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else asking.REMEMBERED_SECONDS

    def on_event(event: ApprovalEvent) -> None:
        with (workspace / "events.jsonl").open("a") as file:
            file.write(json.dumps(event.as_dict()) + "\n")

    def wait(delay: float) -> None:
        with (workspace / "delays").open("a") as file:
            file.write(f"{delay}\n")

    users = asking.Desk.of_user(os.environ, workspace, on_event)
    desk = asking.Desk(users.folder, users.runtime, on_event, seconds, wait)
    store = open_store(workspace / ".prov")
    approvals = Approvals(store, Trust(workspace / ".prov", store.head().lineage, Pins.of_user(os.environ)), workspace / ".prov")
    try:
        if action == "approve":
            said(f"approved by {asking.approve(desk, approvals, name, rendered).approver}")
        elif action == "approve-as":
            name, _, approver = name.partition("/")
            said(f"approved by {asking.approve(desk, approvals, name, rendered, approver=approver).approver}")
        elif action == "deny":
            asking.deny(desk, approvals, name, rendered, why="demasiado caro")
            said("denied")
        elif action == "new":
            said(f"made {asking.make_approver(desk, name).id}")
        elif action == "add":
            public = ApproverFolder(Path(os.environ["OTHER"])).public(name)
            said(f"added {asking.add_approver(desk, approvals, name, public).name}")
        elif action == "remove":
            asking.remove_approver(desk, approvals, name)
            said(f"removed {name}")
        elif action == "recall":
            said(f"remembered: {recall(name, users.folder.public(name), desk.runtime) is not None}")
        elif action == "forget":
            said(f"forgot {forget(desk.runtime)}")
    except StratumError as error:
        said(f"error[{error.code}]: {error.message}\nhint: {error.hint}")
        return error.exit_code
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

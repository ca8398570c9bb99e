"""What a `.prov` that came from elsewhere would have us believe, for the person who is to decide about it.

It is only read: no store is opened, nothing is mended, no secret is resolved.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from prov_server.engine.accounts import FILE as ACCOUNTS
from prov_server.engine.accounts import Accounts
from provisioning.approval.key_files import SERVER_KEY
from provisioning.approval.pins import Pins
from provisioning.approval.trust import FILE as APPROVERS
from provisioning.approval.trust import Trust
from stratumops.errors import StratumError

STATES = (("", "state"), ("sandbox", "sandbox"))
"""Below `.prov`: where a list of approvers is, and where the state that it belongs to."""
_COUNTS = (
    ("resources", "SELECT count(*) FROM prov_resources WHERE valid_to IS NULL"),
    ("plans that can still be carried out", "SELECT count(*) FROM prov_plans WHERE denied_by = '' AND expires_at > :now"),
    ("operations under way", "SELECT count(*) FROM prov_operations WHERE ended_at = 0"),
)


def described(own: Path) -> list[str]:
    """Lines that say what is there. What cannot be read is named, and counts all the same."""
    found = [*_accounts(own)]
    for place, state in STATES:
        found += [*_approvers(own / place), *_state(own / state)]
    return found


def list_of_approvers(folder: Path, pins: Pins | None = None) -> Trust | None:
    """The list in a folder, for the state that it names; None when there is none. Raises ValueError: it is no list."""
    try:
        lineage = json.loads((folder / APPROVERS).read_text(encoding="utf-8"))["entries"][0]["lineage"]
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(folder) from error
    return Trust(folder, str(lineage), pins)


def _accounts(own: Path) -> Iterator[str]:
    try:
        every = Accounts(own).all()
    except StratumError:
        yield f"{ACCOUNTS}: it cannot be read"
        return
    for name, one in every.items():
        yield f"account at {name}: endpoint {one.endpoint or 'the usual one'}, region {one.region or 'none'}"
        yield from (f"  {key}: {handle}" for key, handle in sorted(one.secrets.items()))
        yield from (f"  option {key}={value}" for key, value in sorted(one.options.items()))
    if not every:
        yield "no accounts"


def _approvers(folder: Path) -> Iterator[str]:
    name = f"{folder.name}/{APPROVERS}"
    try:
        trust = list_of_approvers(folder)
        names = [f"{one.name} ({one.key_id})" for one in trust.approvers().values()] if trust else []
    except (StratumError, ValueError):
        yield f"{name}: it cannot be read, or does not hold"
        return
    if names:
        yield f"{name}: {', '.join(names)} may approve what changes machines"
    if (folder / "keys" / SERVER_KEY).exists():
        yield f"{folder.name}/keys/{SERVER_KEY}: who has a copy of it can sign what a person is said to have answered in a client"


def _state(folder: Path) -> Iterator[str]:
    file = folder / "state.db"
    if not file.exists():
        if (folder / "state.journal").exists():
            yield f"{folder.name}/state.journal: a history of which a state would be made"
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=1.0)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            counts = [f"{database.execute(query, {'now': time.time()}).fetchone()[0]} {what}" for what, query in _COUNTS]
    except sqlite3.Error:
        yield f"{folder.name}/state.db: it cannot be read"
        return
    yield f"{folder.name}/state.db: {', '.join(counts)}"

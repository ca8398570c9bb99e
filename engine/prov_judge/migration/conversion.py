"""Data from one engine to another: a dump of the one cannot fill the other, so it is converted, and verified."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from prov_judge.changes.model import Change
from prov_judge.migration.draft import Draft
from prov_judge.migration.risk import kept_by
from prov_judge.migration.scene import Scene

TABLE = Path(__file__).parent / "copying.toml"


@cache
def copying() -> dict[str, Any]:
    """How data is copied and converted, by kind. Treat as read-only."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def between(scene: Scene, change: Change) -> tuple[str, str] | None:
    """The two engines, where a replaced thing has data of one and gets another."""
    by = copying().get(change.address.partition(".")[0], {}).get("by")
    if by is None or change.action != "replace" or not kept_by(change.before):
        return None
    engines = scene.old(change).values[by], scene.after[change.address].values[by]
    return None if engines[0] == engines[1] else engines


def words_of(kind: str, engines: tuple[str, str]) -> dict[str, str]:
    """The row of `copying.toml` for two engines: tool, catch_up, check."""
    rows = copying()[kind]["conversions"]
    found: dict[str, str] = next(
        (row for row in rows if engines[0] in row["from"] and engines[1] in row["to"]), copying()[kind]["otherwise"]
    )
    return found


def drafts_of(scene: Scene, change: Change, saved: str) -> list[Draft]:
    """The steps that convert and verify, for a replacement within its provider; none where the engine stays."""
    engines = between(scene, change)
    if engines is None or scene.is_moved(change):
        return []
    before, after = engines
    row = words_of(change.address.partition(".")[0], engines)
    source = f"{scene.old(change).address}, which still runs"
    if change.address in scene.old_first:
        source = f"a temporary {before} server that {saved} is restored into"
    convert = Draft(
        id=f"copy:{change.address}", phase="copy", address=change.address, action="no_op", change=change,
        title=f"Convert the data of {change.address} from {before} to {after}, out of {source}: {row['tool']}; {row['catch_up']}",
        rollback=f"empty the new {change.address} and convert again; {saved} is only read", affects=(change.address,),
        downtime="writes stop until the converted data is verified",
        must={f"create:{change.address}", saved},
    )  # fmt: skip
    check = Draft(
        id=f"verify:{change.address}", phase="verify", address=change.address, action="no_op", change=change,
        title=f"Verify {change.address}: {row['check']}",
        rollback=f"nothing to undo; go back to {before} from {saved} if it fails", must={convert.id},
    )  # fmt: skip
    return [convert, check]

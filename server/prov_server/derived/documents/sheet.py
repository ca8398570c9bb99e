"""A reference document: front matter, then sections; a name that is a file's."""

import json
import re
from collections.abc import Sequence
from datetime import date

from prov_server.derived.page import BANNER


def sheet(title: str, *parts: str, source: str, service: str, tags: Sequence[str], updated: date | None = None) -> str:
    """The whole document. `updated` is the day of the facts, where they have one."""
    head = ["---", "type: reference", f"title: {json.dumps(title, ensure_ascii=False)}", f"service: {service}"]
    head += [f"tags: [{', '.join(json.dumps(tag) for tag in tags)}]", *([f"updated: {updated}"] if updated else []), "---"]
    banner = BANNER.format(source=source)
    return "\n".join(head) + "\n\n" + "\n\n".join([banner, *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def file_name(text: str) -> str:
    """`Plan is unknown!` as `plan-is-unknown`."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "page"

"""What must be true of the entries of a vault at every moment, read beneath its API."""

import json
from typing import Any

from svault.core.core import Core
from svault.leases.lease import TOKEN


async def broken(core: Core) -> list[str]:
    """What is inconsistent: tokens, accessors, parents, leases, wrapped answers, cubbyholes, and entries of no mount."""
    root = core.running().root
    entries = {"core/mounts": await root.get("core/mounts") or b""}
    for prefix in ("sys/", "logical/", "auth/"):
        entries |= {key: await root.get(key) or b"" async for key in root.walk(prefix)}
    tokens = {_name(key): json.loads(value) for key, value in _under(entries, "sys/token/id/")}
    accessors = {value.decode() for _, value in _under(entries, "sys/token/accessor/")}
    leases = [json.loads(value) for _, value in _under(entries, "sys/expire/")]
    own = {lease["token"] for lease in leases if lease["kind"] == TOKEN}
    found = [f"an accessor of no token {one}" for one in accessors - tokens.keys()]
    found += [f"a token without its accessor {one}" for one in tokens.keys() - accessors]
    found += [f"a token without its lease {one}" for one, token in tokens.items() if token["ttl"] and one not in own]
    found += [f"a lease of no token {one}" for one in own - tokens.keys()]
    found += [f"a lease that never ends {lease['id']}" for lease in leases if not lease["expires"] and lease["state"] == "active"]
    for key, _ in _under(entries, "sys/token/parent/"):
        parent, child = key.split("/")[-2:]
        if parent not in tokens or child not in tokens or tokens[child]["parent"] != parent:
            found.append(f"a parent {parent} of {child}")
    children = {key.split("/")[-1] for key, _ in _under(entries, "sys/token/parent/")}
    found += [f"a child of no parent {one}" for one, token in tokens.items() if token["parent"] and one not in children]
    wrapped = {_name(key) for key, _ in _under(entries, "sys/wrapping/")}
    wrapping = {one for one, token in tokens.items() if token["policies"] == ["response-wrapping"]}
    found += [f"an answer wrapped for no token {one}" for one in wrapped - wrapping]
    found += [f"a wrapping token without an answer {one}" for one in wrapping - wrapped]
    table: list[dict[str, Any]] = json.loads(entries["core/mounts"])
    mounts = {row["uuid"] for row in table}
    stored = {key.split("/")[1] for key in entries if key.startswith(("logical/", "auth/"))}
    found += [f"entries of no mount {one}" for one in stored - mounts]
    found += [f"a mount that is half removed {row['path']}" for row in table if row["is_removed"]]
    cubbyholes = {row["uuid"] for row in table if row["kind"] == "cubbyhole"}
    owners = {key.split("/")[2] for key in entries if key.startswith("logical/") and key.split("/")[1] in cubbyholes}
    return found + [f"a cubbyhole of no token {one}" for one in owners - {token["accessor"] for token in tokens.values()}]


def _under(entries: dict[str, bytes], prefix: str) -> list[tuple[str, bytes]]:
    return [(key, value) for key, value in entries.items() if key.startswith(prefix)]


def _name(key: str) -> str:
    return key.rpartition("/")[2]

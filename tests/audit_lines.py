"""Audit devices in tests: enabling one, and reading what it wrote."""

import json
from pathlib import Path

from svault.audit.broker import AuditBroker


async def enable(broker: AuditBroker, path: str, kind: str = "file", **options: str) -> None:
    await broker.enable(path, kind, "", options, local=False)


def lines(path: Path) -> list[dict]:
    """The entries of a file, without the test entry and the chain's own records."""
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [one for one in found if one["type"] != "chain" and one["request"]["path"] != "sys/audit/test"]

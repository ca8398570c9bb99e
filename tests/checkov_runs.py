"""Checkov over Terraform that we wrote: what it said, by the address of each resource."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers import python_tool

LIMIT = 240  # seconds


@dataclass(frozen=True)
class Said:
    """One check of checkov at one resource of one file."""

    file: str
    address: str
    check: str
    passed: bool


@dataclass(frozen=True)
class Run:
    """A run over a folder: what was said, and how many files it could not read."""

    said: tuple[Said, ...]
    parsing_errors: int


def run_checkov(folder: Path, checks: tuple[str, ...] = ()) -> Run:
    """Checkov over the `.tf.json` files of a folder. With `terraform` for a framework it would find nothing, silently."""
    command = [*python_tool("checkov", "checkov"), "--directory", str(folder), "--framework", "terraform_json", "--skip-download"]
    command += ["--output", "json", "--compact", "--soft-fail", *(["--check", ",".join(checks)] if checks else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    if "results" not in report:
        return Run((), int(report.get("parsing_errors", 0)))
    lines = {f"/{path.relative_to(folder)}": _addresses(path.read_text(encoding="utf-8")) for path in folder.rglob("*.tf.json")}
    said = []
    for outcome in ("passed_checks", "failed_checks"):
        for record in report["results"][outcome]:
            address = _address(record, lines[record["file_path"]])
            if address:
                said.append(Said(record["file_path"], address, record["check_id"], outcome == "passed_checks"))
    return Run(tuple(said), len(report["results"]["parsing_errors"]))


def _address(record: dict[str, Any], lines: list[str]) -> str | None:
    """Checkov names a resource without its type in some checks, so that the lines say which one it means."""
    first, last = record["file_line_range"]
    found = {address for address in lines[first - 1 : last] if address.endswith(f".{record['resource'].split('.', 1)[-1]}")}
    return found.pop() if len(found) == 1 else None


def _addresses(text: str) -> list[str]:
    """The resource's address for each line of a document that is indented by two."""
    addresses, kind, address, inside = [], "", "", False
    for line in text.splitlines():
        if re.match(r'  "', line):
            inside = line.startswith('  "resource"')
        elif inside and (found := re.match(r'    "([^"]+)"', line)):
            kind, address = found[1], ""
        elif inside and (found := re.match(r'      "([^"]+)"', line)):
            address = f"{kind}.{found[1]}"
        addresses.append(address if inside else "")
    return addresses

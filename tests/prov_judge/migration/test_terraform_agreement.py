"""Our actions agree with those that the `terraform` program decides, for 200 pairs of configurations.

Every thing of a pair becomes a `terraform_data` resource. What `replacement.toml` says forces a replacement is its
`triggers_replace`, the rest its `input`; what names another thing refers to that resource's `id`. The current side stands in a
state file, as Terraform would have written it (applying takes it many times longer, and a state that differs in anything
would show as a change); the target side is planned, and Terraform's action for every address is compared with ours.

What this shows: Terraform looks at values and references only. It knows nothing of our comparison, so it judges which
resources differ, which are replaced, what a replacement drags along through references of references, and that a rename
(told to it by a `moved` block) keeps the thing. This module reads the rows of the table with its own few lines.
What this does not show: whether the rows are true of real providers, whether two things under different names are
the same (our rule decides, Terraform is told), and how values that were left out are filled in (both sides get
`things`' values).
"""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infrastructures import pair
from prov_judge.changes.compare import changes_of, compare
from prov_judge.changes.model import Change
from prov_judge.changes.replacement import TABLE
from prov_judge.changes.things import Thing, fields_that_name, things

PAIRS = 200
BATCH = 40
"""Pairs that are planned at once."""
TERRAFORM = shutil.which("terraform")
ROWS = tomllib.loads(TABLE.read_text(encoding="utf-8"))
ACTIONS = {
    ("no-op",): "no_op",
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}


def number(text: Any) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", str(text))]


def condition(row: dict[str, Any], before: Any, after: Any) -> bool:
    """Whether a row's condition holds, in this module's own words."""
    if "to" in row and after != row["to"]:
        return False
    match row.get("when"):
        case None:
            return True
        case "set":
            return before is None and after is not None
        case "unset":
            return before is not None and after is None
        case "off":
            return before is True and after is not True
        case "shrink":
            return isinstance(before, int) and isinstance(after, int) and before > after
        case "grow":
            return isinstance(before, int) and isinstance(after, int) and before < after
        case "downgrade":
            return number(before) > number(after)
        case "upgrade":
            return number(before) < number(after)
    raise AssertionError(row)


def forces_replacement(thing: Thing, provider: str, pattern: str, before: Any, after: Any) -> bool:
    for entry in (ROWS[thing.kind], ROWS["every_kind"]):
        for row in (*entry.get("rules", ()), {"fields": entry["in_place"], "impact": "none"}):
            speaks = any(pattern == field or pattern.startswith((field + ".", field + "[")) for field in row["fields"])
            if speaks and provider in row.get("providers", [provider]) and condition(row, before, after):
                return row["impact"] == "replace"
    return False


def resource_name(number: int, address: str) -> str:
    return f"p{number}_{re.sub(r'[^a-z0-9]', '_', address.lower())}"


class Side:
    """The resources of one side of a pair as Terraform sees them."""

    def __init__(self, number: int, side: dict[str, Thing], other: dict[str, Thing], same: dict[str, str]) -> None:
        self.number, self.side, self.other, self.same = number, side, other, same

    def resources(self, *, is_target: bool) -> dict[str, Any]:
        return {resource_name(self.number, address): self.resource(thing, is_target) for address, thing in self.side.items()}

    def resource(self, thing: Thing, is_target: bool) -> dict[str, Any]:
        twin = self.other.get(self.same.get(thing.address, thing.address))
        forcing, rest = {}, {}
        for path, (pattern, value) in self.values(thing).items():
            was = twin and self.values_of(twin, path)
            before, after = (was, value) if is_target else (value, was)
            if (
                pattern in {field.removesuffix("[]") for field, _ in fields_that_name(thing.kind)}
                and before is not None
                and after is not None
            ):
                before, after = "its old one", "its new one"
            old = twin if is_target and twin else thing
            (forcing if forces_replacement(thing, old.provider, pattern, before, after) else rest)[path] = self.with_ids(
                thing, pattern, value
            )
        return {"triggers_replace": forcing, "input": rest}

    def values(self, thing: Thing) -> dict[str, tuple[str, Any]]:
        """The leaves; a group's rules are one value, because they are told apart by what they name."""
        found = {path: (leaf.pattern, leaf.value) for path, leaf in thing.leaves.items() if not path.startswith("rules[")}
        if thing.kind == "security_group":
            found["rules"] = ("rules", thing.values["rules"])
        return found

    def values_of(self, thing: Thing, path: str) -> Any:
        return self.values(thing).get(path, ("", None))[1]

    def with_ids(self, thing: Thing, pattern: str, value: Any) -> Any:
        """What a field holds, names of other things as references to their ids."""
        ids = {}
        for field, address in thing.names:
            if field.removesuffix("[]") == pattern or field.startswith(f"{pattern}[]."):
                name = address.split(".", 1)[1].rpartition("/")[2] if address.startswith("subnet.") else address.split(".", 1)[1]
                ids[name] = f"${{terraform_data.{resource_name(self.number, address)}.id}}"
        if pattern == "rules":
            rules = [{**rule, "groups": sorted(ids.get(name, name) for name in rule["groups"])} for rule in value]
            return sorted(rules, key=lambda rule: json.dumps(rule, sort_keys=True))
        if isinstance(value, list):
            return sorted((ids.get(str(one), str(one)) for one in value), key=self.stable)
        return ids.get(str(value), value) if ids else value

    def stable(self, text: str) -> str:
        """Both sides list what is the same in the same place, whatever it is called."""
        for old, new in self.same.items():
            text = text.replace(resource_name(self.number, old) + ".", resource_name(self.number, max(old, new)) + ".")
        return text


def state(resources: dict[str, Any]) -> dict[str, Any]:
    """The state file (version 4) of resources that exist: what refers to an id holds it."""
    text = re.sub(r"\$\{terraform_data\.(\w+)\.id\}", r"id-of-\1", json.dumps(resources))
    return {
        "version": 4,
        "terraform_version": "1.4.0",
        "serial": 1,
        "lineage": "00000000-0000-0000-0000-000000000000",
        "outputs": {},
        "resources": [
            {
                "mode": "managed",
                "type": "terraform_data",
                "name": name,
                "provider": 'provider["terraform.io/builtin/terraform"]',
                "instances": [{"schema_version": 0, "attributes": attributes(name, one)}],
            }
            for name, one in json.loads(text).items()
        ],
    }


def attributes(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    values = {key: {"value": value, "type": type_of(value)} for key, value in resource.items()}
    return {"id": f"id-of-{name}", **values, "output": values["input"]}


def type_of(value: Any) -> Any:
    """A value's type as Terraform writes it."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return ["tuple", [type_of(one) for one in value]]
        case dict():
            return ["object", {key: type_of(one) for key, one in value.items()}]
    return "dynamic"


def written(folder: Path, resources: dict[str, Any], moved: list[tuple[str, str]]) -> None:
    content: dict[str, Any] = {"resource": {"terraform_data": resources}}
    (folder / "main.tf.json").write_text(json.dumps(content), encoding="utf-8")
    blocks = "\n".join(f"moved {{\n  from = terraform_data.{old}\n  to   = terraform_data.{new}\n}}" for old, new in moved)
    (folder / "moved.tf").write_text(blocks, encoding="utf-8")


def terraform(folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc"),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    (folder / "terraform.rc").write_text("disable_checkpoint = true\n", encoding="utf-8")
    done = subprocess.run([TERRAFORM, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.skipif(TERRAFORM is None, reason="the program terraform is not installed on this machine")
@pytest.mark.parametrize("batch", range(PAIRS // BATCH))
def test_our_actions_agree_with_terraform(tmp_path: Path, batch: int):
    ours: dict[str, Change] = {}
    current: dict[str, Any] = {}
    target: dict[str, Any] = {}
    moved = []
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        before, after = (things(config) for config in pair(Random(seed)))
        changes = changes_of(before, after)
        previous = {change.address: change.previous for change in changes if change.previous}
        following = {old: new for new, old in previous.items()}
        current |= Side(seed, before, after, following).resources(is_target=False)
        target |= Side(seed, after, before, previous).resources(is_target=True)
        moved += [(resource_name(seed, old), resource_name(seed, new)) for new, old in previous.items()]
        ours |= {resource_name(seed, change.address): change for change in changes}
    (tmp_path / "terraform.tfstate").write_text(json.dumps(state(current)), encoding="utf-8")
    written(tmp_path, target, moved)
    terraform(tmp_path, "init", "-input=false", "-backend=false")
    terraform(tmp_path, "plan", "-input=false", "-refresh=false", "-out=plan")
    plan = json.loads(terraform(tmp_path, "show", "-json", "plan"))
    theirs = {one["name"]: ACTIONS[tuple(one["change"]["actions"])] for one in plan["resource_changes"]}
    theirs = {name: action for name, action in theirs.items() if name in ours or action != "no_op"}
    assert {name: change.action for name, change in ours.items()} == theirs


def test_the_pairs_hold_every_action_and_renames_of_both_sorts():
    changes = [change for seed in range(PAIRS) for change in compare(*pair(Random(seed)))]
    actions = Counter(change.action for change in changes)
    assert min(actions[action] for action in ("no_op", "create", "update", "replace", "delete")) > 50, actions
    renamed = Counter(change.action for change in changes if change.previous)
    assert renamed["update"] > 10
    assert renamed["replace"] > 10
    followed = [
        change for change in changes if change.action == "replace" and any("is replaced" in why for why in change.reasons)
    ]
    assert len(followed) > 10

"""Descriptions as different people type them: half were looked at while the reader was made better, half were held out.

The floors are what is reached; a change that falls below them makes reading worse. `fresh_heldout.json` is for measuring only:
mend what it shows by way of other descriptions, then add new ones. Default versions are written out, so a version that
was not read counts as wrong in the precision, not as missing.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from prov_corpus.prices import find_sku
from prov_gen.findings import Finding
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.understand import Understanding, understand
from stratumops.errors import InvalidInputError

FOLDER = Path(__file__).parent
FLOORS = {
    "dev": {"descriptions_right": 1.0, "silently_misread": 0.0, "recall": 1.0, "precision": 1.0},
    "heldout": {"descriptions_right": 0.9, "silently_misread": 0.034, "recall": 0.978, "precision": 0.981},
}


# A kind that a case does not speak of must be empty; the rest follows from other things.
COUNTED = ("servers", "clusters", "workloads", "databases", "caches", "load_balancers", "buckets", "volumes", "file_systems")
COUNTED += ("queues", "dns_zones", "kms_keys", "registries", "log_groups", "secrets")
ANYWHERE = "0.0.0.0/0"


@dataclass
class Outcome:
    """What became of one case: the facts that hold, are missing (a default stands there), or are wrong, and stray notes."""

    text: str
    right: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    admitted: bool = False

    @property
    def is_right(self) -> bool:
        """All facts hold, what has no place is listed, and no contradiction was made up."""
        return not (self.missing or self.wrong or self.unlisted or self.findings)

    @property
    def is_silent(self) -> bool:
        """Wrong, and neither a leftover nor a finding says that something is."""
        return not self.is_right and not self.admitted


def values_at(config: dict[str, Any], path: str) -> list[Any]:
    """All values at a dotted path: "#" is a length, "*" every item; [None] where there is nothing."""
    values: list[Any] = [config]
    for key in path.split("."):
        following: list[Any] = []
        for value in values:
            if key == "#":
                following.append(len(value or ()))
            elif key == "*":
                following.extend(value or [None])
            elif isinstance(value, list):
                following.append(value[int(key)] if int(key) < len(value) else None)
            else:
                following.append(value.get(key) if isinstance(value, dict) else None)
        values = following
    return values


def ports_open(config: dict[str, Any], network: str) -> list[str]:
    """The ports that any rule opens to a network, sorted as text."""
    rules = [rule for group in config["security_groups"] for rule in group["rules"] if network in rule["cidrs"]]
    balancers = {name for balancer in config["load_balancers"] for name in balancer["security_groups"]}
    own = [rule for group in config["security_groups"] if group["name"] in balancers for rule in group["rules"]]
    return sorted({_port_text(rule) for rule in rules if rule not in own})


def _port_text(rule: dict[str, Any]) -> str:
    first, last = rule["from_port"], rule["to_port"]
    return str(first) if last in (None, first) else f"{first}-{last}"


def observed(config: dict[str, Any], path: str) -> list[Any]:
    """As `values_at`, with two paths more: `~open` or `~open.CIDR`, and `~tier.public`."""
    if path.startswith("~open"):
        return [ports_open(config, path.removeprefix("~open").removeprefix(".") or ANYWHERE)]
    if path.startswith("~tier."):
        subnets = (config["networking"] or {}).get("subnets", [])
        return [sum(subnet["tier"] == path.removeprefix("~tier.") for subnet in subnets)]
    return values_at(config, path)


def _agrees(config: dict[str, Any], value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and "any" in wanted:
        return value in wanted["any"]
    if isinstance(wanted, dict) and "cpu" in wanted:
        sku = find_sku(config["provider"], str(value))
        return sku is not None and (sku.vcpu, sku.memory_gb) == (wanted["cpu"], wanted["memory_gb"])
    return bool(value == wanted)


def measure(case: dict[str, Any]) -> Outcome:
    """Read one case and compare."""
    outcome = Outcome(case["text"])
    try:
        answer: Understanding = understand(case["text"])
    except InvalidInputError as error:
        outcome.missing, outcome.admitted = list(case["expect"]), True
        outcome.notes.append(str(error))
        return outcome
    config = answer.config.model_dump(mode="json", by_alias=True)
    default = InfrastructureConfig().model_dump(mode="json", by_alias=True)
    expect = {f"{kind}.#": 0 for kind in COUNTED} | case["expect"]
    for path, wanted in expect.items():
        found = observed(config, path)
        if found and all(_agrees(config, value, wanted) for value in found):
            if path in case["expect"]:
                outcome.right.append(path)
        elif all(value in (None, 0, [], False) for value in found) or found == observed(default, path):
            outcome.missing.append(f"{path}: wanted {wanted!r}, found {found!r}")
        else:
            outcome.wrong.append(f"{path}: wanted {wanted!r}, found {found!r}")
    outcome.notes = [f"{note.phrase}: {note.reason}" for note in answer.unplaced]
    phrases = " | ".join(note.phrase for note in answer.unplaced)
    outcome.unlisted = [phrase for phrase in case.get("unplaced", ()) if phrase not in phrases]
    outcome.findings = [finding.code for finding in answer.findings if finding.code not in case.get("findings", ())]
    expected = " | ".join(case.get("unplaced", ()))
    outcome.admitted = bool(outcome.findings) or any(note.phrase not in expected for note in answer.unplaced)
    return outcome


def summary(outcomes: list[Outcome]) -> dict[str, float]:
    """Shares of 1: descriptions all right, silently misread; facts' recall and precision; stray notes a description."""
    right = sum(len(outcome.right) for outcome in outcomes)
    missing = sum(len(outcome.missing) for outcome in outcomes)
    wrong = sum(len(outcome.wrong) for outcome in outcomes)
    return {
        "descriptions_right": sum(outcome.is_right for outcome in outcomes) / len(outcomes),
        "silently_misread": sum(outcome.is_silent for outcome in outcomes) / len(outcomes),
        "recall": right / (right + missing + wrong),
        "precision": right / (right + wrong),
        "notes_each": sum(len(outcome.notes) for outcome in outcomes) / len(outcomes),
    }


def cases(name: str) -> list[dict[str, Any]]:
    """The descriptions of one half, with what is expected of each."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"fresh_{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", FLOORS)
def test_fresh_descriptions_are_understood_as_well_as_before(name: str):
    figures = summary([measure(case) for case in cases(name)])
    print(name, {key: round(value, 3) for key, value in figures.items()})  # noqa: T201 - the figure is what it is for
    floors = dict(FLOORS[name])
    assert figures["silently_misread"] <= floors.pop("silently_misread")
    assert {key: figures[key] for key in floors if figures[key] < floors[key]} == {}


@pytest.mark.parametrize("case", cases("dev"), ids=lambda case: case["text"][:60])
def test_a_fresh_description_means_what_the_table_says(case: dict[str, Any]):
    outcome: Outcome = measure(case)
    assert (outcome.missing, outcome.wrong, outcome.unlisted, outcome.findings) == ([], [], [], [])


def finding_codes(text: str) -> list[tuple[int, str, str]]:
    found: list[Finding] = understand(text).findings
    return [(finding.layer, finding.code, finding.severity) for finding in found]


def test_findings_about_the_words_use_the_layers_codes():
    assert finding_codes("an m5.large server on Hetzner") == [(0, "plan_of_other_provider", "warning")]
    assert finding_codes("a server with a t3.huge2xlarge plan on AWS") == []
    assert finding_codes("a small large server") == [(0, "contradiction", "warning")]


def test_one_thing_said_in_two_words_is_one_fact():
    facts = [(fact.phrase, fact.path, fact.value) for fact in understand("a 3-node Kubernetes cluster with Cilium").understood]
    assert ("3-node", "clusters[0].workers.count", 3) in facts
    assert ("Cilium", "clusters[0].networking.cni", "cilium") in facts
    assert len([fact for fact in facts if fact[1] == "clusters[0].workers.count"]) == 1


def test_what_was_stated_is_set_even_where_it_is_the_default():
    cluster = understand("a 3-node Kubernetes cluster with Cilium").config.clusters[0]
    assert cluster.model_fields_set == {"name", "workers", "networking", "version"}, "a version that was chosen is written out"
    assert cluster.networking.model_fields_set == {"cni"}
    assert cluster.workers.model_fields_set == {"count"}


def test_a_quantity_that_two_things_could_have_is_an_assumption():
    answer = understand("a web server and a postgres database, 200 GB")
    assert any("could also be said of" in assumption.why for assumption in answer.assumed)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a kafka cluster and a server", "kafka cluster"),
        ("a Windows server and a bucket", "Windows"),
        ("a server for a small team", "small team"),
        ("a server in Germany or Finland", "Finland"),
        ("Postgres with geo-redundant backups", "geo-redundant"),
    ],
)
def test_what_cannot_be_said_is_listed_and_not_taken_for_its_parts(text: str, left: str):
    phrases = " | ".join(note.phrase for note in understand(text).unplaced)
    assert all(word in phrases for word in left.split())


@pytest.mark.parametrize("thing", ["a bucket", "a postgres database", "a 100 GB volume", "a queue", "a kubernetes cluster"])
@pytest.mark.parametrize("key", ["encrypted with KMS", "encrypted with our own key", "cifrado con una clave propia"])
def test_a_key_that_was_asked_for_is_used(thing: str, key: str):
    config = understand(f"{thing} {key}").config
    users = [*config.buckets, *config.databases, *config.volumes, *config.queues, *config.clusters]
    assert [user.kms_key for user in users] == [config.kms_keys[0].name]
    assert all(bucket.encryption == "kms" for bucket in config.buckets)


def test_later_words_about_the_same_thing_are_told_with_it():
    answer = understand("an encrypted bucket with a customer managed KMS key")
    assert answer.config.buckets[0].encryption == "kms"
    assert {fact.value for fact in answer.understood if fact.path == "buckets[0].encryption"} <= {"kms"}

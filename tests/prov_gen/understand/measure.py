"""How well descriptions are understood: facts found, facts wrong, and misreadings that nothing admits."""

from dataclasses import dataclass, field
from typing import Any

from prov_corpus.prices import find_sku
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.understand import Understanding, understand
from stratumops.errors import InvalidInputError

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

"""The configuration while it is being made: values with the words that they come from, and notes on the rest."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prov_gen.codes import Severity
from prov_gen.findings import WORDS, Finding, finding
from prov_gen.understand.lexicon import lexicon
from prov_gen.understand.mentions import GLUE, Mention
from prov_gen.understand.result import Assumption, Fact, ResourceType, Unplaced
from prov_gen.understand.tokens import Token

# What each resource type lets through: kinds of head, and fields of the configuration.
KINDS_OF: dict[ResourceType, frozenset[str]] = {
    "server": frozenset({"server", "node", "worker", "volume", "security_group"}),
    "network": frozenset({"network", "subnet", "nat", "security_group", "load_balancer", "dns_zone", "certificate"}),
    "cluster": frozenset({"cluster", "worker", "node", "control_plane", "pool", "workload"}),
    "database": frozenset({"database", "cache", "node"}),
}
FIELDS_OF: dict[ResourceType, frozenset[str]] = {
    "server": frozenset({"servers", "volumes", "security_groups"}),
    "network": frozenset({"networking", "security_groups", "load_balancers", "dns_zones", "certificates"}),
    "cluster": frozenset({"clusters", "workloads"}),
    "database": frozenset({"databases", "caches"}),
}


def set_path(record: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted path in nested dictionaries."""
    *outer, last = path.split(".")
    for key in outer:
        record = record.setdefault(key, {})
    record[last] = value


def get_path(record: dict[str, Any], path: str) -> Any:
    """The value at a dotted path, or None."""
    value: Any = record
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


@dataclass(slots=True)
class Draft:
    """Everything that is known so far. `config` is the configuration as plain values."""

    text: str
    tokens: Sequence[Token]
    resource_type: ResourceType | None = None
    config: dict[str, Any] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    assumed: list[Assumption] = field(default_factory=list)
    unplaced: list[Unplaced] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    used: set[int] = field(default_factory=set)

    def allows(self, field_name: str) -> bool:
        """Whether the asked resource type has this field of the configuration."""
        return self.resource_type is None or field_name in FIELDS_OF[self.resource_type]

    def phrase(self, start: int, end: int) -> str:
        """The text of tokens [start, end)."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end]

    def understood(self, mention: Mention, path: str, value: Any) -> None:
        """Note what a mention became."""
        self.used.update(range(mention.start, mention.end))
        start, end = self.tokens[mention.start].start, self.tokens[mention.end - 1].end
        fact = Fact(self.text[start:end], path, value, start, end)
        if fact not in self.facts:
            self.facts.append(fact)

    def restate(self, path: str, value: Any) -> None:
        """Tell the facts about a path with another value: later words said more about it ("encrypted", "with KMS")."""
        self.facts = [replace(fact, value=value) if fact.path == path else fact for fact in self.facts]

    def told(self) -> list[Fact]:
        """The facts in the order of the text; what says one thing in two words is one fact ("3-node", "dos servidores web")."""
        merged: list[Fact] = []
        for fact in sorted(self.facts, key=lambda fact: (fact.start, fact.end, fact.path)):
            same = [
                index
                for index, old in enumerate(merged)
                if (old.path, old.value) == (fact.path, fact.value) and _stand_together(self.text[old.end : fact.start])
            ]
            if same:
                old = merged[same[-1]]
                end = max(old.end, fact.end)
                merged[same[-1]] = Fact(self.text[old.start : end], old.path, old.value, old.start, end)
            else:
                merged.append(fact)
        return merged

    def assume(self, path: str, value: Any, why: str) -> None:
        """Note a value that nobody stated."""
        assumption = Assumption(path, value, why)
        if assumption not in self.assumed:
            self.assumed.append(assumption)

    def leave(self, mention: Mention, reason: str) -> None:
        """Note a mention that has no place."""
        self.used.update(range(mention.start, mention.end))
        start, end = self.tokens[mention.start].start, self.tokens[mention.end - 1].end
        note = Unplaced(self.text[start:end], reason, start, end)
        if note not in self.unplaced:
            self.unplaced.append(note)

    def find(self, code: str, message: str, fix: str, path: str = "", severity: Severity = "warning", layer: int = WORDS) -> None:
        """Note a conflict. Of several things at `path` ("servers[0..2]") the first is pointed at."""
        plain = _INDEX.sub(r".\1", path)
        where = tuple(int(part) if part.isdecimal() else part for part in plain.split(".")) if plain else ()
        self.findings.append(finding(code, where, message, fix, severity=severity, layer=layer))

    def leave_rest(self, mentions: Sequence[Mention]) -> None:
        """Note what no mention used: unknown words in runs, known words without effect one by one."""
        run: Mention | None = None
        for mention, following in zip(mentions, [*mentions[1:], None], strict=True):
            if mention.is_cue("without") and (following is None or following.category == "punctuation"):
                self.leave(mention, "it is not clear what is left out")
            is_loose = not self.used.issuperset(range(mention.start, mention.end))
            if is_loose and mention.category == "unknown":
                run = run.joined(mention) if run else mention
                continue
            if run and not (mention.category in GLUE and mention.end - mention.start == 1):
                self.leave(run, "not a word that is known here")
                run = None
            if is_loose and mention.category not in {*GLUE, "punctuation", "word_of"} and not _is_article(mention):
                self.leave(mention, _reason(mention))
        if run:
            self.leave(run, "not a word that is known here")


_FAR = 30
_INDEX = re.compile(r"\[(\d+)(?:\.\.\d+)?\]")


def _stand_together(between: str) -> bool:
    return len(between) <= _FAR and not any(sign in between for sign in ".;()!?\n")


def _is_article(mention: Mention) -> bool:
    return mention.category == "number" and mention.language != "any" and mention.value == 1 and not mention.implies


def _reason(mention: Mention) -> str:
    if mention.category == "unsupported":
        return lexicon().reasons[mention.value]
    return _REASONS.get(mention.category, "nothing described takes this")


_REASONS = {
    "number": "it is not clear what this number counts",
    "cidr": "it is not clear what these addresses are for",
    "domain": "nothing described uses a domain",
    "quoted": "it is not clear what this names",
    "name": "it is not clear what this names",
    "people": "who it is for has no place in a configuration",
    "days": "it is not clear what is kept for this time",
}

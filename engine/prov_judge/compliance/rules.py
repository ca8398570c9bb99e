"""The one interpreter: a check's rules over a configuration become results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prov_judge.compliance.conditions import Condition, Variant, compiled, for_variant
from prov_judge.compliance.model import Check, Path, Result, Status
from prov_judge.compliance.scope import ANY, Subject, World
from stratumops.errors import InternalError

_KEYS = frozenset({"kind", "each", "called", "when", "otherwise", "unknown", "because", "expect", "change", "fix", "words"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a check, compiled for a variant: which resources it looks at, when it applies, what it expects.

    Where `when` does not hold the check does not apply (`otherwise` says why); where nobody can tell whether it holds, the check
    cannot be decided. Where the expectation holds as far as one can see
    but `unknown` holds as well, nobody can tell (`because`). `words` say what a failure is, where the fields alone would not.
    """

    kind: str
    each: str
    called: str
    when: Condition | None
    otherwise: str
    unknown: Condition | None
    because: str
    expect: Condition
    change: Mapping[str, Any]
    fix: str
    words: str

    @classmethod
    def of(cls, row: Mapping[str, Any], variant: Variant) -> "Rule":
        """A row of data, compiled. Raises InternalError for keys that mean nothing, or conditions that are none."""
        if unknown := set(row) - _KEYS:
            raise InternalError(f"a rule has unknown keys: {', '.join(sorted(unknown))}", hint=f"there are: {sorted(_KEYS)}")
        return cls(
            kind=row["kind"],
            each=row.get("each", ""),
            called=row.get("called", ""),
            when=compiled(row["when"], variant) if "when" in row else None,
            otherwise=row.get("otherwise", ""),
            unknown=compiled(row["unknown"], variant) if "unknown" in row else None,
            because=row.get("because", ""),
            expect=compiled(row["expect"], variant),
            change={field: for_variant(value, variant) for field, value in row.get("change", {}).items()},
            fix=row.get("fix", ""),
            words=row.get("words", ""),
        )

    def judge(self, check: Check, world: World) -> Iterator[Result]:
        """A result for each of its resources."""
        for subject in world.subjects(self.kind, self.each, self.called):
            yield self._result(check, subject, world)

    def _result(self, check: Check, subject: Subject, world: World) -> Result:
        record, path = subject.record, subject.path
        if self.when is not None:
            found = self.when(record, path, subject, world)
            if found.holds is None:
                return _said(check, subject, "not_assessable", found.path, found.words, found.value)
            if not found.holds:
                return _said(check, subject, "not_applicable", found.path, self.otherwise, found.value)
        found = self.expect(record, path, subject, world)
        if found.holds is None:
            return _said(check, subject, "not_assessable", found.path, found.words, found.value)
        if found.holds:
            doubt = self.unknown(record, path, subject, world) if self.unknown else None
            if doubt is not None and doubt.holds:
                return _said(check, subject, "not_assessable", doubt.path, self.because, doubt.value)
            return _said(check, subject, "pass", found.path, found.words, found.value)
        return Result(
            check.id,
            "fail",
            found.path,
            subject.address,
            self.words or found.words,
            self.fix or check.fix,
            found.value,
            subject=path,
            change=self.change,
        )


def _said(check: Check, subject: Subject, status: Status, path: Path, message: str, value: str) -> Result:
    return Result(check.id, status, path, subject.address, message, value=value, subject=subject.path)


def judge(check: Check, rules: tuple[Rule, ...], world: World) -> Iterator[Result]:
    """What a check says of a configuration: a result for each of its resources, or one that says why there is none."""
    if not check.is_automatable:
        yield Result(check.id, "not_assessable", (), "infrastructure", check.reason)
        return
    is_any = False
    for rule in rules:
        for result in rule.judge(check, world):
            is_any = True
            yield result
    if not is_any:
        kinds = " or ".join(dict.fromkeys(_kind_in_words(rule) for rule in rules))
        yield Result(check.id, "not_applicable", (), "infrastructure", f"there is no {kinds}")


def _kind_in_words(rule: Rule) -> str:
    return "resource" if rule.kind == ANY else (rule.called or rule.kind).replace("_", " ")

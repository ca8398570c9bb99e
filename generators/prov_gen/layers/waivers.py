"""Layer 5, waivers of compliance checks: they name a check and a resource that exist, and do not hold forever."""

from collections.abc import Iterator
from datetime import date, timedelta

from prov_corpus.frameworks import check_ids
from prov_gen.findings import Finding, Path, finding
from prov_gen.layers.suggest import Suggestions
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import resources
from prov_gen.model.references import known_names

LONGEST = timedelta(days=366)
"""What is accepted for longer is forgotten."""

WHOLE = "infrastructure"
"""Address of a result about the configuration as a whole."""


def check_waivers(config: InfrastructureConfig, today: date, suggestions: Suggestions | None = None) -> Iterator[Finding]:
    """Findings about waivers."""
    if not config.waivers:
        return
    suggestions = suggestions or Suggestions()
    ids = frozenset(check_ids())
    addresses = _addresses(config)
    for index, waiver in enumerate(config.waivers):
        where: Path = ("waivers", index)
        if waiver.check not in ids:
            near = suggestions.close("check", waiver.check, ids)
            fix = f"did you mean {near}?" if near else f"ids are such as {min(ids)}; `prov compliance list` shows all"
            yield finding("waiver_unknown_check", (*where, "check"), f"there is no compliance check {waiver.check}", fix)
        if waiver.resource is not None and waiver.resource not in addresses:
            near = suggestions.close("resource", waiver.resource, addresses)
            fix = f"did you mean {near}?" if near else "correct the name, or take the waiver out"
            yield finding("waiver_unmatched", (*where, "resource"), f"there is no resource {waiver.resource}", fix)
        yield from _dates(waiver.expires, (*where, "expires"), today)


def _dates(text: str, where: Path, today: date) -> Iterator[Finding]:
    try:
        last = date.fromisoformat(text)
    except ValueError:
        yield finding("waiver_date_invalid", where, f"{text} is no day of the calendar", "write a day such as 2027-01-31")
        return
    if last < today:
        fix = "mend what it was for, or accept it again with a new day"
        yield finding("waiver_expired", where, f"the waiver expired on {last} and holds no more", fix)
    elif last - today > LONGEST:
        fix = f"choose a day until {today + LONGEST} and look at it again then"
        yield finding("waiver_too_long", where, f"the waiver holds until {last}, for more than a year", fix)


def _addresses(config: InfrastructureConfig) -> dict[str, None]:
    """Names and addresses (kind.name) that a waiver can be for, parts of a network and accounts included."""
    found: dict[str, None] = {WHOLE: None}
    for item in resources(config):
        name = getattr(item.record, "name", None) or getattr(item.record, "domain", None)
        found |= dict.fromkeys((f"{item.kind.name}.{name}", name) if name else (item.kind.name,))
    known = known_names(config)
    parts = {kind: known.get(kind, ()) for kind in ("vpc", "subnet", "iam_policy")}
    parts["iam_user"] = tuple(user.name for user in config.security.iam_users) if config.security else ()
    for kind, names in parts.items():
        found |= dict.fromkeys(word for name in names for word in (f"{kind}.{name}", name))
    return found

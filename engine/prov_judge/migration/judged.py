"""What a migration does to the bill and to compliance."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.migration.model import ComplianceDelta

if TYPE_CHECKING:
    from prov_judge.compliance.model import Assessment


def cost_of(config: InfrastructureConfig, book: Any, today: date) -> Mapping[str, Decimal]:
    """What a month costs, by currency, as far as prices are known."""
    from prov_judge.cost.estimate import Estimator  # noqa: PLC0415 - price tables are read only where a cost is asked for

    return Estimator(book, today=today).monthly(config)


def compliance_of(
    current: InfrastructureConfig, target: InfrastructureConfig, today: date, now: Mapping[str, str]
) -> tuple[ComplianceDelta, ...]:
    """What becomes of every framework's checks. `now` has the new addresses of renamed things, which are no worse."""
    from prov_judge.compliance.assess import assess_all  # noqa: PLC0415 - the checks are read only where they are asked for

    before, after = assess_all(current, today=today), assess_all(target, today=today)
    return tuple(_delta(old, new, now) for old, new in zip(before, after, strict=True))


def _delta(old: "Assessment", new: "Assessment", now: Mapping[str, str]) -> ComplianceDelta:
    from prov_judge.compliance.summary import summarise  # noqa: PLC0415 - as above

    before, after = summarise(old), summarise(new)
    failed = {check for check, outcome in before.outcomes.items() if outcome == "fail"}
    fails = {check for check, outcome in after.outcomes.items() if outcome == "fail"}
    more = _places(new, {}) - _places(old, now)
    return ComplianceDelta(
        framework=old.framework,
        before=before.counts["fail"],
        after=after.counts["fail"],
        newly_failing=tuple(sorted(fails - failed)),
        newly_passing=tuple(sorted(failed - fails)),
        worse=tuple(sorted({check for check, _ in more} & failed)),
    )


def _places(assessment: "Assessment", now: Mapping[str, str]) -> Counter[tuple[str, str]]:
    """How often each check fails at each address."""
    return Counter((result.check, now.get(result.address, result.address)) for result in assessment.failed)

"""What a migration does to the bill and to compliance."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.migration.model import ComplianceDelta


def cost_of(config: InfrastructureConfig, book: Any, today: date) -> Mapping[str, Decimal]:
    """What a month costs, by currency, as far as prices are known."""
    from prov_judge.cost.estimate import Estimator  # noqa: PLC0415 - price tables are read only where a cost is asked for

    return Estimator(book, today=today).monthly(config)


def compliance_of(current: InfrastructureConfig, target: InfrastructureConfig, today: date) -> tuple[ComplianceDelta, ...]:
    """How many results of each framework fail before and after."""
    from prov_judge.compliance.assess import assess_all  # noqa: PLC0415 - the checks are read only where they are asked for

    before, after = assess_all(current, today=today), assess_all(target, today=today)
    return tuple(ComplianceDelta(old.framework, len(old.failed), len(new.failed)) for old, new in zip(before, after, strict=True))

"""Ask every judge."""

from collections.abc import Iterable
from datetime import date

from prov_gen.findings import Finding
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess_all
from prov_judge.compliance.checks import checks
from prov_judge.cost.estimate import estimate
from prov_judge.migration.plan import plan_migration
from prov_judge.prices.book import PriceBook
from prov_judge.review.model import Review


def review(
    config: InfrastructureConfig | None,
    *,
    name: str,
    is_valid: bool,
    findings: Iterable[Finding],
    resources: dict[str, int],
    book: PriceBook | None,
    today: date,
    against: InfrastructureConfig | None = None,
    notes: tuple[str, ...] = (),
) -> Review:
    """The review of a configuration (None: a text without a readable one) and what validation said of it.

    `against` is what runs today; with it the review tells what changes. Without a `book` nothing is priced; `notes` say why.
    """
    if config is None:
        return Review(name, is_valid, tuple(findings), resources, notes=notes)
    return Review(
        name=name,
        is_valid=is_valid,
        findings=tuple(findings),
        resources=resources,
        estimate=estimate(config, book=book, today=today) if book else None,
        assessments=assess_all(config, today=today),
        checks={check.id: check for check in checks()},
        migration=plan_migration(against, config, book=book, today=today) if against else None,
        notes=notes,
    )

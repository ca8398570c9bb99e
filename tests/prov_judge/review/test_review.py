"""A review brings the judges together; as Markdown it fits a pull request whatever the configuration is."""

from datetime import date
from typing import Any

import pytest
from markdown_it import MarkdownIt

from prov_gen.findings import finding
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.model import FRAMEWORKS, SEVERITIES
from prov_judge.prices.book import PriceBook
from prov_judge.review.documents import documents
from prov_judge.review.markdown import as_markdown
from prov_judge.review.model import Review
from prov_judge.review.review import review

TODAY = date(2026, 11, 23)
LIMIT = 65_536
"""Characters of a comment at GitHub."""

SHOP = {
    "region": "us-east-1",
    "servers": [{"name": "web", "plan": "t3.micro", "networking": {"public_ip": True}}],
    "buckets": [{"name": "data", "versioning": False, "size_gb": 100.0}],
}


def reviewed(value: dict[str, Any], *, against: dict[str, Any] | None = None, **changed: Any) -> Review:
    config = InfrastructureConfig.model_validate(value)
    given: dict[str, Any] = {
        "name": "main.ncl", "is_valid": True, "findings": (), "resources": {"server": 1}, "book": PriceBook.shipped(),
        "today": TODAY,
    }  # fmt: skip
    old = InfrastructureConfig.model_validate(against) if against else None
    return review(config, against=old, **(given | changed))


def test_every_framework_is_asked_and_a_failure_is_told_once():
    found = reviewed(SHOP)
    assert [one.framework for one in found.assessments] == list(FRAMEWORKS)
    told = [(one.check.id, one.result.address, one.result.path) for one in found.failures()]
    assert len(told) == len(set(told))
    versioning = next(one for one in found.failures() if one.check.id == "BCK-02")
    assert versioning.frameworks == ("soc2", "hipaa", "gdpr", "pci")
    ranks = [SEVERITIES.index(one.check.severity) for one in found.failures()]
    assert ranks == sorted(ranks)


def test_a_review_does_not_pass_when_a_check_fails_or_validation_does():
    assert not reviewed(SHOP).is_passed
    assert not reviewed({}, is_valid=False).is_passed


def test_a_text_without_a_configuration_has_findings_and_nothing_else():
    one = finding("shape_type", ("servers", 0, "spec"), "spec is a record, not a number")
    found = review(
        None, name="x.ncl", is_valid=False, findings=[one], resources={}, book=None, today=TODAY, notes=("nothing was priced",)
    )
    shown = as_markdown(found)
    assert "**not valid**" in shown
    assert "spec is a record" in shown
    assert "nothing was priced" in shown
    assert "Cost" not in shown
    assert set(documents(found)) == {"review", "findings"}


def test_without_prices_the_rest_is_still_judged():
    found = reviewed(SHOP, book=None, against=SHOP)
    assert found.estimate is None
    assert found.assessments
    assert "### Compliance" in as_markdown(found)


def test_a_comparison_tells_what_changes_and_what_it_costs_with_the_same_figures_as_the_estimate():
    target = {**SHOP, "servers": [{"name": "web", "plan": "m5.large", "networking": {"public_ip": True}}]}
    found = reviewed(target, against=SHOP)
    assert found.migration is not None
    assert found.estimate is not None
    assert found.migration.cost_after == found.estimate.totals()
    shown = as_markdown(found)
    assert "### What changes" in shown
    assert "1 to change" in shown


@pytest.mark.parametrize("count", [1, 300])
def test_the_comment_fits_and_is_whole_markdown(count: int):
    hostile = "<img src=x> @team #1 | `x` **b** https://example.com " * 4
    value = {
        "tags": {"Owner": hostile[:250]},
        "servers": [{"name": f"web-{n}", "networking": {"public_ip": True}, "role": "web"} for n in range(count)],
        "buckets": [{"name": f"b-{n}", "versioning": False, "encryption": "none"} for n in range(count)],
    }
    findings = [finding("reference_missing", ("servers", n), hostile, hostile) for n in range(count)]
    shown = as_markdown(reviewed(value, against=SHOP, findings=findings))
    assert len(shown) < LIMIT
    html = MarkdownIt("commonmark").enable("table").render(shown)
    assert "<img" not in html
    assert "@team" not in html
    assert html.count("<table>") >= 3


def test_documents_are_made_when_somebody_reads_them():
    found = reviewed(SHOP)
    made = {name: make() for name, (_file, make) in documents(found).items()}
    assert set(made) == {"review", "findings", "cost", "compliance"}
    assert all(made.values())

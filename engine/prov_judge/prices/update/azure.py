"""Azure: the Retail Prices API. Pages of `Items`, each with the link of the next one; a query a region and kind of product.

Format: "Azure Retail Prices overview", Microsoft Learn. The service has no version of its list: a page link that an
interruption left is used for a day, then all begins again.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from prov_judge.prices.update.found import Found
from prov_judge.prices.update.rules import Rule, Ruleset, amount_of
from prov_judge.prices.update.source import Source
from stratumops.errors import ExternalError

PAGE = "/api/retail/prices"
API_VERSION = "2023-01-01-preview"
MAX_PAGES = 2_000
"""Of one query: a page has up to 1,000 items."""
_WRONG = "is that the right --base-url? If so, the vendor's format has changed: please report it"


def fetch(source: Source, ruleset: Ruleset, found: Found, report: Callable[[str], None]) -> None:
    """Fetch what is not in `found` yet. Raises ExternalError or UnavailableError; `found` says how far it came."""
    for group, query in ruleset.queries.items():
        for region in found.regions:
            part = f"{group}/{region}"
            if part in found.done:
                continue
            if found.cursor.get("part") != part:
                found.forget(region, {rule.service for rule in ruleset.of(group)})
                found.cursor = {"part": part, "next": _first(query, region, ruleset.currency), "pages": 0}
            _read_pages(source, ruleset, found, report)
            found.done[part] = API_VERSION
            found.cursor = {}
            found.save()


def _first(query: str, region: str, currency: str) -> str:
    words = {
        "api-version": API_VERSION,
        "currencyCode": f"'{currency}'",
        "$filter": f"{query} and armRegionName eq '{region}' and priceType eq 'Consumption'",
    }
    return f"{PAGE}?{urlencode(words)}"


def _read_pages(source: Source, ruleset: Ruleset, found: Found, report: Callable[[str], None]) -> None:
    cursor = found.cursor
    group, region = cursor["part"].split("/")
    rules = ruleset.of(group)
    while cursor["next"]:
        if cursor["pages"] >= MAX_PAGES:
            raise ExternalError(f"{cursor['part']} has more than {MAX_PAGES:,} pages", hint=_WRONG)
        page = source.document(cursor["next"])
        items, following = _checked(page, cursor["part"])
        if following and source.address(following) == source.address(cursor["next"]):
            raise ExternalError(f"{cursor['part']}: a page names itself as the next one", hint=_WRONG)
        for item in items:
            _take(item, rules, ruleset.currency, found, region)
        # Only now: a page that was not read whole is read again.
        cursor["next"], cursor["pages"] = following, cursor["pages"] + 1
        found.save()
        report(f"{cursor['part']}: page {cursor['pages']}")


def _checked(page: Any, part: str) -> tuple[list[dict[str, Any]], str | None]:
    """The items of a page, and the link of the next."""
    items = page.get("Items") if isinstance(page, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ExternalError(f"{part}: the answer has no Items", hint=_WRONG)
    following = page.get("NextPageLink")
    if following is not None and not isinstance(following, str):
        raise ExternalError(f"{part}: the link of the next page is none", hint=_WRONG)
    return items, following or None


def _take(item: dict[str, Any], rules: list[Rule], currency: str, found: Found, region: str) -> None:
    line: Mapping[str, str] = _Line({key: value for key, value in item.items() if isinstance(value, str)})
    rule = next((rule for rule in rules if rule.takes(line)), None)
    if rule is None or item.get("tierMinimumUnits", 0) != 0 or line["armRegionName"] != region:
        return
    factor = rule.units.get(line["unitOfMeasure"].lower())
    if factor is None:
        return
    if line["currencyCode"] != currency:
        raise ExternalError(
            f"{region} has prices in {line['currencyCode'][:20] or 'no currency'}, expected {currency}",
            hint="currencies are not mixed in a list; import these with `prov prices import`",
        )
    found.add((region, rule.service, rule.name(line)), rule.unit, amount_of(item.get("retailPrice"), region) * factor)


class _Line(dict[str, str]):
    """An item's texts; what it does not say is blank."""

    def __missing__(self, key: str) -> str:
        return ""

"""AWS: the Price List Bulk API. Offer index -> region index -> the CSV file of an offer in a region, read as it arrives.

A price file can have hundreds of megabytes. It is read line by line, nothing of it is stored but the prices that are wanted,
and after an interruption it is asked for from the last whole line on (`Range` with `If-Range`); a file that has changed since
begins again. Format: "Reading the price list files", AWS Billing user guide.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prov_judge.prices.update.found import Found
from prov_judge.prices.update.rules import Rule, Ruleset, amount_of
from prov_judge.prices.update.source import ATTEMPTS, Source
from stratumops.errors import ExternalError, UnavailableError

INDEX = "/offers/v1.0/aws/index.json"
SAVED_EVERY_BYTES = 32 * 1024 * 1024
LONGEST_LINE = 64 * 1024
MAX_FILE_BYTES = 4 * 1024**3
_LINES_BEFORE_HEADER = 12
_BEYOND_ITS_END = 416
_WRONG = "is that the right --base-url? If so, the vendor's format has changed: please report it"

# Columns that every price file has, besides those that rules look at.
_COMMON = ("TermType", "StartingRange", "Unit", "PricePerUnit", "Currency")


def fetch(source: Source, ruleset: Ruleset, found: Found, report: Callable[[str], None]) -> None:
    """Fetch what is not in `found` yet. Raises ExternalError or UnavailableError; `found` says how far it came."""
    offers = _table(source.document(INDEX), "offers")
    for offer in ruleset.groups:
        index = source.document(_text(_table(offers, offer), "currentRegionIndexUrl"))
        places = _table(index, "regions")
        for region in found.regions:
            if region not in places:
                report(f"{offer} is not sold in {region}")
                continue
            link = _text(_table(places, region), "currentVersionUrl").removesuffix(".json") + ".csv"
            part = f"{offer}/{region}"
            if found.done.get(part) != link:
                _fetch_file(source, ruleset, found, report, (part, link))
                found.done[part] = link
                found.cursor = {}
                found.save()


def _fetch_file(source: Source, ruleset: Ruleset, found: Found, report: Callable[[str], None], named: tuple[str, str]) -> None:
    """Read one file to its end; a connection that breaks is taken up again as long as each attempt gets further."""
    part, link = named
    idle = 0
    while True:
        before = found.cursor.get("offset", 0) if found.cursor.get("link") == link else 0
        try:
            _FileReader(source, ruleset, found, report, part=part, link=link).read()
        except UnavailableError as error:
            idle = 0 if found.cursor.get("offset", 0) > before else idle + 1
            if idle == ATTEMPTS or not error.details.get("has_begun"):
                raise
        except ExternalError as error:
            # The place to go on from is the very end (RFC 9110, 15.5.17): the file is begun again.
            if error.details.get("status") != _BEYOND_ITS_END or not found.cursor:
                raise
            found.cursor = {}
        else:
            return


class _FileReader:
    """One attempt at one file. `found.cursor` is {link, etag, offset, header}: where the next attempt goes on."""

    def __init__(
        self, source: Source, ruleset: Ruleset, found: Found, report: Callable[[str], None], *, part: str, link: str
    ) -> None:
        self.source, self.found, self.report, self.part, self.link = source, found, report, part, link
        offer, self.region = part.split("/")
        self.rules = ruleset.of(offer)
        self.currency = ruleset.currency
        self.services = {rule.service for rule in self.rules}
        self.header: list[str] = []
        self.lines = 0

    def read(self) -> None:
        """Raises ExternalError, and UnavailableError when the connection breaks."""
        cursor = self.found.cursor if self.found.cursor.get("link") == self.link else {}
        headers = {"Range": f"bytes={cursor['offset']}-", "If-Range": cursor["etag"]} if cursor.get("etag") else {}
        with self.source.opened(self.link, headers) as answer:
            offset = 0
            if headers and answer.status_code == 206:
                offset, self.header = cursor["offset"], cursor["header"]
                if not answer.headers.get("content-range", "").startswith(f"bytes {offset}-"):
                    raise ExternalError(f"{self.part}: the host goes on at another place than asked", hint=_WRONG)
            else:
                self.found.forget(self.region, self.services)
            etag = answer.headers.get("etag", "")
            state = {"link": self.link, "etag": "" if etag.startswith("W/") else etag, "offset": offset, "header": self.header}
            self.found.cursor = state
            self._consume(answer.iter_raw(), state, int(answer.headers.get("content-length", 0)) + offset)
        if not self.header:
            raise ExternalError(f"{self.part} is not a price list: it has no header", hint=_WRONG)

    def _consume(self, chunks: Iterator[bytes], state: dict[str, Any], size: int) -> None:
        rest, saved = b"", state["offset"]
        for chunk in chunks:
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                self._line(line)
                # In this order: an interruption in between reads a line twice, which changes nothing.
                state["header"] = self.header
                state["offset"] += len(line) + 1
            if len(rest) > LONGEST_LINE or state["offset"] > MAX_FILE_BYTES:
                raise ExternalError(f"{self.part} is not a price list: it is too long", hint=_WRONG)
            if state["offset"] - saved >= SAVED_EVERY_BYTES:
                saved = state["offset"]
                self.found.save()
                self.report(_megabytes(self.part, saved, size))
        if rest:
            self._line(rest)

    def _line(self, data: bytes) -> None:
        # Nine in ten lines are reservations: they are told by a look, not by parsing.
        if self.header and b"OnDemand" not in data:
            return
        try:
            cells = next(csv.reader([data.decode("utf-8").rstrip("\r")], strict=True), [])
        except (UnicodeDecodeError, csv.Error):
            raise ExternalError(f"{self.part} is not a price list: a line of it is not CSV", hint=_WRONG) from None
        if self.header:
            if len(cells) != len(self.header):
                raise ExternalError(f"{self.part}: a line has {len(cells)} cells, expected {len(self.header)}", hint=_WRONG)
            self._take(dict(zip(self.header, cells, strict=True)))
            return
        self.lines += 1
        if cells[:1] == ["SKU"]:
            missing = {*_COMMON, *(field for rule in self.rules for field in rule.fields)} - set(cells)
            if missing:
                raise ExternalError(f"{self.part} has no column {', '.join(sorted(missing))}", hint=_WRONG)
            self.header = cells
        elif self.lines >= _LINES_BEFORE_HEADER:
            raise ExternalError(f"{self.part} is not a price list: it has no header", hint=_WRONG)

    def _take(self, line: Mapping[str, str]) -> None:
        rule = next((rule for rule in self.rules if rule.takes(line)), None)
        if rule is None or line["TermType"] != "OnDemand" or line["StartingRange"] not in {"", "0"}:
            return
        factor = rule.units.get(line["Unit"].lower())
        if factor is None:
            return
        if line["Currency"] != self.currency:
            raise ExternalError(
                f"{self.part} has prices in {line['Currency'][:20]}, expected {self.currency}",
                hint="currencies are not mixed in a list; import these with `prov prices import`",
            )
        self._add(rule, line, factor)

    def _add(self, rule: Rule, line: Mapping[str, str], factor: Any) -> None:
        amount = amount_of(line["PricePerUnit"], self.part) * factor
        if item := rule.name(line):
            self.found.add((self.region, rule.service, item), rule.unit, amount)


def _megabytes(part: str, read: int, size: int) -> str:
    of = f" of {size / 1e6:,.0f}" if size > read else ""
    return f"{part}: {read / 1e6:,.0f}{of} MB"


def _table(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise ExternalError(f"the price list's index has no {key!r}", hint=_WRONG)
    return found


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise ExternalError(f"the price list's index has no {key!r}", hint=_WRONG)
    return found

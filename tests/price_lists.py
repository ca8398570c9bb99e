"""A loopback server that publishes price lists as AWS and Azure do.

Built from the vendors' published schemas: "Reading the price list files" of the AWS Billing user guide (offer index, region
index, the CSV of an offer) and "Azure Retail Prices overview" on Microsoft Learn (pages of Items with NextPageLink). The
real services were never asked: this was built without a network. Amounts in it are made up for the tests.
"""

import csv
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

AWS_COLUMNS = (
    "SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange", "EndingRange", "Unit",
    "PricePerUnit", "Currency", "Product Family", "serviceCode", "Location", "Location Type", "Instance Type", "Tenancy",
    "Operating System", "License Model", "usageType", "operation", "CapacityStatus", "Pre Installed S/W", "Volume API Name",
    "Volume Type", "Group", "Database Engine", "Deployment Option", "Cache Engine",
)  # fmt: skip
OFFERS = ("AmazonEC2", "AmazonRDS", "AmazonElastiCache", "AWSELB")
MACHINE = {
    "Product Family": "Compute Instance", "Operating System": "Linux", "Tenancy": "Shared", "CapacityStatus": "Used",
    "Pre Installed S/W": "NA", "operation": "RunInstances", "Unit": "Hrs",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What the server says once. `cut` closes the connection after so many bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


Page = Callable[[str, dict[str, str]], Answer]


@dataclass
class Vendor:
    """Pages by path, faults that come before them (once each, in order), and what was asked for."""

    base_url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    faults: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        """The paths that were asked for, without their queries."""
        return [urlsplit(path).path for path, _ in self.asked]

    def put(self, path: str, value: Any) -> None:
        """Publish a JSON document."""
        body = json.dumps(value).encode()
        self.pages[path] = lambda _path, _headers: Answer(body=body)

    def put_file(self, path: str, text: str, etag: str) -> None:
        """Publish a file that can be asked for in parts."""
        body = text.encode()

        def answer(_path: str, headers: dict[str, str]) -> Answer:
            wanted = headers.get("range", "")
            if wanted and headers.get("if-range") == etag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                place = {"ETag": etag, "Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
                return Answer(206, body[start:], place)
            return Answer(200, body, {"ETag": etag})

        self.pages[path] = answer

    def fault(self, path: str, *answers: Answer) -> None:
        """Say this first, once each."""
        self.faults.setdefault(path, []).extend(answers)

    def put_aws(self, regions: dict[str, list[dict[str, str]]], version: str = "20260701000000", **edited: str) -> None:
        """Publish these lines of regions, each in the file of its offer (`serviceCode`; EC2 when it does not say)."""
        root = "/offers/v1.0/aws"
        offers = {
            name: {"offerCode": name, "currentRegionIndexUrl": f"{root}/{name}/current/region_index.json"} for name in OFFERS
        }
        self.put(f"{root}/index.json", {"formatVersion": "v1.0", "offers": offers})
        for name in OFFERS:
            self.put(offers[name]["currentRegionIndexUrl"], {
                "regions": {
                    region: {"regionCode": region, "currentVersionUrl": f"{root}/{name}/{version}/{region}/index.json"}
                    for region in regions
                },
            })  # fmt: skip
            for region, lines in regions.items():
                text = aws_csv(name, [line for line in lines if line.get("serviceCode", OFFERS[0]) == name], version)
                self.put_file(
                    f"{root}/{name}/{version}/{region}/index.csv", edited.get(name, text), f'"{name}-{version}-{region}"'
                )

    def put_azure(self, items: list[dict[str, Any]], per_page: int = 2, **more: Any) -> None:
        """Publish these items, filtered by region and service as the real one does, so many a page."""

        def answer(path: str, _headers: dict[str, str]) -> Answer:
            query = {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
            wanted = [item for item in items if _matches(item, query["$filter"])]
            skip = int(query.get("$skip", 0))
            page: dict[str, Any] = {"BillingCurrency": "USD", "Items": wanted[skip : skip + per_page], "NextPageLink": None}
            if skip + per_page < len(wanted):
                page["NextPageLink"] = f"{self.base_url}{path.partition('&$skip')[0]}&$skip={skip + per_page}"
            return Answer(body=json.dumps({**page, **more}).encode())

        self.pages["/api/retail/prices"] = answer


def aws_line(amount: str, currency: str = "USD", **columns: str) -> dict[str, str]:
    """A line of an offer's CSV; names of columns with spaces come in a dictionary: `aws_line("1", **{"Instance Type": ...})`."""
    line = {"TermType": "OnDemand", "StartingRange": "0", "EndingRange": "Inf", "Location Type": "AWS Region"}
    return line | {"PricePerUnit": amount, "Currency": currency} | columns


def aws_machine(name: str, amount: str, **columns: str) -> dict[str, str]:
    """The line of a Linux machine on demand."""
    return aws_line(amount, **(MACHINE | {"Instance Type": name} | columns))


def aws_csv(offer: str, lines: list[dict[str, str]], version: str) -> str:
    """The CSV of an offer: five lines about it, the header, the lines; everything in quotes."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    head = (("FormatVersion", "v1.0"), ("Disclaimer", "For information, only."), ("Publication Date", "2026-07-01T00:00:00Z"))
    writer.writerows([*head, ("Version", version), ("OfferCode", offer), AWS_COLUMNS])
    writer.writerows([line.get(column, "") for column in AWS_COLUMNS] for line in lines)
    return out.getvalue()


def azure_item(sku: str, amount: float, region: str = "westeurope", **fields: Any) -> dict[str, Any]:
    """An item of the retail prices: a pay-as-you-go machine."""
    name = sku.removeprefix("Standard_")
    return {
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": amount, "unitPrice": amount, "armRegionName": region,
        "meterName": name, "productName": "Virtual Machines Series", "skuName": name, "serviceName": "Virtual Machines",
        "serviceFamily": "Compute", "unitOfMeasure": "1 Hour", "type": "Consumption", "isPrimaryMeterRegion": True,
        "armSkuName": sku,
    } | fields  # fmt: skip


def _matches(item: dict[str, Any], wanted: str) -> bool:
    """Whether an item satisfies `a eq 'x' and b eq 'y'`."""
    names = {"priceType": "type"}
    pairs = (part.split(" eq ") for part in wanted.split(" and "))
    return all(item[names.get(name.strip(), name.strip())] == value.strip().strip("'") for name, value in pairs)


class _Handler(BaseHTTPRequestHandler):
    vendor: Vendor

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.vendor.asked.append((self.path, headers))
        path = urlsplit(self.path).path
        faults = self.vendor.faults.get(path, [])
        page = self.vendor.pages.get(path)
        answer = faults.pop(0) if faults else page(self.path, headers) if page else Answer(404)
        if answer.cut is not None and not answer.body and page:
            whole = page(self.path, headers)
            answer = Answer(whole.status, whole.body, whole.headers, answer.cut)
        self.send_response(answer.status)
        for name, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body if answer.cut is None else answer.body[: answer.cut])
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Tests read `asked` instead."""


@contextmanager
def serving() -> Iterator[Vendor]:
    """A vendor on a free port of loopback, until the block ends."""
    vendor = Vendor()
    handler = type("Handler", (_Handler,), {"vendor": vendor})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        vendor.base_url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield vendor
        finally:
            server.shutdown()
            thread.join()

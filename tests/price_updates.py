"""What the tests of price updates share: the lists that are published, and one update over loopback."""

from datetime import date

from price_lists import Vendor, aws_machine, azure_item
from prov_judge.prices.overlay import read_overlay
from prov_judge.prices.store import updated_path
from prov_judge.prices.update.run import Updated, update
from stratumops.workspace import Workspace

TODAY = date(2026, 11, 23)
INDEX = "/offers/v1.0/aws/index.json"
AZURE = "/api/retail/prices"
EC2 = "/offers/v1.0/aws/AmazonEC2/20260701000000/us-east-1/index.csv"
MACHINES = [aws_machine("m5.large", "0.0970000000"), aws_machine("m5.xlarge", "0.1940000000"), aws_machine("t3.micro", "0.0105")]
ITEMS = [azure_item(f"Standard_D{n}s_v5", n / 20) for n in (2, 4, 8, 16, 32)]


class Waits(list[float]):
    """Takes the place of waiting, and remembers how long."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def run(workspace: Workspace, vendor: Vendor, provider: str, waits: Waits, region: str = "", today: date = TODAY) -> Updated:
    chosen = region or {"aws": "us-east-1", "azure": "westeurope"}[provider]
    return update(workspace, provider, today=today, chosen=[chosen], base_url=vendor.base_url, pause=waits)


def amounts(workspace: Workspace, provider: str) -> dict[str, str]:
    rows = read_overlay(updated_path(workspace, provider), "updated")
    return {f"{row.service}/{row.item}": f"{row.amount:f} {row.currency} {row.unit}" for row in rows}

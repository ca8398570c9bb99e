"""What an update has found so far, and where it goes on: kept in the workspace, so that an interruption costs nothing."""

import contextlib
import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from prov_judge.prices.overlay import is_readable
from prov_judge.prices.store import replace_private

FORMAT = 1
MAX_AGE_DAYS = 1
"""After this the prices of an unfinished update and of its continuation would be of different days."""

Key = tuple[str, str, str]
"""Region, service, item."""


@dataclass
class Found:
    """Prices by region, service and item, each with its unit; `unclear` are items that the list does not price clearly."""

    path: Path
    base_url: str
    regions: tuple[str, ...]
    started: date
    prices: dict[Key, tuple[str, Decimal]] = field(default_factory=dict)
    unclear: set[Key] = field(default_factory=set)
    done: dict[str, str] = field(default_factory=dict)
    """Part of the list -> the version of it that is in `prices`."""
    cursor: dict[str, Any] = field(default_factory=dict)
    """Where the part that was begun goes on; its shape is the vendor module's."""

    def add(self, key: Key, unit: str, amount: Decimal) -> None:
        """Take a price. Zero is not a price; two for the same item make it unclear, and neither is kept.

        So does a name or an amount that the reader of price files would refuse: what is written can be read again.
        """
        if not amount or key in self.unclear:
            return
        if not is_readable(key[1], key[2], unit, amount):
            self.unclear.add(key)
            return
        price = unit, amount.normalize()
        if self.prices.setdefault(key, price) != price:
            del self.prices[key]
            self.unclear.add(key)

    def forget(self, region: str, services: set[str]) -> None:
        """Drop what was found of a part that begins again."""

        def is_kept(key: Key) -> bool:
            return key[0] != region or key[1] not in services

        self.prices = {key: value for key, value in self.prices.items() if is_kept(key)}
        self.unclear = {key for key in self.unclear if is_kept(key)}

    def save(self) -> None:
        """Write all of it to its file, in one step."""
        value = {
            "format": FORMAT,
            "base_url": self.base_url,
            "regions": list(self.regions),
            "started": self.started.isoformat(),
            "prices": [[*key, unit, f"{amount:f}"] for key, (unit, amount) in self.prices.items()],
            "unclear": [list(key) for key in sorted(self.unclear)],
            "done": self.done,
            "cursor": self.cursor,
        }
        replace_private(self.path, json.dumps(value))

    def load(self) -> bool:
        """Take over what an interrupted update of the same kind left. False: there is none that fits, and all begins anew."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, ArithmeticError, AttributeError, RecursionError):
            value = json.loads(self.path.read_text(encoding="utf-8"))
            started = date.fromisoformat(value["started"])
            fits = (value["format"], value["base_url"], tuple(value["regions"])) == (FORMAT, self.base_url, self.regions)
            if fits and 0 <= (self.started - started).days <= MAX_AGE_DAYS:
                prices = {
                    (place, service, item): (unit, Decimal(amount)) for place, service, item, unit, amount in value["prices"]
                }
                unclear = {(region, service, item) for region, service, item in value["unclear"]}
                done, cursor = dict(value["done"]), dict(value["cursor"])
                self.prices, self.unclear, self.done, self.cursor, self.started = prices, unclear, done, cursor, started
                return True
        return False

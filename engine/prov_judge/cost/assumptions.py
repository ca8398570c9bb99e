"""What prices alone do not say, as data: assumed use (usage.toml), how providers bill (providers.toml), disks (storage.toml)."""

import functools
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from prov_corpus.prices.facts import read_facts_file
from prov_judge.cost.amount import Amount
from prov_judge.cost.model import USAGES

FOLDER = Path(__file__).parent


@functools.cache
def read(name: str) -> Mapping[str, Any]:
    """A table beside this module, with exact decimals; treat as read-only."""
    return read_facts_file(FOLDER / f"{name}.toml")


@functools.cache
def assumed(key: str) -> Amount:
    """The quantity at each use of something that the configuration does not say, such as `internet`."""
    row = read("usage")[key]
    return Amount.ranging({usage: Decimal(row[usage]) for usage in USAGES})


def reason(key: str) -> str:
    """Why that much is assumed."""
    return str(read("usage")[key]["why"])


def billing(provider: str) -> Mapping[str, Any]:
    """How a provider bills."""
    table: Mapping[str, Any] = read("providers")[provider]
    return table


def not_sold(provider: str, service: str) -> str | None:
    """What to do where a provider does not sell a service; None where it does."""
    hint: str | None = billing(provider).get("not_sold", {}).get(service)
    return hint

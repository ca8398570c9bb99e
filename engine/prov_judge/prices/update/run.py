"""One update: fetch, then lay the new prices over the old ones in `updated-PROVIDER.csv`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from prov_corpus.catalogue.regions import nearest_regions, regions
from prov_corpus.prices.compute import priced_regions
from prov_judge.prices.overlay import read_overlay
from prov_judge.prices.row import PriceRow
from prov_judge.prices.store import changing, folder, partial_path, updated_path, write_rows
from prov_judge.prices.update import aws, azure
from prov_judge.prices.update.found import Found
from prov_judge.prices.update.rules import Ruleset, read_rules
from prov_judge.prices.update.source import Source
from stratumops.errors import ExternalError, InvalidInputError
from stratumops.workspace import Workspace

Fetch = Callable[[Source, Ruleset, Found, Callable[[str], None]], None]

FETCHERS: dict[str, Fetch] = {"aws": aws.fetch, "azure": azure.fetch}
"""The providers whose list prices can be fetched."""


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did: prices written, with the new and changed ones among them; of `unclear` names the list has two prices
    or none that could be kept, and they are left out.
    """

    provider: str
    regions: tuple[str, ...]
    prices: int
    new: int
    changed: int
    unclear: tuple[str, ...]
    was_resumed: bool


def update(
    workspace: Workspace,
    provider: str,
    *,
    today: date,
    chosen: Sequence[str] = (),
    base_url: str | None = None,
    report: Callable[[str], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Updated:
    """Fetch the list prices of a provider in the chosen regions (those of the shipped list when none is).

    An interruption, a lost connection and a busy host leave `partial-PROVIDER.json`, from which the next call goes on. Prices
    that were fetched earlier and not now stay. Raises InvalidInputError (provider, region, address), ExternalError (the host
    answers nonsense), UnavailableError (it cannot be reached).
    """
    fetch = FETCHERS.get(provider)
    if fetch is None:
        raise InvalidInputError(
            f"the list prices of {provider!r} cannot be fetched",
            hint=f"only those of {' and '.join(FETCHERS)}; import others with `prov prices import FILE`",
        )
    ruleset = read_rules(provider)
    places = _checked_regions(provider, chosen)
    folder(workspace, make=True)
    with Source(base_url or ruleset.base_url, pause=pause) as source:
        found = Found(path=partial_path(workspace, provider), base_url=str(source.base), regions=places, started=today)
        was_resumed = found.load()
        if was_resumed:
            report(f"going on from {len(found.prices):,} prices of an update that was interrupted")
        try:
            fetch(source, ruleset, found, report)
        except ExternalError:
            # What was gone on from may be what the host objects to: the next update begins anew.
            if was_resumed:
                found.path.unlink(missing_ok=True)
            raise
        except BaseException:
            if found.prices:
                found.save()
            raise
    if not found.prices:
        found.path.unlink(missing_ok=True)
        raise ExternalError(
            f"{source.base.host} has no prices for {', '.join(places)}", hint="is that the right --base-url? Nothing was changed"
        )
    with changing(workspace):
        new, changed = _write(workspace, provider, ruleset, found, today)
    found.path.unlink(missing_ok=True)
    unclear = tuple(sorted(" ".join(key) for key in found.unclear))
    return Updated(provider, places, len(found.prices), new, changed, unclear, was_resumed)


def _write(workspace: Workspace, provider: str, ruleset: Ruleset, found: Found, today: date) -> tuple[int, int]:
    """Lay the prices over those of earlier updates; answers how many are new and how many differ."""
    path = updated_path(workspace, provider)
    earlier = read_overlay(path, "updated") if path.exists() else []
    by_key = {(row.region, row.service, row.item): row for row in earlier}
    fresh = {
        (region, service, item): PriceRow(
            provider=provider,
            region=region,
            service=service,
            item=item,
            unit=unit,
            amount=amount,
            currency=ruleset.currency,
            as_of=today,
            source=ruleset.source,
            precision="listed",
            origin="updated",
            monthly_cap=None,
        )
        for (region, service, item), (unit, amount) in found.prices.items()
    }
    changed = sum(1 for key, row in fresh.items() if key in by_key and by_key[key].amount != row.amount)
    write_rows(path, (by_key | fresh).values())
    return len(fresh.keys() - by_key.keys()), changed


def _checked_regions(provider: str, chosen: Sequence[str]) -> tuple[str, ...]:
    known = regions(provider)
    for region in chosen:
        if region not in known:
            near = nearest_regions(provider, region) or list(known)[:6]
            raise InvalidInputError(
                f"{region[:60]!r} is not a region of {provider}", hint=f"use {', '.join(near)}", region=region
            )
    return tuple(sorted({*chosen})) or tuple(sorted(priced_regions(provider)))

"""`prov prices`: refresh list prices, import negotiated ones, and forget either. `prov prices status` is a tool."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command, Group
from prov_server.cli.paths import typed_path
from prov_server.cli.session import Session
from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from prov_judge.prices.row import PriceRow
    from prov_judge.prices.update.run import Updated

MAX_SHOWN = 10
"""Names that are told one by one."""
REFRESHED = ("aws", "azure")


_COLUMNS = ("provider", "region", "service", "item", "unit", "unit_price", "currency", "as_of", "source")
"""Those of `prov_judge.prices.overlay`, which is not imported to show a help."""


class _Doing:
    """What is being done right now, on a terminal; in a log each region's end would be noise."""

    def __init__(self, console: "Console", words: str) -> None:
        self._status: Status | None = None
        if console.is_terminal and not console.quiet:
            self._status = console.status(words)

    def __enter__(self) -> "Callable[[str], None]":
        if self._status:
            self._status.start()
        return self._say

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def _say(self, words: str) -> None:
        if self._status:
            self._status.update(Text(visible(words)))


def _update(provider: str | None, region: tuple[str, ...], base_url: str | None) -> None:
    from datetime import date

    from prov_judge.prices.update.run import update

    if provider is None and (region or base_url):
        raise InvalidInputError("--region and --base-url are about one provider", hint=f"add --provider {' or '.join(REFRESHED)}")
    session = Session.current()
    done = []
    for name in (provider,) if provider else REFRESHED:
        with _Doing(session.notes, f"fetching the list prices of {name}") as report:
            try:
                one = update(
                    session.workspace,
                    name,
                    today=date.today(),  # noqa: DTZ011 - the day of the person who fetches
                    chosen=region,
                    base_url=base_url,
                    report=report,
                )
            except KeyboardInterrupt:
                session.notes.print("interrupted; what was fetched is kept: run the same command again to go on", style="warning")
                raise
        done.append(one)
        if not session.as_json:
            _tell_updated(session, one)
    if session.as_json:
        session.say_json([_as_json(one) for one in done])


def _tell_updated(session: Session, one: "Updated") -> None:
    from prov_server.cli.views.validate import plural

    resumed = ", going on from an interrupted update" if one.was_resumed else ""
    where = f"{plural(one.prices, 'price')} in {plural(len(one.regions), 'region')}"
    words = f" {where}: {one.new:,} new, {one.changed:,} changed{resumed}"
    session.out.print(Text.assemble((one.provider, "name"), words), soft_wrap=True)
    for name in one.unclear[:MAX_SHOWN]:
        session.notes.print(f"left out, the list is not clear about it: {visible(name)}", style="warning", soft_wrap=True)
    if len(one.unclear) > MAX_SHOWN:
        session.notes.print(f"... and {len(one.unclear) - MAX_SHOWN:,} more", style="warning")


def _as_json(one: "Updated") -> dict[str, object]:
    return {
        "provider": one.provider,
        "regions": list(one.regions),
        "prices": one.prices,
        "new": one.new,
        "changed": one.changed,
        "unclear": list(one.unclear),
        "resumed": one.was_resumed,
    }


def _import(file: str, replace: bool) -> None:
    from datetime import date

    from prov_judge.prices.book import PriceBook
    from prov_judge.prices.overlay import odd_rows, read_overlay, refuse_future, unknown_items
    from prov_judge.prices.store import changing, negotiated_path, read_negotiated, write_rows
    from prov_server.cli.views.validate import plural

    session = Session.current()
    rows = read_overlay(typed_path(file), "negotiated")
    if not rows:
        raise InvalidInputError(
            f"{file} holds no price", hint="below the line of names, each line is a price; nothing was changed"
        )
    # The file's own lines: sorting or leaving out rows would make the line of an error wrong.
    refuse_future(rows, typed_path(file), date.today())  # noqa: DTZ011 - the day of the person who imports
    given = {_key(row): row for row in rows}
    with changing(session.workspace):
        # With --replace a damaged file of earlier prices is no obstacle: it goes.
        earlier = {} if replace and not _is_readable(session) else {_key(row): row for row in read_negotiated(session.workspace)}
        kept = {} if replace else {key: row for key, row in earlier.items() if key not in given}
        write_rows(negotiated_path(session.workspace), [*kept.values(), *given.values()])
    new = len(given.keys() - earlier.keys())
    changed = sum(1 for key in given.keys() & earlier.keys() if given[key] != earlier[key])
    removed = len(earlier.keys() - given.keys()) if replace else 0
    warnings = [*odd_rows(rows, PriceBook.shipped()), *unknown_items(rows, PriceBook.shipped())]
    counts = {"imported": len(rows), "new": new, "changed": changed, "kept": len(kept), "removed": removed}
    if session.as_json:
        session.say_json({**counts, "origin": "negotiated", "warnings": warnings})
        return
    rest = f", {removed:,} removed" if replace else f", {len(kept):,} kept" if kept else ""
    words = f" {plural(len(rows), 'price')}: {new:,} new, {changed:,} changed{rest}; these win over list prices"
    session.out.print(Text.assemble(("negotiated", "good"), words), soft_wrap=True)
    for words in warnings[:MAX_SHOWN]:
        session.notes.print(Text.assemble(("warning", "warning"), f": {visible(words)}"), soft_wrap=True)
    if len(warnings) > MAX_SHOWN:
        session.notes.print(f"... and {len(warnings) - MAX_SHOWN:,} more warnings", style="warning")


def _is_readable(session: Session) -> bool:
    from prov_judge.prices.store import read_negotiated

    try:
        read_negotiated(session.workspace)
    except InvalidInputError:
        return False
    return True


def _key(row: "PriceRow") -> tuple[str, str, str, str]:
    return row.provider, row.region, row.service, row.item


def _forget(negotiated: bool, updated: str | None) -> None:
    from prov_judge.prices.store import negotiated_path, partial_path, updated_path

    session = Session.current()
    if not negotiated and updated is None:
        raise InvalidInputError("it is not said which prices to forget", hint="say --negotiated, or --updated PROVIDER")
    names = {"negotiated prices": [negotiated_path(session.workspace)]} if negotiated else {}
    if updated:
        # What an interrupted update left belongs to it.
        names[f"updated prices of {updated}"] = [
            updated_path(session.workspace, updated),
            partial_path(session.workspace, updated),
        ]
    for words, paths in names.items():
        if not any(path.exists() for path in paths):
            raise NotFoundError(f"this workspace has no {words}", hint="`prov prices status` shows what it has")
    for path in (path for paths in names.values() for path in paths):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise PermissionDeniedError(f"{path} cannot be removed: {error.strerror}", hint="check its folder's mode") from None
    if session.as_json:
        session.say_json({"forgotten": list(names)})
    else:
        session.out.print(Text.assemble(("forgotten", "good"), f": {' and '.join(names)}"), soft_wrap=True)


def prices(load: Callable[[], None] | None = None) -> Group:
    """The group `prov prices`; `load` adds the tools that belong to it."""
    update = [
        RichOption(["--provider"], type=click.Choice(REFRESHED), help="Whose; both when it is left out"),
        RichOption(
            ["--region"], multiple=True, metavar="REGION", help="Where; again for more. Those of the shipped list otherwise"
        ),
        RichOption(["--base-url"], metavar="URL", help="A mirror of the vendor's public price list (https)"),
    ]
    bring = [
        RichArgument(["file"], type=click.Path(), help=f"CSV with the columns {', '.join(_COLUMNS)}"),
        RichOption(["--replace"], is_flag=True, default=False, help="Drop the negotiated prices that the file does not hold"),
    ]
    forget = [
        RichOption(["--negotiated"], is_flag=True, default=False, help="Those that were imported"),
        RichOption(["--updated"], type=click.Choice(REFRESHED), help="The list prices that were fetched"),
    ]
    return Group(
        "prices",
        load=load,
        help="Where prices come from: refresh list prices, import negotiated ones",
        commands=[
            Command("update", callback=_update, params=list(update), help="Fetch today's public list prices of AWS and Azure."),
            Command("import", callback=_import, params=list(bring), help="Import negotiated prices: they win over list prices."),
            Command("forget", callback=_forget, params=list(forget), help="Forget prices that were imported or fetched."),
        ],
    )

"""`prov rag`: folders of documents join and leave, the index is made and looked at, a model is fetched. Searching is a tool."""

import os
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.session import Session

if TYPE_CHECKING:
    from prov_rag.scan import Progress as Report
    from prov_server.knowledge.access import KnowledgeAccess
    from prov_server.knowledge.sources import Sources


def _access(session: Session) -> "KnowledgeAccess":
    from prov_server.knowledge.access import KnowledgeAccess

    settings = session.settings()
    return KnowledgeAccess(session.workspace, settings.rag, settings.knowledge)


def _sources(session: Session) -> "Sources":
    """What is added here. Raises NotAdoptedError, PermissionDeniedError."""
    from prov_server.engine.adoption import Adoption
    from prov_server.knowledge.sources import Sources

    session.workspace.make_own()
    Adoption.of_user(session.workspace.own, os.environ).require()
    return Sources(session.workspace.own)


def _add(path: str, name: str) -> None:
    from prov_server.cli.paths import typed_path

    session = Session.current()
    added = _sources(session).add(typed_path(path), name)
    status = _made(session)
    mine = next(one for one in status["sources"] if one["name"] == added.name)
    skipped = [one for one in status["skipped"] if one["path"].startswith(f"{added.name}/")]
    if session.as_json:
        session.say_json({"name": added.name, "folder": added.folder, **_counts(mine), "skipped": skipped})
        return
    words = f" {visible(added.folder)}: {mine['documents']:,} documents, {mine['chunks']:,} passages"
    session.out.print(Text.assemble(("added ", "good"), (added.name, "name"), words), soft_wrap=True)
    _tell_skipped(session, skipped)
    session.notes.print('\nNext:\n  prov rag search "what you would ask a colleague"')


def _counts(row: dict[str, Any]) -> dict[str, Any]:
    return {"documents": row["documents"], "chunks": row["chunks"]}


def _remove(name: str) -> None:
    session = Session.current()
    gone = _sources(session).remove(name)
    if session.as_json:
        session.say_json({"name": gone.name, "folder": gone.folder})
        return
    words = f" {gone.name}: what it holds is not found any more; {visible(gone.folder)} stays as it is"
    session.out.print(Text.assemble(("removed", "warning"), words), soft_wrap=True)


def _index() -> None:
    session = Session.current()
    status = _made(session)
    if session.as_json:
        session.say_json(status)
        return
    _show(session, status)


def _status() -> None:
    session = Session.current()
    access = _access(session)
    try:
        library = access.library()
        library.index.refresh(everything=True, seconds=10.0)
        status = library.status(wait=30.0)
    finally:
        access.close()
    if session.as_json:
        session.say_json(status)
        return
    _show(session, status)


def _made(session: Session) -> dict[str, Any]:
    """Bring the index up to date with a bar, and say how it is then."""
    access = _access(session)
    try:
        library = access.library()
        with _Bar(session) as report:
            library.make(report, seconds=600.0)
        return library.status()
    finally:
        access.close()


class _Bar:
    """What is being done, with how much of it; nothing where there is no terminal."""

    def __init__(self, session: Session) -> None:
        self._console = session.notes
        self._bar: Any = None

    def __enter__(self) -> "Report":
        if self._console.is_terminal and not self._console.quiet:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            words = TextColumn("{task.description}", markup=False)
            columns = (SpinnerColumn(), words, BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._bar.add_task("looking at documents", total=None)
        return self._report

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def _report(self, words: str, done: int, whole: int) -> None:
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=words, completed=done, total=whole)


def _show(session: Session, status: dict[str, Any]) -> None:
    from prov_server.cli.views.columns import Row, print_columns

    heading: Row = [(word, "quiet") for word in ("source", "documents", "passages", "trust", "folder")]
    rows: list[Row] = [
        [
            (one["name"], "name"), (f"{one['documents']:,}", ""), (f"{one['chunks']:,}", ""), (one["trust"], ""),
            (visible(one["root"]), "quiet"),
        ]
        for one in status["sources"]
    ]  # fmt: skip
    print_columns(session.out, [heading, *rows], "lrrll", (4, 0))
    models = ", ".join(
        f"{one['id']}" + (f" ({one['without_vectors']:,} passages to go)" if one["without_vectors"] else "")
        for one in status["models"]
    )
    said = f"models: {models or 'none'}; {status['bytes'] / 1e6:.1f} MB on disk; indexed {status['indexed_at'] or 'never'}"
    session.notes.print(Text(said, "quiet"), soft_wrap=True)
    if status["problem"]:
        session.notes.print(Text(visible(status["problem"]), "warning"), soft_wrap=True)
    _tell_skipped(session, status["skipped"])
    for one in status["warnings"]:
        session.notes.print(Text(visible(f"{one['path']}: {one['warning']}"), "warning"), soft_wrap=True)


def _tell_skipped(session: Session, skipped: list[dict[str, str]], most: int = 10) -> None:
    for one in skipped[:most]:
        session.notes.print(Text(visible(f"left out: {one['path']}: {one['reason']}"), "warning"), soft_wrap=True)
    if len(skipped) > most:
        session.notes.print(f"... and {len(skipped) - most:,} more: prov rag status --json", style="warning")


def _fetch_model() -> None:
    from prov_rag.embed import BGE, fetch_bge

    session = Session.current()
    access = _access(session)
    with session.notes.status(f"downloading {BGE} (67 MB)"):
        fetch_bge(access.models_folder)
    if session.as_json:
        session.say_json({"model": BGE, "folder": str(access.models_folder)})
        return
    session.out.print(Text.assemble(("fetched ", "good"), f"{BGE} into {access.models_folder}"), soft_wrap=True)
    session.notes.print("\nNext:\n  prov rag index")


def _search(words: tuple[str, ...], **options: Any) -> int:
    from prov_server.cli.generated import run_tool
    from prov_tools.knowledge.search import search_docs

    return run_tool(search_docs, {"query": " ".join(words), **options})


def rag_commands() -> list[click.Command]:
    """The commands of `prov rag` that are for people."""
    scope = click.Choice(["all", "docs", "knowledge"])
    mode = click.Choice(["hybrid", "text", "semantic"])
    return [
        Command(
            "search",
            callback=_search,
            params=[
                RichArgument(["words"], nargs=-1, required=True, metavar="WORDS", help="A question, an alert, an error message"),
                RichOption(["--limit"], type=click.IntRange(1, 50), default=5, help="Documents [default: 5]"),
                RichOption(["--scope"], type=scope, default="all", help="knowledge: only what this workspace knows"),
                RichOption(["--type"], metavar="TYPE", help="Such as runbook, guideline, decision, execution"),
                RichOption(["--service"], metavar="NAME", help="Such as postgresql"),
                RichOption(["--tag"], multiple=True, metavar="TAG", help="Documents with any of these tags"),
                RichOption(["--since"], metavar="DAY", help="Updated on this day (2026-01-31) or later"),
                RichOption(["--until"], metavar="DAY", help="Updated on this day or earlier"),
                RichOption(["--mode"], type=mode, default="hybrid", help="By words, by meaning, or both [default: hybrid]"),
            ],
            help="Find runbooks, guidelines, past incidents and reference pages, in English and Spanish.",
        ),
        Command(
            "add",
            callback=_add,
            params=[
                RichArgument(
                    ["path"], metavar="PATH", type=click.Path(), help="A folder, such as a checkout of your runbooks; or a file"
                ),
                RichOption(
                    ["--name"], default="", metavar="NAME", help="What stands before its paths [default: the folder's name]"
                ),
            ],
            help="Let your own documents be found: indexed now, and again whenever they change.",
        ),
        Command(
            "remove",
            callback=_remove,
            params=[RichArgument(["name"], metavar="NAME", help="As `prov rag status` shows it")],
            help="Find a folder's documents no more; its files stay.",
        ),
        Command("index", callback=_index, params=[], help="Bring the index up to date now; searches do it as well."),
        Command("status", callback=_status, params=[], help="What is indexed, with which models, and what was left out."),
        Command(
            "fetch-model",
            callback=_fetch_model,
            params=[],
            help="Download BAAI/bge-small-en-v1.5 (needs the network once). The offline models need nothing.",
        ),
    ]

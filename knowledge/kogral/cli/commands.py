"""All commands. `kogral-mcp` has the same; lists are split on commas, as the original's."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import click

from kogral.cli.output import say_json, say_node, say_table, visible, warn
from kogral.errors import NodeRefusedError
from kogral.knowledge import Knowledge
from kogral.node import EDGES, TYPES, EdgeType, NodeType
from kogral.place import project_folder, shared_folders
from kogral.times import typed, words

Function = Callable[..., Any]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def root() -> None:
    """What a team knows, as linked markdown in .kogral/: notes, decisions, guidelines, patterns, journal, executions."""


def command(name: str) -> Callable[[Function], Function]:
    """A command with the options that all have; its function gets the knowledge first."""

    def wrap(function: Function) -> Function:
        def run(project: str, as_json: bool, **given: Any) -> Any:
            knowledge = Knowledge(project_folder(project, Path.cwd()), shared_folders(os.environ))
            try:
                return function(knowledge, as_json, **given)
            finally:
                knowledge.close()

        made = click.command(name, help=function.__doc__)(run)
        made.params = [*getattr(function, "__click_params__", [])[::-1]]
        made.params.append(
            click.Option(["--project"], default="", metavar="DIR", help="The project [default: the nearest .kogral upwards]")
        )
        made.params.append(click.Option(["--json", "as_json"], is_flag=True, help="Answer as JSON"))
        root.add_command(made)
        return function

    return wrap


TAGS = click.option("--tags", default="", metavar="A,B", help="Separated by commas")
TYPE = click.option("--type", "type_", default="", metavar="TYPE", help=f"One of {', '.join(TYPES)}")
SINCE = click.option("--since", default="", metavar="DAY", help="Updated on this day or later")
UNTIL = click.option("--until", default="", metavar="DAY", help="Updated on this day or earlier")
LIMIT = click.option("--limit", default=10, type=click.IntRange(1, 1_000), help="How many [default: 10]")
RELATED = click.option("--related", default="", metavar="ID,ID", help="Nodes or other resources, separated by commas")
METADATA = click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="May be given several times")
AUTHOR = click.option("--author", default="", metavar="NAME", help="Who wrote it")


def _metadata(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    wrong = [name for name, equals, _ in pairs if not equals or not name.strip()]
    if wrong:
        raise NodeRefusedError(f"--metadata: {wrong[0][:60]!r} is no KEY=VALUE", hint="such as --metadata service=postgresql")
    return {name.strip(): value for name, _, value in pairs}


@command("init")
def init(knowledge: Knowledge, as_json: bool) -> None:
    """Make .kogral/ here, with a folder for each type."""
    from kogral.node import FOLDERS

    with knowledge.folder.writing():
        for folder in FOLDERS.values():
            (knowledge.folder.root / folder).mkdir(exist_ok=True)
    say_json({"folder": str(knowledge.folder.root)}) if as_json else click.echo(f"ready: {knowledge.folder.root}")


@command("add")
@click.argument("type_", metavar="TYPE", type=click.Choice(TYPES))
@click.argument("title")
@click.option("--body", default="", metavar="TEXT", help="Markdown; `-` reads it from stdin, `@FILE` from a file")
@TAGS
@RELATED
@METADATA
@AUTHOR
def add(
    knowledge: Knowledge,
    as_json: bool,
    type_: str,
    title: str,
    body: str,
    tags: str,
    related: str,
    metadata: tuple[str, ...],
    author: str,
) -> None:
    """Write a node of any type."""
    node = knowledge.add(
        cast("NodeType", type_),
        title,
        _text(body),
        tags=words(tags),
        related=words(related),
        metadata=_metadata(metadata),
        author=author,
    )
    say_json(node.as_dict()) if as_json else say_node(node, "added")


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if given.startswith("@"):
        try:
            return Path(given[1:]).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NodeRefusedError(
                f"--body: {given[1:][:200]} cannot be read", hint=getattr(error, "strerror", "") or "it is no UTF-8 text"
            ) from None
    return given


@command("add-execution")
@click.option("--title", required=True, help="What happened, in a line")
@click.option("--context", default="", help="What was seen, and where")
@click.option("--root-cause", default="", help="Why it happened")
@click.option("--resolution", default="", help="What ended it")
@click.option("--action-items", default="", metavar="A,B", help="What is to be done, separated by commas")
@click.option("--started", default=None, metavar="TIME", help="Such as 2026-01-22T10:00 (UTC)")
@click.option("--detected", default=None, metavar="TIME", help="When somebody or something noticed")
@click.option("--resolved", default=None, metavar="TIME", help="When it was over; the duration follows")
@TAGS
@RELATED
@METADATA
@AUTHOR
def add_execution(
    knowledge: Knowledge, as_json: bool, title: str, context: str, root_cause: str, resolution: str, action_items: str,
    started: str | None, detected: str | None, resolved: str | None, tags: str, related: str, metadata: tuple[str, ...],
    author: str,
) -> None:  # fmt: skip
    """Write down an incident or an execution, as a postmortem."""
    node = knowledge.add_execution(
        title, context=context, root_cause=root_cause, resolution=resolution, action_items=words(action_items), tags=words(tags),
        started=typed(started, "--started"), detected=typed(detected, "--detected"), resolved=typed(resolved, "--resolved"),
        related=words(related), metadata=_metadata(metadata), author=author,
    )  # fmt: skip
    say_json(node.as_dict()) if as_json else say_node(node, "added")


@command("add-decision")
@click.option("--title", required=True, help="What was decided, in a line")
@click.option("--context", required=True, help="What called for a decision")
@click.option("--decision", required=True, help="What was decided")
@click.option("--consequences", required=True, help="What follows from it")
@click.option("--alternatives", default="", help="What else was thought of, and why not")
@click.option("--supersedes", default="", metavar="ID", help="The decision whose place it takes")
@TAGS
@RELATED
@METADATA
@AUTHOR
def add_decision(
    knowledge: Knowledge, as_json: bool, title: str, context: str, decision: str, consequences: str, alternatives: str,
    supersedes: str, tags: str, related: str, metadata: tuple[str, ...], author: str,
) -> None:  # fmt: skip
    """Write an architecture decision record."""
    node = knowledge.add_decision(
        title, context=context, decision=decision, consequences=consequences, alternatives=alternatives, tags=words(tags),
        related=words(related), metadata=_metadata(metadata), supersedes=supersedes, author=author,
    )  # fmt: skip
    say_json(node.as_dict()) if as_json else say_node(node, "added")


@command("get")
@click.argument("node_id", metavar="ID")
def get(knowledge: Knowledge, as_json: bool, node_id: str) -> None:
    """Show a node with what links to it."""
    from kogral.files import render

    node = knowledge.get(node_id)
    outgoing, incoming = knowledge.links(node.id)
    if as_json:
        say_json({**node.as_dict(), "links": [one.target for one in outgoing], "backlinks": [one.source for one in incoming]})
        return
    click.echo(visible(render(node)))
    for edge in incoming:
        click.echo(click.style(f"<- {edge.source} ({edge.relation})", dim=True))


@command("list")
@TYPE
@TAGS
@SINCE
@UNTIL
@click.option("--limit", default=50, type=click.IntRange(1, 100_000), help="How many [default: 50]")
def list_(knowledge: Knowledge, as_json: bool, type_: str, tags: str, since: str, until: str, limit: int) -> None:
    """List nodes, the newest first."""
    found = knowledge.list(types=words(type_), tags=words(tags), since=since, until=until, limit=limit)
    if as_json:
        say_json([{key: value for key, value in one.as_dict().items() if key != "content"} for one in found])
        return
    warn(knowledge)
    say_table(
        ("id", "type", "updated", "title"), [(one.id, one.type, one.updated.date().isoformat(), one.title) for one in found]
    )


@command("search")
@click.argument("query")
@TYPE
@TAGS
@SINCE
@UNTIL
@LIMIT
@click.option("--semantic", type=bool, default=True, metavar="true|false", help="By meaning as well as by words [default: true]")
@click.option("--threshold", type=click.FloatRange(0, 1), default=0.4, help="Least score [default: 0.4]")
def search(
    knowledge: Knowledge, as_json: bool, query: str, type_: str, tags: str, since: str, until: str, limit: int, semantic: bool,
    threshold: float,
) -> None:  # fmt: skip
    """Find nodes that answer a question."""
    found = knowledge.search(
        query, types=words(type_), tags=words(tags), since=since, until=until, limit=limit, semantic=semantic, threshold=threshold
    )
    if as_json:
        say_json(found.as_dict())
        return
    knowledge.graph()  # looks at the files: what could not be read is said
    warn(knowledge)
    for number, hit in enumerate(found.hits, 1):
        click.echo(f"{number}. {click.style(visible(hit.title), bold=True)}  {visible(hit.heading)}")
        click.echo(click.style(f"   {hit.citation}  ({hit.type}, {hit.updated_at}; {hit.score:.2f})", dim=True))
        for line in [line for line in visible(hit.text).splitlines() if line.strip()][:6]:
            click.echo(f"   {line}")
    if not found.hits:
        click.echo("nothing was found", err=True)
    if found.degraded:
        click.echo(click.style(found.degraded, fg="yellow"), err=True)


@command("get-guidelines")
@click.argument("topic", default="")
@click.option(
    "--include-shared", type=bool, default=True, metavar="true|false", help="Those of shared graphs too [default: true]"
)
@LIMIT
def get_guidelines(knowledge: Knowledge, as_json: bool, topic: str, include_shared: bool, limit: int) -> None:
    """The guidelines that hold for a topic; without one all of them."""
    found = knowledge.guidelines(topic, include_shared=include_shared, limit=limit)
    if as_json:
        say_json([{**one.node.as_dict(), "score": one.score} for one in found])
        return
    warn(knowledge)
    for one in found:
        click.echo(
            f"{click.style(visible(one.node.title), bold=True)}  "
            + click.style(f"{one.node.id} ({one.graph}; {one.score:.2f})", dim=True)
        )
        click.echo(visible(one.node.body))
    if not found:
        click.echo("no guideline holds for that: kogral add guideline TITLE --body TEXT", err=True)


@command("link")
@click.argument("source")
@click.argument("relation", type=click.Choice(EDGES))
@click.argument("target")
def link(knowledge: Knowledge, as_json: bool, source: str, relation: str, target: str) -> None:
    """Say how one node relates to another."""
    edge = knowledge.link(source, cast("EdgeType", relation), target)
    said = {"source": edge.source, "relation": edge.relation, "target": edge.target}
    say_json(said) if as_json else click.echo(f"{edge.source} {edge.relation} {edge.target}")


@command("supersede")
@click.argument("old")
@click.argument("new")
def supersede(knowledge: Knowledge, as_json: bool, old: str, new: str) -> None:
    """Let a new node take the place of an old one."""
    knowledge.supersede(old, new)
    say_json({"superseded": old, "by": new}) if as_json else click.echo(f"{new} takes the place of {old}")


@command("graph")
@click.argument("node_id", metavar="[ID]", default="")
@click.option("--depth", default=2, type=click.IntRange(1, 10), help="How many edges away [default: 2]")
def graph(knowledge: Knowledge, as_json: bool, node_id: str, depth: int) -> None:
    """What is linked with a node; without one everything."""
    from kogral.export import as_json as graph_json

    found = knowledge.walk(node_id, depth) if node_id else knowledge.graph()
    if as_json:
        click.echo(graph_json(found), nl=False)
        return
    warn(knowledge)
    say_table(("from", "relation", "to"), [(one.source, one.relation, one.target) for one in found.edges])
    click.echo(click.style(f"{len(found.nodes)} nodes, {len(found.edges)} edges", dim=True))


@command("export")
@click.option("--format", "form", type=click.Choice(["markdown", "json", "svg"]), default="markdown", help="[default: markdown]")
@click.option(
    "--output", default="kogral-export", type=click.Path(path_type=Path), metavar="PATH", help="A folder, or a .json or .svg file"
)
@TYPE
def export(knowledge: Knowledge, as_json: bool, form: Any, output: Path, type_: str) -> None:
    """Write the graph as markdown with an index, as JSON, or as a picture."""
    files = knowledge.export(form, output.expanduser(), types=words(type_))
    say_json({"files": [str(one) for one in files]}) if as_json else click.echo(f"wrote {len(files)} files to {output}")


@command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--from", "flavour", type=click.Choice(["auto", "markdown", "logseq", "obsidian"]), default="auto", help="[default: auto]"
)
def import_(knowledge: Knowledge, as_json: bool, folder: Path, flavour: Any) -> None:
    """Take a folder of markdown, a Logseq graph or an Obsidian vault in; again, and changes follow."""
    from dataclasses import asdict

    done = knowledge.import_folder(folder.expanduser(), flavour)
    if as_json:
        say_json(asdict(done))
        return
    counts = (
        ("added", done.added),
        ("updated", done.updated),
        ("unchanged", done.unchanged),
        ("kept as changed here", done.kept),
    )
    click.echo(f"{done.flavour}: " + ", ".join(f"{number} {word}" for word, number in counts))
    for one in done.warnings[:10]:
        click.echo(click.style(f"warning: {visible(one)}", fg="yellow"), err=True)


@command("doctor")
def doctor(knowledge: Knowledge, as_json: bool) -> int:
    """Find links to nowhere, doubled ids, circles, files that cannot be read, an index that is behind. Exits with 1 for any."""
    found = knowledge.doctor()
    if as_json:
        say_json([{"path": one.path, "kind": one.kind, "message": one.message} for one in found])
    else:
        say_table(("kind", "file", "what is wrong"), [(one.kind, one.path, one.message) for one in found]) if found else None
        click.echo(f"{len(found)} problems" if found else "nothing is wrong")
    return int(bool(found))


@command("serve")
@click.option("--host", default="127.0.0.1", help="[default: 127.0.0.1]; another one needs KOGRAL_TOKEN")
@click.option("--port", default=3100, type=click.IntRange(0, 65535), help="[default: 3100]; 0 takes a free one")
def serve(knowledge: Knowledge, as_json: bool, host: str, port: int) -> None:  # noqa: ARG001 - as every command
    """Serve MCP over HTTP at / and /mcp, with /health."""
    from kogral.mcp.http import serve as serve_http

    serve_http(knowledge, host, port, announce=lambda url: click.echo(f"kogral listens at {url}", err=True))

"""`prov query`: what there is, asked in words; quotes around them may be left out."""

from rich_click import RichArgument, RichOption

from prov_server.cli.groups import Command


def _query(words: tuple[str, ...], provider: str | None) -> int:
    from prov_server.cli.generated import run_tool
    from prov_tools.engine.query import query_infrastructure

    return run_tool(query_infrastructure, {"query": " ".join(words), "provider": provider})


query = Command(
    "query",
    callback=_query,
    params=[
        RichArgument(["words"], nargs=-1, required=True, metavar="WORDS", help="Such as: stopped servers in eu-west-1"),
        RichOption(["--provider"], help="Only at this provider"),
    ],
    help="Ask in words (English or Spanish) which recorded resources there are, by kind, provider, region, tag or status.",
)

"""`prov troubleshoot`: a symptom in words; quotes around them may be left out."""

from rich_click import RichArgument, RichOption

from prov_server.cli.groups import Command


def _troubleshoot(words: tuple[str, ...], service: str | None, limit: int) -> int:
    from prov_server.cli.generated import run_tool
    from prov_tools.knowledge.troubleshoot import troubleshoot as tool

    return run_tool(tool, {"symptom": " ".join(words), "service": service, "limit": limit})


troubleshoot = Command(
    "troubleshoot",
    callback=_troubleshoot,
    params=[
        RichArgument(["words"], nargs=-1, required=True, metavar="SYMPTOM", help="An error, an alert, or what users see"),
        RichOption(["--service"], metavar="NAME", help="The service that has it, such as nginx"),
        RichOption(["--limit"], type=int, default=5, help="Hypotheses [default: 5]"),
    ],
    help="From a symptom to likely causes with the commands that check each: runbooks, past incidents, the state.",
)

"""`prov version`: which version this is, and of what it is made."""

from prov_server.cli.groups import Command
from prov_server.cli.session import Session

PARTS = ("mcp", "py-nickel", "pydantic")


def _run() -> None:
    import platform
    from importlib.metadata import version as installed

    from stratumops import __version__

    session = Session.current()
    rows = {"prov": __version__, "python": platform.python_version(), **{name: installed(name) for name in PARTS}}
    if session.as_json:
        session.say_json(rows)
        return
    for name, number in rows.items():
        session.out.print(f"{name:<10} {number}")


version = Command("version", callback=_run, help="Print the version, and those of the parts it stands on.")

"""`prov mcp doctor`: what works on this machine, and what to do about the rest."""

from dataclasses import asdict
from pathlib import Path

from rich.text import Text
from rich_click import RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.session import Session

MARKS = {"ok": ("✓", "good"), "warn": ("!", "warning"), "fail": ("✗", "error")}


def _run(client: str | None) -> int:
    from prov_server.install import find_client
    from prov_server.install.doctor import doctor as examine

    session = Session.current()
    folder = Path(session.chosen.workspace or ".").expanduser().absolute()
    checks = examine(folder, client=find_client(client) if client else None)
    failed = any(check.status == "fail" for check in checks)
    if session.as_json:
        session.say_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
        return int(failed)
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark, style = MARKS[check.status]
        session.out.print(Text.assemble((mark, style), f" {check.name.ljust(width)}  ", visible(check.message)), soft_wrap=True)
        if check.fix:
            session.out.print(Text.assemble("  " + " " * width, ("  → " + visible(check.fix), "fix")), soft_wrap=True)
    return int(failed)


doctor = Command(
    "doctor",
    callback=_run,
    params=[RichOption(["--client"], help="Ask for this client in particular; `prov mcp clients` lists them")],
    help="Check that everything a client needs works on this machine. Changes nothing.",
)

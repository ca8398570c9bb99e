"""`svault config check`."""

from pathlib import Path

import click

from svault.cli import output
from svault.cli.groups import Command, Group

config = Group("config", help="Check a configuration file.")
COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


@config.command("check", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@click.option("--format", "shape", type=click.Choice(["table", "json"]), default="table", help="table or json.")
def check(file: Path, is_json: bool, shape: str) -> int:
    """Say what this machine lacks for a configuration and what is unsafe about it. No other machine is asked.

    Exit code 0: nothing but information; 1: findings; 2: the file cannot be read.
    """
    from svault.config.check import check as checked  # noqa: PLC0415 - loads what reads configurations
    from svault.config.errors import ConfigError  # noqa: PLC0415 - as above

    as_json = is_json or shape == "json"
    try:
        findings = checked(file)
    except ConfigError as error:
        if as_json:
            output.as_json({"file": str(file), "ok": False, "errors": error.errors, "findings": []})
            return 2
        raise
    is_ok = all(one.severity == "info" for one in findings)
    if as_json:
        output.as_json({"file": str(file), "ok": is_ok, "errors": [], "findings": [one.as_dict() for one in findings]})
        return 0 if is_ok else 1
    for one in findings:
        place = f"{file}:{one.line}" if one.line else str(file)
        click.echo(f"{place}: {click.style(one.severity, fg=COLOURS[one.severity])}[{one.code}] {one.key}: {one.message}")
        if one.hint:
            click.echo(f"    {one.hint}")
    counts = {name: sum(one.severity == name for one in findings) for name in COLOURS}
    click.echo(f"{counts['error']} errors, {counts['warning']} warnings, {counts['info']} infos")
    return 0 if is_ok else 1

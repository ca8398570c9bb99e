"""Run `kogral` or `kogral-mcp`: every end of a command becomes an exit code and a message here."""

import json
import os
import sys
from typing import NoReturn

import click

from stratumops.errors import StratumError

INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: list[str] | None = None) -> NoReturn:
    """`kogral`."""
    sys.exit(run(sys.argv[1:] if argv is None else argv, "kogral"))


def main_mcp(argv: list[str] | None = None) -> NoReturn:
    """`kogral-mcp`: an MCP server over stdin and stdout; with a command the same as `kogral`."""
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] == "--project":
        from kogral.mcp.stdio import serve

        sys.exit(serve(words[1] if len(words) > 1 else ""))
    sys.exit(run(words, "kogral-mcp"))


def run(argv: list[str], name: str) -> int:
    """Run it; answers the exit code."""
    from kogral.cli.commands import root

    as_json = "--json" in argv
    try:
        result = root.main(args=argv, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        return _said(error.format_message(), f"`{name} --help` shows how it is used", "invalid_input", 2, as_json=as_json)
    except StratumError as error:
        return _said(error.message, error.hint, error.code, error.exit_code, as_json=as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _said(message: str, hint: str, code: str, exit_code: int, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"error": {"code": code, "message": message, "hint": hint, "details": {}}}, ensure_ascii=False))
        return exit_code
    click.echo(f"error[{code}]: {message}" + (f"\nhint: {hint}" if hint else ""), err=True)
    return exit_code

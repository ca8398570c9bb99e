"""Errors as a person or a program reads them: `error[code]: message` and a hint on stderr, or the JSON shape on stdout."""

import json
import os
import sys
import traceback

import click

from prov_server.cli.console import console, visible
from stratumops.errors import InternalError, StratumError

DEBUG = "PROV_DEBUG"


def show_error(error: StratumError, *, as_json: bool) -> int:
    """Write an error and answer its exit code."""
    from prov_server.redaction import clean_error, process_redactor

    clean_error(process_redactor(), error)
    if as_json:
        click.echo(json.dumps(error.as_dict(), ensure_ascii=False, indent=2, default=str))
        return error.exit_code
    from rich.text import Text

    sys.stdout.flush()
    stderr = console(sys.stderr)
    stderr.print(Text.assemble((f"error[{error.code}]", "error"), ": ", visible(error.message)), soft_wrap=True)
    if error.hint:
        stderr.print(Text.assemble(("hint", "info"), ": ", visible(error.hint)), soft_wrap=True)
    return error.exit_code


def show_defect(error: BaseException, *, as_json: bool, message: str = "") -> int:
    """Write one line about a defect of ours; with PROV_DEBUG=1 the traceback too."""
    if os.environ.get(DEBUG):
        from prov_server.redaction import process_redactor

        sys.stderr.write(process_redactor().text("".join(traceback.format_exception(error))))
    said = InternalError(
        message or f"prov failed because of a defect of ours ({type(error).__name__})",
        hint=f"run it again with {DEBUG}=1 to see where, and please report it",
    )
    return show_error(said, as_json=as_json)

"""The command `svault`: what ends it becomes an exit code here, never a traceback."""

import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from svault.cli.arguments import normalized
from svault.errors import VaultError

USAGE = 1
_VAULTS = {1, 2}
"""Vault has no other exit codes."""
INTERRUPTED = 130
BROKEN_PIPE = 141
DEBUG = "SVAULT_DEBUG"


def main() -> NoReturn:
    """Run `svault` with the process's arguments."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Run `svault` with these words and answer its exit code; every message has been written."""
    try:
        code = _attempt(argv)
        sys.stdout.flush()
    except OSError as error:
        # Nobody takes any more: the interpreter's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            return BROKEN_PIPE
        return _say(f"the answer cannot be written: {error.strerror}", "make room, or write it elsewhere")
    return code


def _attempt(argv: Sequence[str]) -> int:
    from svault.cli.root import root  # noqa: PLC0415 - after what may fail is guarded

    try:
        result = root.main(args=normalized(argv), prog_name="svault", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except VaultError as error:
        return _say(error.message, error.hint, code=error.exit_code if error.exit_code in _VAULTS else 1)
    except OSError as error:
        if error.errno in {errno.EPIPE, errno.ENOSPC, errno.EIO} and error.filename is None:
            raise
        return _defect(error)
    except Exception as error:  # noqa: BLE001 - the last place before a person would see a traceback
        return _defect(error)
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _usage(error: click.ClickException) -> int:
    message = error.format_message().rstrip(".")
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "svault"
    return _say(message[:1].lower() + message[1:], f"`{path} --help` shows how it is used", code=USAGE)


def _defect(error: BaseException) -> int:
    if os.environ.get(DEBUG):
        import traceback  # noqa: PLC0415 - only for whoever asked

        traceback.print_exception(error, file=sys.stderr)
    return _say(
        f"svault failed because of a defect of ours ({type(error).__name__})", f"run it again with {DEBUG}=1 to see where"
    )


def _say(message: str, hint: str = "", *, code: int = 1) -> int:
    sys.stdout.flush()
    click.echo(f"{click.style('error', fg='red', bold=True)}: {message}", err=True)
    if hint:
        click.echo(f"{click.style('hint', fg='cyan')}: {hint}", err=True)
    return code

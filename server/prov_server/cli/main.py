"""Run `prov`: every end of a command (answer, error, interrupt, broken pipe) becomes an exit code here."""

import errno
import gc
import os
import sys
from typing import NoReturn

import click

from prov_server.cli.console import tolerant
from prov_server.cli.failure import show_defect, show_error
from prov_server.cli.root import build_root
from stratumops.errors import InternalError, InvalidInputError, StratumError, UnavailableError

INTERRUPTED = 130
BROKEN_PIPE = 141
"""As a shell reports SIGINT and SIGPIPE."""

_UNWRITABLE = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a stream that cannot take our answer says; an error about a file names the file."""


def main(argv: list[str] | None = None) -> NoReturn:
    """Run `prov` with these words and end the process."""
    code = run(sys.argv[1:] if argv is None else argv)
    # The interpreter would look through every object for garbage once more before it ends: a tenth of a second.
    gc.freeze()
    sys.exit(code)


def run(argv: list[str], *, root: click.Group | None = None) -> int:
    """Run `prov` and answer its exit code; every message has been written."""
    for stream in (sys.stdout, sys.stderr):
        tolerant(stream)
    as_json = "--json" in argv[: argv.index("--") if "--" in argv else len(argv)]
    try:
        code = _attempt(root, argv, as_json=as_json)
        sys.stdout.flush()
    except OSError as error:
        # Nobody takes any more: the interpreter's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            return BROKEN_PIPE
        said = UnavailableError(f"the answer cannot be written: {error.strerror}", hint="make room, or write it elsewhere")
        return show_error(said, as_json=False)
    return code


def _attempt(root: click.Group | None, argv: list[str], *, as_json: bool) -> int:
    try:
        result = (root or build_root()).main(args=list(argv), prog_name="prov", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        return show_error(_usage(error), as_json=as_json)
    except InternalError as error:
        return show_defect(error.__cause__ or error, as_json=as_json, message=error.message)
    except StratumError as error:
        return show_error(error, as_json=as_json)
    except SystemExit as stop:
        return _stopped(stop)
    except BaseExceptionGroup as group:
        return _grouped(group, as_json=as_json)
    except OSError as error:
        if error.errno in _UNWRITABLE and error.filename is None:
            raise
        return show_defect(error, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the last place before a person would see a traceback
        return show_defect(error, as_json=as_json)
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _stopped(stop: SystemExit) -> int:
    """The command-line library ends with 1 when stdout is closed."""
    return BROKEN_PIPE if stop.code == 1 else stop.code if isinstance(stop.code, int) else 0


def _grouped(group: BaseExceptionGroup[BaseException], *, as_json: bool) -> int:
    """Task groups wrap what ended them: a reader that left and an interrupt are ends like any other."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, SystemExit):
        return _stopped(first)
    if isinstance(first, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(first, OSError) and first.errno in _UNWRITABLE and first.filename is None:
        raise first from None
    return show_defect(first, as_json=as_json)


def _usage(error: click.ClickException) -> InvalidInputError:
    """A wrong use of the command line as our own kind of error."""
    message = error.format_message().rstrip(".")
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "prov"
    if message.lower().startswith("got unexpected extra argument") and ctx and ctx.command.name in {"generate", "validate"}:
        return InvalidInputError(
            "the words are more than one argument",
            hint=f'put them in quotes: {path} "two web servers on aws"'
            if ctx.command.name == "generate"
            else f"give one path, or the text in quotes: {path} main.ncl",
        )
    return InvalidInputError(message[:1].lower() + message[1:], hint=f"`{path} --help` shows how it is used")

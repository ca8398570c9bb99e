"""Asks one thing on the terminal: `python questions.py [wait]`; with `wait` only once a line has come through standard input."""

import os
import sys

from prov_server.approval.terminal import Terminal
from stratumops.errors import StratumError


def main() -> int:
    sys.stdout.write(f"pid {os.getpid()} is here\n")
    sys.stdout.flush()
    if sys.argv[1:] == ["wait"]:
        sys.stdin.readline()
    try:
        with Terminal() as terminal:
            terminal.show("look at this")
            sys.stdout.write(f"name={terminal.ask('name: ')!r}\n")
            sys.stdout.write(f"secret={terminal.ask('secret: ', is_hidden=True)!r}\n")
    except StratumError as error:
        sys.stdout.write(f"error[{error.code}]: {error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

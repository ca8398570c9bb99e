"""The command `prov`. A client that starts `prov mcp serve` waits for it, so that path imports nothing but what it needs."""

import sys

SERVE = ["mcp", "serve"]


def main() -> None:
    """Run `prov` with the process's arguments."""
    argv = sys.argv[1:]
    if argv[:2] == SERVE and not {"-h", "--help"}.intersection(argv):
        from prov_server.mcp.stdio import main as serve

        serve(argv[2:])
    else:
        from prov_server.cli.main import main as command_line

        command_line(argv)


if __name__ == "__main__":
    main()

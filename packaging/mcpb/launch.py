# ruff: noqa: INP001 - a program that is copied to the top of the bundle, not a package
"""What a desktop client starts from the .mcpb bundle: the server on standard input and output."""

import sys

from prov_server.entry import main

if __name__ == "__main__":
    sys.argv[1:] = ["mcp", "serve"]
    main()

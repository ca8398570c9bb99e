"""The faces and the one place where the parts are put together: MCP, REST, the command line.

Others use nothing of it; people use `prov`. `compose.build` makes the application, `entry.main` is the command.
"""

"""A person's approval: asked on the terminal device and nowhere else. Imported by commands of people only, never by a tool.

`asking` has what commands call; `terminal` reads, `agent` and `remembered` keep an opened key for five minutes, and `places` says
which process sits where.
"""

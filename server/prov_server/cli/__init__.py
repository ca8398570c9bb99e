"""The command line. `main.main(argv)` runs `prov`; commands for tools are made from the registry, the rest is for people only.

`commands/` holds what only a person runs, `views/` what an answer looks like in a terminal. Modules here import neither
the SDK nor the configuration models at the top: `prov --help` must be quick.
"""

"""The tools, one module a toolset, and the registry that lists them.

Others use: `prov_tools.registry.REGISTRY` and `prov_tools.context.Context`. A tool module imports its own input and output
models and nothing heavy: the domain is imported inside the handlers.
"""

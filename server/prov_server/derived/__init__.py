"""The files that are derived from the code and committed: reference pages, the tool table, schemas, manifests.

Others use `files.derived_files`; `python -m prov_server.generate` writes them, and a test fails when one is stale.
"""

"""Nickel contracts derived from the models: one schema file for each kind, and the words that they share.

Others use: `generate.generate`. The files are committed as `prov_corpus/nickel/schemas/*.ncl`; `python -m prov_gen.contracts`
writes them again. Importing this package imports nothing.
"""

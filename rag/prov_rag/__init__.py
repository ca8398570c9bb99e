"""Finding documents: markdown in chunks, SQLite with full text and vectors, a dense index derived from it, and search over both.

`Library` (library.py) is what others use: sources of documents in, `search` with citations out.
"""

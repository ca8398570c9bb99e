"""The documents that are shipped: runbooks, guidelines, patterns, decisions and postmortems by hand, reference pages generated.

docs/howto/write-documents.md says what a document looks like; `prov_rag` reads, checks and indexes them.
"""

from pathlib import Path

FOLDER = Path(__file__).parent

"""The reference documents of the corpus: findings, errors, checks, controls, kinds, settings, commands, tools, prices, versions.

They lie in `prov_corpus/documents/reference/`, and are found beside what is written by hand.
"""

from collections.abc import Iterator

from prov_server.derived.documents import commands, compliance, configurations, machines, problems, versions

FOLDER = "corpus/prov_corpus/documents/reference"


def pages() -> Iterator[tuple[str, str]]:
    """(path below `FOLDER`, text) of every page."""
    for part in (problems, compliance, configurations, commands, machines, versions):
        yield from part.pages()

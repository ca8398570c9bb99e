"""Beyond the limit Chroma finds what is similar, and is never staler than the store."""

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def first(library, query: str) -> str:
    return library.search(query, mode="semantic").hits[0].path


def test_a_large_index_is_searched_through_chroma_and_sees_what_is_new_and_what_is_gone(library_of, folder):
    library = library_of(folder, exact_most=1)
    library.make()
    assert library.status()["dense"] == "chroma"
    assert first(library, "name server lookups are sluggish") == "runbooks/dns.md"
    (folder / "ntp.md").write_text("# Clocks drift\n\nTime synchronisation by NTP stopped and the clock is wrong.\n")
    assert first(library, "the time of day is off") == "ntp.md"
    (folder / "ntp.md").unlink()
    assert first(library, "the time of day is off") != "ntp.md"


def test_a_second_reader_sees_what_the_first_added_to_the_collection(library_of, folder):
    writer, reader = library_of(folder, exact_most=1), library_of(folder, exact_most=1)
    writer.make()
    assert first(reader, "name server lookups are sluggish") == "runbooks/dns.md"
    (folder / "ntp.md").write_text("# Clocks drift\n\nTime synchronisation by NTP stopped and the clock is wrong.\n")
    writer.make()
    assert first(reader, "the time of day is off") == "ntp.md"


def test_a_collection_that_is_mostly_gone_is_made_again(library_of, folder):
    library = library_of(folder, exact_most=1)
    library.make()
    for name in ("runbooks/dns.md", "runbooks/tls.md"):
        (folder / name).write_text("# Storage\n\nThe array lost a disk and rebuilds.\n# More\n\nText.\n")
    library.make()
    assert library._chroma._open().list_collections()[0].count() == library.index.store().counts()[1]

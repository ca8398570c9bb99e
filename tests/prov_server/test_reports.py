"""Reports are kept for whoever asked, the newest of them, and made when somebody reads them."""

import threading

import pytest

from prov_server.reports import MOST, URI, PrincipalReports, ReportStore, media_type
from stratumops.errors import NotFoundError
from stratumops.principal import LOCAL, Principal

OTHER = Principal("other", frozenset())


def path(uri: str) -> str:
    assert uri.startswith(URI)
    return uri.removeprefix(URI)


def test_a_report_is_made_when_it_is_read():
    store, made = ReportStore(), []
    uri = PrincipalReports(store, LOCAL).keep("review.md", lambda: made.append(1) or "text")
    assert made == []
    assert store.read(LOCAL, path(uri)) == "text"


def test_a_report_belongs_to_who_asked_for_it():
    store = ReportStore()
    uri = store.keep(LOCAL, "review.md", lambda: "mine")
    with pytest.raises(NotFoundError, match="no report"):
        store.read(OTHER, path(uri))


def test_the_oldest_report_of_a_principal_goes_first_and_no_other_principals():
    store = ReportStore()
    foreign = store.keep(OTHER, "review.md", lambda: "theirs")
    uris = [store.keep(LOCAL, "review.md", str(number).upper) for number in range(MOST + 1)]
    with pytest.raises(NotFoundError):
        store.read(LOCAL, path(uris[0]))
    assert store.read(LOCAL, path(uris[1])) == "1"
    assert store.read(OTHER, path(foreign)) == "theirs"


def test_many_threads_keep_their_reports_apart():
    store, failures = ReportStore(), []

    def work(number: int) -> None:
        for _ in range(50):
            mine = Principal(f"p{number % 4}", frozenset())
            text = store.read(mine, path(store.keep(mine, "a.json", f"p{number % 4}".upper)))
            if text != f"P{number % 4}":
                failures.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("prov://report/1/review.md", "text/markdown"),
        ("estimate.json", "application/json"),
        ("migration.svg", "image/svg+xml"),
        ("fix.diff", "text/plain"),
    ],
)
def test_a_name_says_the_media_type(name: str, kind: str):
    assert media_type(name) == kind

"""One-time pages over real HTTP, as a browser uses them, and as others try to."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_server.vault.pages import MAX_BODY_BYTES, Asking, Page, Pages, Showing, Work
from prov_server.vault.words import WORDS, language
from stratumops.errors import UnavailableError

pytestmark = pytest.mark.anyio

HANDLE = "vault:secret/app#password"
VALUE = "a <b>value</b> & more"
Open = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture
async def client(anyio_backend: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as made:
        yield made


@asynccontextmanager
async def opened(work: Work, **more: float) -> AsyncIterator[Page]:
    page = Page(work, **more)
    await page.start()
    try:
        yield page
    finally:
        await page.aclose()


class Kept:
    """What arrived in the vault."""

    def __init__(self) -> None:
        self.values: list[str] = []

    async def __call__(self, value: str) -> None:
        self.values.append(value)

    @property
    def asking(self) -> Asking:
        return Asking(HANDLE, self)


async def test_a_value_is_typed_once_and_the_page_is_gone(client):
    kept = Kept()
    async with opened(kept.asking) as page:
        form = await client.get(page.url)
        assert form.status_code == 200
        assert HANDLE in form.text
        done = await client.post(page.url, data={"value": "pässword & more", "lines": ""})
        assert done.status_code == 200
        assert WORDS["en"]["kept"] in done.text
        assert "pässword" not in done.text
        await page.closed()
        assert page.is_used
        with pytest.raises(httpx2.ConnectError):
            await client.get(page.url)
    assert kept.values == ["pässword & more"]


async def test_several_lines_arrive_as_lines(client):
    kept = Kept()
    async with opened(kept.asking) as page:
        await client.post(page.url, data={"value": "", "lines": "one\r\ntwo\r\n"})
    assert kept.values == ["one\ntwo\n"]


async def test_a_value_is_shown_after_a_click_and_only_once(client):
    async with opened(Showing({HANDLE: VALUE})) as page:
        form = await client.get(page.url)
        assert "value&lt;" not in form.text
        assert "more" not in form.text.partition("</style>")[2].replace(HANDLE, "")
        first, second = await client.post(page.url), None
        with suppress(httpx2.ConnectError):
            second = await client.post(page.url)
        assert "a &lt;b&gt;value&lt;/b&gt; &amp; more" in first.text
        assert second is None or second.status_code == 404


@pytest.mark.parametrize("language_wanted", ["es-ES,es;q=0.9", "en"])
async def test_the_page_speaks_the_language_of_the_browser(client, language_wanted):
    async with opened(Kept().asking) as page:
        said = (await client.get(page.url, headers={"Accept-Language": language_wanted})).text
        words = WORDS[language_wanted[:2]]
        assert f'lang="{language_wanted[:2]}"' in said
        assert words["ask_button"] in said


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("", "en"), ("fr", "en"), ("fr,es;q=0.5", "es"), ("en;q=0.4,es;q=0.8", "es"), ("es;q=0,en", "en"), ("es;q=x", "en")],
)
def test_the_language_follows_its_weights(header, wanted):
    assert language(header) == wanted


@given(st.text(max_size=200))
def test_any_language_header_gives_a_language(header):
    assert language(header) in WORDS


def test_both_languages_say_everything():
    assert WORDS["en"].keys() == WORDS["es"].keys()


async def test_nothing_else_of_the_server_answers(client):
    kept = Kept()
    async with opened(kept.asking) as page:
        root = page.url.rpartition("/")[0]
        for path in ("", "/", "/x", page.url.removeprefix(root) + "x", "/" + "A" * 43):
            assert (await client.post(root + path, data={"value": "x"})).status_code == 404
        assert (await client.put(page.url)).status_code == 405
    assert kept.values == []
    assert len(urlsplit(page.url).path) == 44


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_page_of_another_origin_cannot_use_it(client, headers):
    kept = Kept()
    async with opened(kept.asking) as page:
        assert (await client.post(page.url, data={"value": "x"}, headers=headers)).status_code == 403
    assert kept.values == []


async def test_its_answers_are_not_kept_not_framed_and_load_nothing(client):
    async with opened(Showing({HANDLE: VALUE})) as page:
        for answer in (await client.get(page.url), await client.post(page.url)):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-frame-options"] == "DENY"
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "<script" not in answer.text


@pytest.mark.parametrize("body", [b"", b"value=", b"x=y", b"\xff\xfe", b"value=" + b"x" * MAX_BODY_BYTES, b"a=1&b=2&value=3"])
async def test_a_body_without_a_value_leaves_the_page_as_it_is(client, body):
    kept = Kept()
    async with opened(kept.asking) as page:
        answer = await client.post(page.url, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 400
        await client.post(page.url, data={"value": "now"})
    assert kept.values == ["now"]


async def test_what_cannot_be_stored_is_told_without_the_value(client):
    async def fails(value: str) -> None:
        raise UnavailableError(f"sealed, and {value} is in this message by mistake")

    async with opened(Asking(HANDLE, fails)) as page:
        answer = await client.post(page.url, data={"value": "s3cret"})
        assert answer.status_code == 502
        assert "s3cret" not in answer.text
        await page.closed()
        assert not page.is_used


async def test_a_page_that_nobody_uses_ends_by_itself(client):
    async with opened(Kept().asking, seconds=0.01) as page:
        await page.closed()
        assert not page.is_used
        with pytest.raises(httpx2.ConnectError):
            await client.get(page.url)


async def test_the_pages_of_a_process_end_with_it(client):
    pages = Pages()
    first, second = await pages.open(Kept().asking), await pages.open(Showing({HANDLE: VALUE}))
    await pages.aclose()
    for page in (first, second):
        with pytest.raises(httpx2.ConnectError):
            await client.get(page.url)


def test_no_value_is_in_the_text_of_a_page_object():
    assert "value" not in repr(Showing({HANDLE: "value"}))

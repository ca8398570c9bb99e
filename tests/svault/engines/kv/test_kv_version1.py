"""KV version 1, and its move to version 2."""

import pytest

from mounted import DAY
from svault.engines.kv import kv_engine
from svault.engines.kv.v2 import KvV2Engine

pytestmark = pytest.mark.anyio


async def test_a_value_is_replaced_as_a_whole(kv1):
    assert await kv1.call("POST", "app", {"a": 1, "b": {"c": [1, None]}}) == (204, None)
    assert await kv1.call("PUT", "app", {"b": 2}) == (204, None)
    assert await kv1.call("GET", "app") == (200, {"b": 2})
    assert await kv1.call("DELETE", "app") == (204, None)
    assert await kv1.call("DELETE", "app") == (204, None)
    assert await kv1.call("GET", "app") == (404, [])


async def test_an_empty_value_is_refused(kv1):
    assert await kv1.call("POST", "app", {}) == (400, ["missing data fields"])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [({"ttl": "1h"}, 3600), ({"lease": "30m"}, 1800), ({"ttl": 90}, 90), ({"ttl": "x"}, 32 * DAY), ({"x": 1}, 32 * DAY)],
)
async def test_the_lease_duration_is_the_values_own_ttl(kv1, value, seconds):
    await kv1.call("POST", "app", value)
    assert (await kv1.handle("GET", "app")).envelope == {"lease_duration": seconds}


async def test_folders_are_listed(kv1):
    for path in ("a", "a/b", "c/d/e"):
        await kv1.call("POST", path, {"x": 1})
    assert await kv1.call("LIST", "") == (200, {"keys": ["a", "a/", "c/"]})
    assert await kv1.call("LIST", "c") == (200, {"keys": ["d/"]})
    assert await kv1.call("LIST", "none/") == (404, [])


async def test_a_value_that_cannot_be_stored_is_refused(kv1):
    deep: list[object] = []
    for _ in range(300):
        deep = [deep]
    for value in ("s3cret\ud800", deep):
        status, errors = await kv1.call("POST", "app", {"x": value})
        assert status == 400
        assert "s3cret" not in str(errors)
    assert kv1.entries.commits == 0


@pytest.mark.parametrize("path", ["a//b", "../a", "a\0b"])
async def test_a_path_that_no_secret_can_have_is_refused(kv1, path):
    for method in ("GET", "POST", "DELETE", "LIST"):
        assert (await kv1.call(method, path, {"x": 1}))[0] == 400


@pytest.mark.parametrize("path", ["", "a/"])
async def test_a_folder_has_no_value(kv1, path):
    assert await kv1.call("GET", path) == (404, [])
    assert await kv1.call("DELETE", path) == (204, None)
    assert await kv1.call("POST", path, {"x": 1}) == (400, ["cannot write to a path ending in '/'"])


async def test_a_merge_patch_is_no_method_of_version_1(kv1):
    assert (await kv1.call("PATCH", "app", {"x": 1}))[0] == 405


async def test_version_2_takes_over_what_version_1_kept(kv1):
    values = {f"folder/{number}": {"number": number} for number in range(250)}
    for path, value in values.items():
        await kv1.call("POST", path, value)
    kv = await kv1.restarted(kv_engine, {"version": "2"})
    assert isinstance(kv.engine, KvV2Engine)
    for path, value in values.items():
        assert (await kv.call("GET", f"data/{path}"))[1]["data"] == value
    assert len((await kv.call("LIST", "metadata/folder"))[1]["keys"]) == 250
    assert not [key for key in kv.entries.values if "/s/" in key]

"""The cubbyhole: nobody but the token that wrote a value reads it."""

import pytest

from mounted import Mounted, mounted
from svault.engines.cubbyhole import CubbyholeEngine
from svault.logical import Identity

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cubbyhole() -> Mounted:
    """A cubbyhole mount."""
    return await mounted(CubbyholeEngine)


def token(name: str) -> Identity:
    return Identity(token_id=name)


async def test_each_token_has_its_own_values(cubbyhole):
    for name in ("one", "two"):
        assert await cubbyhole.call("POST", "a/b", {"owner": name}, identity=token(name)) == (204, None)
    assert await cubbyhole.call("GET", "a/b", identity=token("one")) == (200, {"owner": "one"})
    assert await cubbyhole.call("GET", "a/b", identity=token("two")) == (200, {"owner": "two"})
    assert await cubbyhole.call("GET", "a/b", identity=token("three")) == (404, [])
    assert await cubbyhole.call("LIST", "", identity=token("three")) == (404, [])
    assert await cubbyhole.call("LIST", "a", identity=token("one")) == (200, {"keys": ["b"]})


async def test_a_token_cannot_step_out_of_its_place(cubbyhole):
    await cubbyhole.call("POST", "a", {"x": 1}, identity=token("one"))
    for method in ("GET", "POST", "DELETE", "LIST"):
        assert (await cubbyhole.call(method, "../one/a", {"x": 2}, identity=token("two")))[0] == 400


async def test_dropping_a_token_removes_what_it_kept_and_nothing_else(cubbyhole):
    for name in ("one", "two"):
        await cubbyhole.call("POST", "a/b", {"x": 1}, identity=token(name))
    await cubbyhole.engine.drop("one")
    assert [key for key in cubbyhole.entries.values if "one" in key] == []
    assert (await cubbyhole.call("GET", "a/b", identity=token("two")))[0] == 200


async def test_a_value_is_deleted(cubbyhole):
    await cubbyhole.call("POST", "a", {"x": 1}, identity=token("one"))
    assert await cubbyhole.call("DELETE", "a", identity=token("one")) == (204, None)
    assert await cubbyhole.call("GET", "a", identity=token("one")) == (404, [])


async def test_a_value_that_cannot_be_stored_is_refused(cubbyhole):
    assert (await cubbyhole.call("POST", "a", {"x": "\ud800"}, identity=token("one")))[0] == 400


async def test_no_token_has_no_cubbyhole(cubbyhole):
    assert await cubbyhole.call("GET", "a") == (403, ["permission denied"])


@pytest.mark.parametrize(("method", "path", "errors"), [("POST", "a", ["missing data fields"]), ("GET", "", ["missing path"])])
async def test_what_is_missing_is_said(cubbyhole, method, path, errors):
    assert await cubbyhole.call(method, path, identity=token("one")) == (400, errors)


async def test_a_write_is_a_creation_until_a_value_is_there(cubbyhole):
    from svault.logical import Operation, Request

    write = Request(Operation.UPDATE, "a", {"x": 1}, identity=token("one"))
    assert await cubbyhole.engine.exists(write) is False
    await cubbyhole.call("POST", "a", {"x": 1}, identity=token("one"))
    assert await cubbyhole.engine.exists(write) is True

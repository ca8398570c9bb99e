"""KV version 2 beside a model of it, and under whatever a client may send."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mounted import Mounted, mounted
from svault.engines.cubbyhole import CubbyholeEngine
from svault.engines.kv import kv_engine
from svault.logical import Identity

pytestmark = pytest.mark.anyio

NUMBERS = st.lists(st.integers(0, 8), min_size=1, max_size=3)
STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["delete", "undelete", "destroy"]), NUMBERS),
    st.tuples(st.just("delete newest"), st.none()),
    st.tuples(st.just("limit"), st.integers(1, 4)),
    st.tuples(st.just("forget"), st.none()),
)


class Model:
    """What a secret should be: its values by version, and which are deleted or destroyed."""

    def __init__(self) -> None:
        self.values: dict[int, int] = {}
        self.deleted: set[int] = set()
        self.destroyed: set[int] = set()
        self.current, self.limit, self.is_known = 0, 10, False

    def step(self, what: str, value: Any) -> None:
        numbers = set(value) & set(self.values) - self.destroyed if isinstance(value, list) else set()
        match what:
            case "write":
                self.current, self.is_known = self.current + 1, True
                self.values[self.current] = value
                for number in sorted(self.values)[: -self.limit]:
                    del self.values[number]
            case "delete":
                self.deleted |= numbers
            case "undelete":
                self.deleted -= numbers
            case "destroy":
                self.destroyed |= numbers
            case "delete newest":
                self.deleted |= {self.current} - self.destroyed
            case "limit":
                self.limit, self.is_known = value, True
            case "forget":
                self.__init__()  # type: ignore[misc] # a secret that was forgotten is a new one

    def readable(self) -> dict[int, int]:
        return {number: value for number, value in self.values.items() if number not in self.deleted | self.destroyed}


async def do(kv: Mounted, what: str, value: Any) -> None:
    """The same step by the API."""
    match what:
        case "write":
            await kv.handle("POST", "data/a", {"data": {"value": value}})
        case "delete newest":
            await kv.handle("DELETE", "data/a")
        case "limit":
            await kv.handle("POST", "metadata/a", {"max_versions": value})
        case "forget":
            await kv.handle("DELETE", "metadata/a")
        case _:
            await kv.handle("POST", f"{what}/a", {"versions": value})


async def readable(kv: Mounted) -> dict[int, int]:
    """The versions that can be read."""
    found = {}
    for number in range(1, 40):
        status, answer = await kv.call("GET", "data/a", {"version": number})
        if status == 200:
            found[number] = answer["data"]["value"]
    return found


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=20))
async def test_a_secret_is_what_a_model_of_it_says_after_any_steps(steps):
    kv, model = await mounted(kv_engine, version="2"), Model()
    for what, value in steps:
        await do(kv, what, value)
        model.step(what, value)
    assert await readable(kv) == model.readable()
    status, shown = await kv.call("GET", "metadata/a")
    assert status == (200 if model.is_known else 404)
    if model.is_known:
        assert set(map(int, shown["versions"])) == set(model.values)
        assert shown["current_version"] == model.current
    kept = {int(key.rpartition("/")[2]) for key in kv.entries.values if "/v/a/" in key}
    assert kept == set(model.values) - model.destroyed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "data",
        "options",
        "version",
        "versions",
        "depth",
        "cas",
        "max_versions",
        "cas_required",
        "delete_version_after",
        "custom_metadata",
        "metadata_cas",
        "metadata_cas_required",
        "after",
        "limit",
        "ttl",
        "lease",
        "path",
    ]
)
BODIES = st.dictionaries(FIELDS | st.text(max_size=4), JSON, max_size=4)
KINDS = st.sampled_from(
    ["data/", "metadata/", "delete/", "undelete/", "destroy/", "subkeys/", "config", "detailed-metadata/", ""]
)
PATHS = st.tuples(KINDS, st.sampled_from(["a", "b/c", ""]) | st.text(max_size=12)).map("".join)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "LIST"])
ENGINES = {"version 1": (kv_engine, {}), "version 2": (kv_engine, {"version": "2"}), "cubbyhole": (CubbyholeEngine, {})}


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=150)
@given(st.lists(st.tuples(METHODS, PATHS, BODIES), min_size=1, max_size=6))
async def test_whatever_is_sent_is_answered_or_refused(engine, requests):
    factory, options = ENGINES[engine]
    mount = await mounted(factory, **options)
    await mount.handle("POST", "data/a", {"data": {"x": 1}}, identity=Identity(token_id="one"))
    for method, path, body in requests:
        status, _ = await mount.call(method, path, body, identity=Identity(token_id="one"))
        assert status in {200, 204, 400, 404, 405}

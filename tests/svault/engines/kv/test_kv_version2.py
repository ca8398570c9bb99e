"""KV version 2: versions, check-and-set, deletion, rules."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mounted import START, Mounted, mounted
from svault.engines.kv import kv_engine
from svault.engines.kv.merge_patch import merged
from svault.errors import BadRequestError, UnsupportedMediaTypeError

pytestmark = pytest.mark.anyio
TIME = "2027-01-15T08:00:00.000000Z"


async def put(kv: Mounted, path: str, cas: object = None, **data: object) -> int:
    """The status of a write."""
    body: dict[str, object] = {"data": data}
    if cas is not None:
        body["options"] = {"cas": cas}
    return (await kv.call("POST", f"data/{path}", body))[0]


async def test_a_value_is_read_back_with_its_facts(kv):
    assert await kv.call("POST", "data/app/db", {"data": {"password": "s3cret"}}) == (
        200,
        {"created_time": TIME, "custom_metadata": None, "deletion_time": "", "destroyed": False, "version": 1},
    )
    status, answer = await kv.call("GET", "data/app/db")
    assert status == 200
    assert answer["data"] == {"password": "s3cret"}
    assert answer["metadata"]["version"] == 1


async def test_each_write_is_a_version_that_can_be_read_by_its_number(kv):
    for number in range(3):
        await put(kv, "a", number=number)
    values = [(await kv.call("GET", "data/a", {"version": str(version)}))[1]["data"] for version in (1, 2, 3, 0)]
    assert [value["number"] for value in values] == [0, 1, 2, 2]
    assert await kv.call("GET", "data/a", {"version": "4"}) == (404, [])


async def test_a_write_costs_one_commit_and_a_read_two_entries(kv):
    await put(kv, "a", x=1)
    kv.entries.gets = kv.entries.commits = 0
    await put(kv, "a", x=2)
    assert (kv.entries.gets, kv.entries.commits) == (1, 1)
    kv.entries.gets = 0
    await kv.call("GET", "data/a")
    assert kv.entries.gets == 2


async def test_a_deleted_version_is_read_as_404_with_its_metadata(kv):
    await put(kv, "a", x=1)
    assert await kv.call("DELETE", "data/a") == (204, None)
    status, answer = await kv.call("GET", "data/a")
    assert status == 404
    assert answer["data"] is None
    assert answer["metadata"]["deletion_time"] == TIME
    assert await kv.call("POST", "undelete/a", {"versions": [1]}) == (204, None)
    assert (await kv.call("GET", "data/a"))[1]["data"] == {"x": 1}


async def test_a_destroyed_version_is_gone_from_storage_for_good(kv):
    await put(kv, "a", x="f1nd-me")
    assert any(b"f1nd-me" in value for value in kv.entries.values.values())
    assert await kv.call("PUT", "destroy/a", {"versions": "1"}) == (204, None)
    assert not any(b"f1nd-me" in value for value in kv.entries.values.values())
    await kv.call("POST", "undelete/a", {"versions": [1]})
    status, answer = await kv.call("GET", "data/a")
    assert (status, answer["metadata"]["destroyed"]) == (404, True)


async def test_deleting_some_versions_leaves_the_others(kv):
    for number in range(3):
        await put(kv, "a", number=number)
    await kv.call("POST", "delete/a", {"versions": ["1", 3, 99]})
    assert [(await kv.call("GET", "data/a", {"version": version}))[0] for version in (1, 2, 3)] == [404, 200, 404]


async def test_deleting_metadata_leaves_nothing_in_storage(kv):
    before = dict(kv.entries.values)
    for number in range(5):
        await put(kv, "folder/a", number=number)
    assert await kv.call("DELETE", "metadata/folder/a") == (204, None)
    assert kv.entries.values == before


async def test_a_secret_with_more_versions_than_a_commit_takes_is_removed_whole(kv):
    await kv.call("POST", "config", {"max_versions": 1000})
    for _ in range(850):
        await put(kv, "a", x=1)
    await kv.call("DELETE", "metadata/a")
    assert [key for key in kv.entries.values if not key.endswith("config")] == []


async def test_only_the_newest_ten_versions_stay(kv):
    for number in range(13):
        await put(kv, "a", number=number)
    _, shown = await kv.call("GET", "metadata/a")
    assert list(shown["versions"]) == [str(number) for number in range(4, 14)]
    assert (shown["oldest_version"], shown["current_version"]) == (4, 13)
    assert len([key for key in kv.entries.values if "/v/a/" in key]) == 10


@pytest.mark.parametrize(("mount", "key", "kept"), [(0, 3, 3), (5, 3, 5), (2, 4, 4), (2, 0, 2)])
async def test_the_larger_of_the_mounts_and_the_keys_max_versions_holds(kv, mount, key, kept):
    await kv.call("POST", "config", {"max_versions": mount})
    await kv.call("POST", "metadata/a", {"max_versions": key})
    for _ in range(7):
        await put(kv, "a", x=1)
    assert len((await kv.call("GET", "metadata/a"))[1]["versions"]) == kept


@pytest.mark.parametrize(
    ("mount", "key", "lifetime"),
    [("1h", 0, 3600), ("1h", "2h", 3600), ("1h", "30m", 1800), (0, "40m", 2400), ("-1s", "40m", None), (0, 0, None)],
)
async def test_a_version_ends_after_the_shorter_of_both_lifetimes(kv, mount, key, lifetime):
    await kv.call("POST", "config", {"delete_version_after": mount})
    await kv.call("POST", "metadata/a", {"delete_version_after": key})
    await put(kv, "a", x=1)
    kv.clock.now = START + (lifetime or 10**9) - 1
    assert (await kv.call("GET", "data/a"))[0] == 200
    kv.clock.now += 1
    assert (await kv.call("GET", "data/a"))[0] == (404 if lifetime else 200)


async def test_check_and_set_wants_the_current_version(kv):
    assert await put(kv, "a", cas=1, x=1) == 400
    assert await put(kv, "a", cas=0, x=1) == 200
    assert await put(kv, "a", cas=0, x=2) == 400
    assert await put(kv, "a", cas="1", x=2) == 200
    assert await kv.call("POST", "data/a", {"data": {}, "options": {"cas": 1}}) == (
        400,
        ["check-and-set parameter did not match the current version"],
    )
    assert await kv.call("POST", "data/a", {"data": {}, "options": {"cas": "x"}}) == (
        400,
        ["error parsing check-and-set parameter"],
    )


async def test_exactly_one_of_200_concurrent_writers_with_check_and_set_wins(kv):
    statuses = await asyncio.gather(*(put(kv, "a", cas=0, writer=number) for number in range(200)))
    assert sorted(statuses) == [200] + [400] * 199
    assert (await kv.call("GET", "data/a"))[1]["data"]["writer"] == statuses.index(200)


async def test_no_concurrent_write_without_check_and_set_is_lost(kv):
    await kv.call("POST", "config", {"max_versions": 100})
    await asyncio.gather(*(put(kv, "a", writer=number) for number in range(50)))
    values = [(await kv.call("GET", "data/a", {"version": number + 1}))[1]["data"]["writer"] for number in range(50)]
    assert sorted(values) == list(range(50))


@pytest.mark.parametrize("place", ["config", "metadata/a"])
async def test_a_required_check_and_set_cannot_be_left_out(kv, place):
    await kv.call("POST", place, {"cas_required": True})
    assert await kv.call("POST", "data/a", {"data": {}}) == (400, ["check-and-set parameter required for this call"])
    assert await put(kv, "a", cas=0) == 200


async def test_a_rule_that_the_mount_demands_anyway_is_answered_with_a_warning(kv):
    await kv.call("POST", "config", {"cas_required": True})
    answer = await kv.handle("POST", "metadata/a", {"cas_required": False})
    assert answer.warnings == ['"cas_required" set to false, but is mandated by backend config. This value will be ignored.']


async def test_a_merge_patch_changes_the_newest_value(kv):
    await put(kv, "a", keep=1, drop=2, inner={"x": 1, "y": 2})
    status, facts = await kv.call(
        "PATCH", "data/a", {"data": {"drop": None, "inner": {"y": None, "z": 3}}, "options": {"cas": 1}}
    )
    assert (status, facts["version"]) == (200, 2)
    assert (await kv.call("GET", "data/a"))[1]["data"] == {"keep": 1, "inner": {"x": 1, "z": 3}}
    assert (await kv.call("PATCH", "data/a", {"data": {}, "options": {"cas": 1}}))[0] == 400


async def test_a_merge_patch_needs_its_content_type_and_a_value(kv):
    await put(kv, "a", x=1)
    with pytest.raises(
        UnsupportedMediaTypeError,
        match=r"PATCH requires Content-Type of application/merge-patch\+json, provided application/json",
    ):
        await kv.handle("PATCH", "data/a", {"data": {}}, content_type="application/json")
    assert await kv.call("PATCH", "data/none", {"data": {}}) == (404, [])
    await kv.call("DELETE", "data/a")
    status, facts = await kv.call("PATCH", "data/a", {"data": {}})
    assert (status, facts["version"], facts["deletion_time"]) == (404, 1, TIME)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3),
)
objects = st.dictionaries(st.text("abc", max_size=1), json_values, max_size=3)


def without_nulls(value):
    return (
        {name: without_nulls(inner) for name, inner in value.items() if inner is not None} if isinstance(value, dict) else value
    )


@given(objects, objects)
def test_a_merge_patch_is_idempotent_and_its_own_members_win(target, patch):
    once = merged(target, patch)
    assert merged(once, patch) == once
    assert merged({}, patch) == without_nulls(patch)
    assert {name for name, value in patch.items() if value is None}.isdisjoint(once)
    untouched = target.keys() - patch.keys()
    assert {name: once[name] for name in untouched} == {name: target[name] for name in untouched}


async def test_subkeys_show_names_and_no_values(kv):
    await put(kv, "a", a={"b": {"c": 1, "d": {}}}, n=[1, {"z": 2}], s="t")
    shown = {depth: (await kv.call("GET", "subkeys/a", {"depth": depth}))[1]["subkeys"] for depth in ("0", "1", "2")}
    assert shown == {
        "0": {"a": {"b": {"c": None, "d": None}}, "n": None, "s": None},
        "1": {"a": None, "n": None, "s": None},
        "2": {"a": {"b": None}, "n": None, "s": None},
    }


async def test_folders_are_listed_with_their_names(kv):
    for path in ("d", "d/x", "d/e/f", "zoë 100%", "d.txt"):
        await put(kv, path, x=1)
    assert (await kv.call("LIST", "metadata/"))[1] == {"keys": ["d", "d.txt", "d/", "zoë 100%"]}
    assert (await kv.call("LIST", "metadata"))[1] == {"keys": ["d", "d.txt", "d/", "zoë 100%"]}
    assert (await kv.call("LIST", "metadata/d"))[1] == {"keys": ["e/", "x"]}
    assert (await kv.call("LIST", "metadata/", {"after": "d", "limit": "2"}))[1] == {"keys": ["d.txt", "d/"]}
    assert await kv.call("LIST", "metadata/nothing") == (404, [])
    _, detailed = await kv.call("LIST", "detailed-metadata/d/")
    assert detailed["key_info"]["e/"] == {}
    assert detailed["key_info"]["x"]["current_version"] == 1


paths = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).map(lambda text: f"{text} {text}")


@given(st.sets(paths, min_size=1, max_size=5))
async def test_every_printable_path_is_kept_apart_and_listed_as_it_was_written(names):
    kv = await mounted(kv_engine, version="2")
    legal = [name for name in names if {"", ".", ".."}.isdisjoint(name.split("/"))]
    for number, name in enumerate(legal):
        assert await put(kv, name, number=number) == 200
    for number, name in enumerate(legal):
        assert (await kv.call("GET", f"data/{name}"))[1]["data"] == {"number": number}
        folder, slash, last = name.rpartition("/")
        assert last in (await kv.call("LIST", f"metadata/{folder}{slash}"))[1]["keys"]


@pytest.mark.parametrize("path", ["a//b", "../a", "a/../b", ".", "a\0b", "a\nb", "a\u200bb", "y" * 851, "/a"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
async def test_a_path_that_no_secret_can_have_is_refused(kv, path, method):
    assert (await kv.call(method, f"data/{path}", {"data": {}}))[0] == 400
    assert kv.entries.commits == 0


@pytest.mark.parametrize("kind", ["data", "metadata", "delete", "undelete", "destroy"])
async def test_a_folder_cannot_be_written(kv, kind):
    assert await kv.call("POST", f"{kind}/a/", {"data": {}, "versions": [1]}) == (400, ["cannot write to a path ending in '/'"])


async def test_metadata_can_be_written_before_the_first_version(kv):
    assert await kv.call("POST", "metadata/a", {}) == (204, None)
    assert await kv.call("GET", "metadata/a") == (404, [])
    await kv.call("POST", "metadata/a", {"custom_metadata": {"owner": "ops", "level": 3}})
    _, shown = await kv.call("GET", "metadata/a")
    assert (shown["custom_metadata"], shown["current_version"], shown["versions"]) == ({"owner": "ops", "level": "3"}, 0, {})
    assert await kv.call("GET", "data/a") == (404, [])
    assert (await kv.call("POST", "data/a", {"data": {}}))[1]["custom_metadata"] == {"owner": "ops", "level": "3"}


async def test_a_merge_patch_of_metadata_resets_what_is_null(kv):
    await kv.call("POST", "metadata/a", {"max_versions": 3, "cas_required": True, "custom_metadata": {"a": "b", "c": "d"}})
    await kv.call("PATCH", "metadata/a", {"max_versions": None, "custom_metadata": {"a": None, "e": "f"}})
    _, shown = await kv.call("GET", "metadata/a")
    assert (shown["max_versions"], shown["cas_required"], shown["custom_metadata"]) == (0, True, {"c": "d", "e": "f"})
    await kv.call("PATCH", "metadata/a", {"custom_metadata": None})
    assert (await kv.call("GET", "metadata/a"))[1]["custom_metadata"] is None
    assert await kv.call("PATCH", "metadata/none", {"max_versions": 1}) == (404, [])


@pytest.mark.parametrize(
    "custom",
    [
        *({"": "x"}, {"a": ""}, {"a" * 129: "x"}, {"a": "x" * 513}, {"a": "x\t"}, {"a\n": "x"}, {"a": {}}, {"a": []}, "x"),
        {str(number): "x" for number in range(65)},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_custom_metadata_has_limits(kv, custom, method):
    await put(kv, "a", x=1)
    before = dict(kv.entries.values)
    assert (await kv.call(method, "metadata/a", {"custom_metadata": custom}))[0] == 400
    assert kv.entries.values == before


async def test_rules_can_be_guarded_by_their_own_revision(kv):
    await kv.call("POST", "metadata/a", {"metadata_cas_required": True})
    assert await kv.call("POST", "metadata/a", {"max_versions": 1}) == (
        400,
        ["metadata check-and-set parameter required for this call"],
    )
    assert await kv.call("POST", "metadata/a", {"max_versions": 1, "metadata_cas": 0}) == (
        400,
        ["metadata check-and-set parameter does not match the current version"],
    )
    assert await kv.call("PATCH", "metadata/a", {"max_versions": 1, "metadata_cas": 1}) == (204, None)
    assert (await kv.call("GET", "metadata/a"))[1]["current_metadata_version"] == 2


async def test_the_mounts_rules_outlive_a_restart(kv):
    await kv.call("POST", "config", {"max_versions": 3, "delete_version_after": "90s"})
    kv = await kv.restarted(kv_engine)
    assert await kv.call("GET", "config") == (
        200,
        {"cas_required": False, "delete_version_after": "1m30s", "max_versions": 3, "metadata_cas_required": False},
    )


@pytest.mark.parametrize(
    "rules", [{"max_versions": "x"}, {"max_versions": -1}, {"cas_required": "maybe"}, {"delete_version_after": "x"}]
)
async def test_rules_of_the_wrong_kind_change_nothing(kv, rules):
    for place in ("config", "metadata/a"):
        assert (await kv.call("POST", place, {"max_versions": 3, **rules}))[0] == 400
    assert kv.entries.commits == 0


@pytest.mark.parametrize(
    "body", [{}, {"data": "s3cret"}, {"data": ["s3cret"]}, {"data": {}, "options": "s3cret"}, {"data": {"a": "s3cret\ud800"}}]
)
async def test_a_write_of_the_wrong_kind_is_refused_without_its_value(kv, body):
    status, errors = await kv.call("POST", "data/a", body)
    assert status == 400
    assert "s3cret" not in str(errors)
    assert kv.entries.commits == 0


@pytest.mark.parametrize("depth", [199, 200, 5000])
async def test_a_value_that_is_nested_too_deeply_is_refused(kv, depth):
    value: dict[str, object] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    for method in ("POST", "PATCH"):
        status, errors = await kv.call(method, "data/a", {"data": {"a": value}})
        assert (status, errors) == (400, ["the data is nested more than 200 levels deep"]) if depth > 199 else status == 200
    assert (await kv.call("GET", "subkeys/a"))[0] == (404 if depth > 199 else 200)


async def test_a_version_list_must_be_there_and_be_numbers(kv):
    for kind in ("delete", "undelete", "destroy"):
        assert (await kv.call("POST", f"{kind}/a", {}))[1][0].lower() == "no version number provided"
        assert (await kv.call("POST", f"{kind}/a", {"versions": ["one"]}))[0] == 400
        assert await kv.call("POST", f"{kind}/none", {"versions": [1]}) == (204, None)


async def test_fields_that_nobody_reads_are_named_in_a_warning(kv):
    answer = await kv.handle("POST", "data/a", {"data": {}, "foo": 1, "bar": 2})
    assert answer.warnings == ["Endpoint ignored these unrecognized parameters: [bar foo]"]


async def test_a_path_of_version_1_is_answered_with_a_hint(kv):
    answer = await kv.handle("GET", "app")
    assert (answer.status, answer.data) == (404, None)
    assert "versioned K/V" in answer.warnings[0]
    assert (await kv.handle("POST", "data")).warnings == [
        "Non-listing operations on the root of a K/V v2 mount are not supported."
    ]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "delete/a"), ("LIST", "data/a"), ("POST", "subkeys/a"), ("DELETE", "config")]
)
async def test_a_method_that_a_path_does_not_have_is_405(kv, method, path):
    assert (await kv.call(method, path, {"data": {}}))[0] == 405


async def test_a_write_is_a_creation_until_the_secret_is_known(kv):
    from svault.logical import Operation, Request

    write = Request(Operation.UPDATE, "data/a", {"data": {}})
    assert await kv.engine.exists(write) is False
    await put(kv, "a", x=1)
    await kv.call("DELETE", "data/a")
    assert await kv.engine.exists(write) is True
    assert await kv.engine.exists(Request(Operation.UPDATE, "destroy/a", {})) is None


async def test_a_mount_of_another_version_is_refused():
    with pytest.raises(BadRequestError, match="version 1 or 2"):
        await mounted(kv_engine, version="3")

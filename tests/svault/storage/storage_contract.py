"""What every storage backend must do, whatever keeps the bytes. A test module of a backend says:

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    async def storage(...): an opened Storage without entries, closed after the test

    class TestMemory(StorageContract): ...

A backend that outlives its process also subclasses `DurableContract` and offers `connect`, which makes another unopened Storage
on the same place as `storage`; `storage` may be closed by the test.
"""

import asyncio
from collections.abc import Callable

import pytest

from svault.storage.base import ABSENT, CommitConflictError, Entry, Storage, Write

HOSTILE_KEYS = [
    "a b/%2f/c",
    'quote\'/"double"/\\back',
    "star*/quest?/[class]/{brace}",
    "ключ/鍵/\N{LOCK}",
    "under_score/per%cent",
    "~tilde/!/$/;DROP TABLE",
    "e\u0301/é",  # two spellings of one letter: two keys
    "x" * 1024,
    "deep/" * 200 + "leaf",
]


async def put(storage: Storage, **values: bytes) -> dict[str, int]:
    return await storage.commit([Write(key, value) for key, value in values.items()])


async def stored(storage: Storage, *keys: str) -> list[bytes | None]:
    return [entry and entry.value for entry in [await storage.get(key) for key in keys]]


class StorageContract:
    """One store, one process."""

    LARGEST_VALUE = 32 << 20

    async def test_what_was_put_is_read_with_the_version_that_the_commit_answered(self, storage: Storage):
        versions = await storage.commit([Write("secret/a", b"one")])
        assert list(versions) == ["secret/a"]
        assert await storage.get("secret/a") == Entry(b"one", versions["secret/a"])
        assert versions["secret/a"] > ABSENT

    async def test_a_key_without_an_entry_is_none(self, storage: Storage):
        await put(storage, ab=b"")
        assert await stored(storage, "a", "ab/", "abc", "AB", "nothing/here") == [None] * 5

    async def test_a_later_value_replaces_the_earlier_one_and_has_a_larger_version(self, storage: Storage):
        first = await put(storage, a=b"one")
        second = await put(storage, a=b"two")
        assert second["a"] > first["a"]
        assert await storage.get("a") == Entry(b"two", second["a"])

    async def test_the_same_value_written_again_has_a_larger_version(self, storage: Storage):
        assert (await put(storage, a=b"same"))["a"] < (await put(storage, a=b"same"))["a"]

    async def test_a_deleted_key_is_gone_and_is_not_among_the_versions(self, storage: Storage):
        await put(storage, a=b"one", b=b"two")
        versions = await storage.commit([Write("a", None), Write("b", b"three")])
        assert list(versions) == ["b"]
        assert await stored(storage, "a", "b") == [None, b"three"]
        assert await storage.list("") == ["b"]

    async def test_deleting_what_is_not_there_is_no_error(self, storage: Storage):
        assert await storage.commit([Write("nothing", None)]) == {}

    async def test_a_version_is_not_reused_after_the_key_was_deleted(self, storage: Storage):
        seen = set()
        for _ in range(3):
            seen.add((await put(storage, a=b"again"))["a"])
            await storage.commit([Write("a", None)])
        assert len(seen) == 3
        assert (await put(storage, a=b"again"))["a"] > max(seen)

    async def test_a_commit_of_nothing_changes_nothing(self, storage: Storage):
        assert await storage.commit([]) == {}
        assert await storage.list("") == []

    async def test_every_byte_of_a_value_is_kept(self, storage: Storage):
        values = [b"", b"\0", bytes(range(256)) * 5, b"\xff" * 3, b"line\r\nline\n"]
        await storage.commit([Write(f"v/{number}", value) for number, value in enumerate(values)])
        assert await stored(storage, *(f"v/{number}" for number in range(len(values)))) == values

    async def test_the_largest_value_is_kept(self, storage: Storage):
        value = bytes(range(256)) * (self.LARGEST_VALUE // 256)
        await storage.commit([Write("large", value)])
        entry = await storage.get("large")
        assert entry is not None
        assert entry.value == value

    async def test_keys_with_any_printable_text_are_kept_apart(self, storage: Storage):
        await storage.commit([Write(key, key.encode()) for key in HOSTILE_KEYS])
        assert await stored(storage, *HOSTILE_KEYS) == [key.encode() for key in HOSTILE_KEYS]
        assert len(await storage.list("")) == len({key.split("/")[0] for key in HOSTILE_KEYS})

    async def test_a_list_names_entries_and_folders_directly_under_a_prefix_sorted(self, storage: Storage):
        keys = ["b", "a/x", "a/y/z", "a/y/w", "a", "a-b", "a0", "ä", "B"]
        await storage.commit([Write(key, b"1") for key in keys])
        assert await storage.list("") == ["B", "a", "a-b", "a/", "a0", "b", "ä"]
        assert await storage.list("a/") == ["x", "y/"]
        assert await storage.list("a/y/") == ["w", "z"]

    async def test_a_list_of_a_prefix_without_entries_is_empty(self, storage: Storage):
        await storage.commit([Write("a/b", b"1")])
        assert [await storage.list(prefix) for prefix in ("b/", "a/b/", "a/bc/", "A/")] == [[]] * 4

    async def test_a_prefix_matches_itself_only_not_as_a_pattern(self, storage: Storage):
        await storage.commit([Write(key, b"1") for key in ("a_b/x", "acb/y", "a%/x", "ab/y", "[a]/x")])
        assert await storage.list("a_b/") == ["x"]
        assert await storage.list("a%/") == ["x"]
        assert await storage.list("[a]/") == ["x"]

    async def test_a_folder_goes_with_its_last_entry(self, storage: Storage):
        await storage.commit([Write("a/b/c", b"1"), Write("a/d", b"1")])
        await storage.commit([Write("a/b/c", None)])
        assert await storage.list("a/") == ["d"]
        await storage.commit([Write("a/d", None)])
        assert await storage.list("") == []

    async def test_a_list_of_many_names_is_whole(self, storage: Storage):
        names = [f"n{number:04}" for number in range(1500)]
        for start in range(0, len(names), 500):
            await storage.commit([Write(f"many/{name}", b"1") for name in names[start : start + 500]])
        assert await storage.list("many/") == names

    async def test_a_commit_with_the_expected_version_is_done(self, storage: Storage):
        versions = await storage.commit([Write("a", b"one")], {"a": ABSENT})
        again = await storage.commit([Write("a", b"two")], versions)
        await storage.commit([Write("a", None)], again)
        assert await storage.get("a") is None

    @pytest.mark.parametrize("change", [b"two", None], ids=["put", "delete"])
    async def test_a_commit_with_another_version_writes_nothing(self, storage: Storage, change: bytes | None):
        first = await put(storage, a=b"one")
        second = await put(storage, a=b"now")
        for version in (ABSENT, first["a"], second["a"] + 1):
            with pytest.raises(CommitConflictError) as refused:
                await storage.commit([Write("b", b"new"), Write("a", change)], {"a": version})
            assert refused.value.key == "a"
        assert await storage.get("a") == Entry(b"now", second["a"])
        assert await storage.get("b") is None

    async def test_a_deleted_key_is_expected_to_be_absent(self, storage: Storage):
        versions = await put(storage, a=b"one")
        await storage.commit([Write("a", None)])
        with pytest.raises(CommitConflictError):
            await storage.commit([Write("a", b"two")], versions)
        await storage.commit([Write("a", b"two")], {"a": ABSENT})

    async def test_a_key_that_is_only_expected_is_compared_too(self, storage: Storage):
        versions = await put(storage, guard=b"1")
        await storage.commit([Write("a", b"one")], versions)
        await put(storage, guard=b"2")
        with pytest.raises(CommitConflictError) as refused:
            await storage.commit([Write("a", b"two")], versions)
        assert refused.value.key == "guard"
        assert await stored(storage, "a") == [b"one"]

    async def test_a_commit_that_only_expects_is_answered(self, storage: Storage):
        versions = await put(storage, a=b"one")
        assert await storage.commit([], versions) == {}
        with pytest.raises(CommitConflictError):
            await storage.commit([], {"a": ABSENT})

    async def test_the_refusal_of_a_commit_does_not_tell_its_values(self, storage: Storage):
        await put(storage, a=b"canary-old")
        with pytest.raises(CommitConflictError) as refused:
            await storage.commit([Write("a", b"canary-new")], {"a": ABSENT})
        assert "canary" not in f"{refused.value!r} {refused.value} {refused.value.as_dict()}"

    async def test_of_200_concurrent_commits_that_expect_the_same_version_one_wins(self, storage: Storage):
        versions = await put(storage, a=b"start")
        answers = await asyncio.gather(
            *(storage.commit([Write("a", b"%d" % number)], versions) for number in range(200)), return_exceptions=True
        )
        won = {number: answer for number, answer in enumerate(answers) if isinstance(answer, dict)}
        assert len(won) == 1
        assert {type(answer) for answer in answers} == {dict, CommitConflictError}
        [(number, answer)] = won.items()
        assert await storage.get("a") == Entry(b"%d" % number, answer["a"])

    async def test_concurrent_readers_see_a_commit_whole_or_not_at_all(self, storage: Storage):
        keys = [f"k{number}" for number in range(5)]
        await storage.commit([Write(key, b"0") for key in keys])
        done = asyncio.Event()

        async def write() -> None:
            for number in range(1, 40):
                await storage.commit([Write(key, b"%d" % number) for key in keys])
            done.set()

        async def read() -> int:
            seen = 0
            while not done.is_set() or not seen:
                # Each key is read by a request of its own: later ones may be newer, never older.
                values = [int(value or b"-1") for value in await stored(storage, *keys)]
                assert values == sorted(values)
                seen += 1
                await asyncio.sleep(0)
            return seen

        assert (await asyncio.gather(write(), read(), read()))[1] > 0
        assert await stored(storage, *keys) == [b"39"] * 5

    async def test_concurrent_commits_of_different_keys_are_all_kept(self, storage: Storage):
        answers = await asyncio.gather(
            *(storage.commit([Write(f"c/{n}", b"%d" % n), Write("shared", b"%d" % n)]) for n in range(60))
        )
        assert await stored(storage, *(f"c/{n}" for n in range(60))) == [b"%d" % n for n in range(60)]
        shared = await storage.get("shared")
        assert shared is not None
        assert shared.version == max(answer["shared"] for answer in answers)
        assert answers[int(shared.value)]["shared"] == shared.version

    async def test_a_caller_that_gives_up_harms_nobody_else(self, storage: Storage):
        tasks = [asyncio.create_task(storage.commit([Write(f"c/{n}", b"1"), Write(f"d/{n}", b"1")])) for n in range(20)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(answer, dict) for answer in answers[1::2])
        await put(storage, after=b"1")
        kept = [await stored(storage, f"c/{n}", f"d/{n}") for n in range(20)]
        assert kept[1::2] == [[b"1", b"1"]] * 10
        assert all(pair in ([None, None], [b"1", b"1"]) for pair in kept[::2])


class DurableContract(StorageContract):
    """A store that outlives its process."""

    async def test_what_was_committed_is_there_after_a_restart(self, storage: Storage, connect: Callable[[], Storage]):
        versions = await storage.commit([Write(key, key.encode()) for key in ["a/b", "c", *HOSTILE_KEYS]])
        await storage.commit([Write("c", None)])
        await storage.aclose()
        again = connect()
        await again.open()
        try:
            for key in ["a/b", *HOSTILE_KEYS]:
                assert await again.get(key) == Entry(key.encode(), versions[key])
            assert await again.get("c") is None
            assert "c" not in await again.list("")
            with pytest.raises(CommitConflictError):
                await again.commit([Write("a/b", b"x")], {"a/b": ABSENT})
            await again.commit([Write("a/b", b"x")], {"a/b": versions["a/b"]})
        finally:
            await again.aclose()

    async def test_versions_go_on_after_a_restart_also_for_a_key_deleted_before(
        self, storage: Storage, connect: Callable[[], Storage]
    ):
        before = await put(storage, a=b"one")
        await storage.commit([Write("a", None)])
        await storage.aclose()
        again = connect()
        await again.open()
        try:
            assert (await put(again, a=b"one"))["a"] > before["a"]
        finally:
            await again.aclose()

    async def test_a_closed_store_may_be_closed_again(self, storage: Storage):
        await put(storage, a=b"one")
        await storage.aclose()
        await storage.aclose()

"""Keys in memory: read once, replaced by a write, dropped at the seal; and rotated when their period is over."""

import asyncio

import pytest

from svault.errors import DamagedStorageError

pytestmark = pytest.mark.anyio
HOUR = 3600
TEXT = "aGVsbG8="


async def test_a_key_is_read_from_the_storage_once(transit):
    await transit.call("POST", "keys/k")
    transit.engine.keyring.forget()
    before = transit.entries.reads
    for _ in range(20):
        assert (await transit.call("POST", "encrypt/k", {"plaintext": TEXT})).status == 200
    assert transit.entries.reads == before + 1


async def test_keys_survive_a_restart(transit, new_transit):
    await transit.call("POST", "keys/k", {"type": "ecdsa-p256", "exportable": True})
    await transit.call("POST", "keys/k/rotate")
    shown = await transit.call("GET", "keys/k")
    signed = await transit.call("POST", "sign/k", {"input": TEXT})
    later = new_transit(transit.entries, transit.clock)
    await later.engine.start()
    assert await later.call("GET", "keys/k") == shown
    assert (await later.call("POST", "verify/k", {"input": TEXT} | signed.data)).data == {"valid": True}


async def test_stopping_drops_the_keys_from_memory(transit):
    await transit.call("POST", "keys/k")
    await transit.engine.stop()
    transit.entries.kept.clear()
    assert (await transit.call("POST", "decrypt/k", {"ciphertext": "vault:v1:"})).errors == ["encryption key not found"]


async def test_the_least_recently_used_keys_leave_memory_first(transit, new_transit):
    await transit.call("POST", "cache-config", {"size": 10})
    later = new_transit(transit.entries, transit.clock)
    await later.engine.start()
    for number in range(11):
        await later.call("POST", f"keys/k{number}")
        await later.call("POST", "encrypt/k0", {"plaintext": TEXT})
    before = later.entries.reads
    await later.call("POST", "encrypt/k0", {"plaintext": TEXT})
    await later.call("POST", "encrypt/k10", {"plaintext": TEXT})
    assert later.entries.reads == before
    await later.call("POST", "decrypt/k1", {"ciphertext": "vault:v1:"})
    assert later.entries.reads == before + 1


async def test_a_write_that_fails_changes_nothing(transit):
    await transit.call("POST", "keys/k")
    transit.entries.is_full = True
    assert (await transit.call("POST", "keys/k/rotate")).status == 500
    assert (await transit.call("POST", "encrypt/new", {"plaintext": TEXT})).status == 500
    transit.entries.is_full = False
    assert (await transit.call("GET", "keys/k")).data["latest_version"] == 1
    assert (await transit.call("GET", "keys/new")).status == 404


async def test_concurrent_rotations_each_give_a_version(transit):
    await transit.call("POST", "keys/k")
    await asyncio.gather(*(transit.call("POST", "keys/k/rotate") for _ in range(20)))
    assert (await transit.call("GET", "keys/k")).data["latest_version"] == 21


async def test_concurrent_first_uses_create_one_key(transit):
    sealed = await asyncio.gather(*(transit.call("POST", "encrypt/k", {"plaintext": TEXT}) for _ in range(20)))
    for answer in sealed:
        assert (await transit.call("POST", "decrypt/k", answer.data)).data == {"plaintext": TEXT}


async def latest(transit):
    return (await transit.call("GET", "keys/k")).data["latest_version"]


async def test_a_key_is_rotated_when_its_period_is_over(transit):
    await transit.call("POST", "keys/k", {"auto_rotate_period": "2h"})
    for passed, expected in ((0, 1), (2 * HOUR - 1, 1), (1, 2), (1, 2), (2 * HOUR, 3)):
        transit.clock.now += passed
        await transit.engine.tick()
        assert await latest(transit) == expected


async def test_a_period_that_is_set_later_counts_from_the_latest_version(transit):
    await transit.call("POST", "keys/k")
    await transit.engine.tick()
    transit.clock.now += 90
    await transit.call("POST", "keys/k/config", {"auto_rotate_period": "1h"})
    transit.clock.now += HOUR - 91
    await transit.engine.tick()
    assert await latest(transit) == 1
    transit.clock.now += 1
    await transit.engine.tick()
    assert await latest(transit) == 2


async def test_a_rotation_that_was_due_while_the_vault_was_down_is_done_at_the_first_tick(transit, new_transit):
    await transit.call("POST", "keys/k", {"auto_rotate_period": "1h"})
    transit.clock.now += 5 * HOUR
    later = new_transit(transit.entries, transit.clock)
    await later.engine.tick()
    assert await latest(later) == 2


@pytest.mark.parametrize(
    "hindrance", [("DELETE", "keys/k/soft-delete", {}), ("POST", "keys/k/config", {"auto_rotate_period": 0})]
)
async def test_soft_deleted_keys_and_keys_without_a_period_are_not_rotated(transit, hindrance):
    await transit.call("POST", "keys/k", {"auto_rotate_period": "1h"})
    await transit.call(*hindrance)
    transit.clock.now += 2 * HOUR
    await transit.engine.tick()
    assert await latest(transit) == 1


async def test_a_tick_with_nothing_due_reads_nothing(transit):
    await transit.call("POST", "keys/k", {"auto_rotate_period": "24h"})
    await transit.engine.tick()
    transit.engine.keyring.forget()
    before = transit.entries.reads
    transit.clock.now += 60
    await transit.engine.tick()
    assert transit.entries.reads == before


async def test_a_key_that_cannot_be_rotated_keeps_no_other_from_it(transit):
    for name in ("a", "k"):
        await transit.call("POST", f"keys/{name}", {"auto_rotate_period": "1h"})
    transit.clock.now += HOUR
    transit.entries.damaged = "transit/policy/a"
    transit.engine.keyring.forget()
    with pytest.raises(DamagedStorageError):
        await transit.engine.tick()
    assert await latest(transit) == 2
    transit.entries.damaged = ""
    transit.clock.now += 60
    await transit.engine.tick()
    assert (await transit.call("GET", "keys/a")).data["latest_version"] == 2

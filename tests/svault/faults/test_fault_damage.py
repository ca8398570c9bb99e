"""Storage files that are cut or changed: the server names them, and no wrong value is ever answered."""

import random
import shutil
from pathlib import Path

import pytest
from tests.svault.storage.stores import flipped

from svault.errors import DamagedStorageError, StorageError
from svault.storage.base import Write
from svault.storage.filesystem import FilesystemStorage
from vaults import TestVault

from .processes import VaultProcess, filesystem

pytestmark = pytest.mark.anyio
SECRETS = 20


@pytest.fixture
async def written(tmp_path: Path, anyio_backend: str) -> tuple[Path, bytes, str]:
    """A vault's folder, its key and its root token."""
    folder = tmp_path / "data"
    async with TestVault(FilesystemStorage(folder)) as vault:
        await vault.ok("POST", "sys/mounts/secret", {"type": "kv-v2"})
        for number in range(SECRETS):
            await vault.ok("POST", f"secret/data/s{number}", {"data": {"n": number, "pad": "x" * 200}})
        return folder, vault.keys[0], vault.root


async def served(folder: Path, key: bytes, root: str) -> tuple[int, str]:
    """How many secrets can be read, each with the right value, and what was said of the damage."""
    said: list[str] = []
    right = 0
    vault = TestVault(FilesystemStorage(folder))
    try:
        async with vault:
            await vault.core.unseal(key)
            vault.root = root
            for number in range(SECRETS):
                answer = await vault.call("GET", f"secret/data/s{number}")
                if answer.status == 200 and answer.body is not None:
                    assert answer.body["data"]["data"] == {"n": number, "pad": "x" * 200}
                    right += 1
                else:
                    assert answer.status == 500, (answer.status, answer.body)
                    said += (answer.body or {})["errors"]
    except (DamagedStorageError, StorageError) as error:
        said.append(error.message)
    return right, "\n".join(said)


async def test_a_flipped_bit_anywhere_is_never_served(written: tuple[Path, bytes, str], tmp_path: Path):
    folder, key, root = written
    assert await served(folder, key, root) == (SECRETS, "")
    files = [path for path in sorted(folder.iterdir()) if path.name != "lock" and path.stat().st_size]
    chance = random.Random(7)
    for _ in range(40):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        path = copy / chance.choices(files, [file.stat().st_size for file in files])[0].name
        data = path.read_bytes()
        path.write_bytes(flipped(data, chance.randrange(len(data)), chance.randrange(8)))
        right, said = await served(copy, key, root)
        assert right == SECRETS or path.name in said or "is damaged" in said, (path.name, said)
        shutil.rmtree(copy)


async def test_an_entry_that_was_put_in_the_place_of_another_is_never_served(written: tuple[Path, bytes, str]):
    folder, key, root = written
    storage = FilesystemStorage(folder)
    await storage.open()
    async with TestVault(storage) as vault:
        await vault.core.unseal(key)
        vault.root = root
        mounted = vault.core.running().mounts.at("secret/")
        assert mounted is not None
        prefix = mounted.entry.prefix
        await vault.core.seal_now()
        other = await storage.get(f"{prefix}v/s2/1")
        assert other is not None
        await storage.commit([Write(f"{prefix}v/s1/1", other.value)])
        await vault.core.unseal(key)
        answer = await vault.call("GET", "secret/data/s1")
        assert (answer.status, "is damaged or was moved" in str(answer.body)) == (500, True)


async def test_a_server_on_a_damaged_storage_does_not_start_and_names_the_file(written: tuple[Path, bytes, str], tmp_path: Path):
    folder, _, _ = written
    log = max(folder.glob("*.log"))
    log.write_bytes(log.read_bytes()[:-7])
    server = VaultProcess(tmp_path / "server", filesystem(folder), "")
    with pytest.raises(AssertionError):
        server.start()
    said = server.log.read_text()
    assert log.name in said
    assert "Traceback" not in said
    assert server.process is not None
    assert server.process.wait() != 0

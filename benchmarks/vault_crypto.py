"""p99 of the vault's cryptographic operations over its API in process, of each backend: classical and post-quantum."""

import asyncio
import base64
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Benchmark, NotMeasuredError, Sample
from benchmarks.vault_servers import ROOT

if TYPE_CHECKING:
    from svault.crypto.base import CryptoBackend

BLOCKS, CALLS = 3, 200
_TEXT = base64.b64encode(os.urandom(256)).decode()
_Ask = Callable[[str, dict[str, Any]], Awaitable[Any]]
CLASSICAL = {
    "aes256-gcm96": ("encrypt", "decrypt"),
    "chacha20-poly1305": ("encrypt", "decrypt"),
    "rsa-2048": ("sign", "verify", "encrypt", "decrypt"),
    "ecdsa-p256": ("keys", "sign", "verify"),
    "ed25519": ("keys", "sign", "verify"),
}
POST_QUANTUM = {"ml-dsa-65": ("keys", "sign", "verify"), "ml-kem-768": ("keys", "encrypt", "decrypt")}
"""Types of transit keys, and what is done with each; `keys` makes one."""
NATIVE = ("openssl", "aws-lc", "rustcrypto")


async def _p99s(backend: "CryptoBackend", kinds: Mapping[str, tuple[str, ...]]) -> dict[str, list[float]]:
    """Milliseconds by operation, of each block of calls."""
    from svault.core.call import Call
    from svault.core.core import Core
    from svault.core.mount_entry import MountEntry
    from svault.core.settings import CoreSettings
    from svault.storage.memory import MemoryStorage

    core = Core(MemoryStorage(), crypto=backend, settings=CoreSettings(mounts=(MountEntry("transit/", "transit"),)))
    await core.open()
    shares, root = await core.initialize(1, 1)
    await core.unseal(shares[0])

    async def ask(path: str, data: dict[str, Any]) -> Any:
        answer = await core.handle(Call("POST", f"transit/{path}", data, root, remote_address="127.0.0.1"))
        if answer.status >= 300:
            raise NotMeasuredError(f"transit/{path} was answered with {answer.status}")
        return (answer.body or {}).get("data")

    found: dict[str, list[float]] = {}
    for kind in kinds:
        await ask(f"keys/{kind}", {"type": kind})
    for block in range(BLOCKS):
        for kind, operations in kinds.items():
            for operation in operations:
                name = f"{kind} {'generate' if operation == 'keys' else operation}"
                found.setdefault(name, []).append(await _p99(ask, kind, operation, block))
    await core.aclose()
    return found


async def _p99(ask: _Ask, kind: str, operation: str, block: int) -> float:
    data = await _body(ask, kind, operation)
    times = []
    for turn in range(CALLS):
        path = f"keys/{kind}-{block}-{turn}" if operation == "keys" else f"{operation}/{kind}"
        started = time.perf_counter()
        await ask(path, data)
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times)[CALLS * 99 // 100]


async def _body(ask: _Ask, kind: str, operation: str) -> dict[str, Any]:
    match operation:
        case "keys":
            return {"type": kind}
        case "decrypt":
            return {"ciphertext": (await ask(f"encrypt/{kind}", {"plaintext": _TEXT[:64]}))["ciphertext"]}
        case "verify":
            return {"input": _TEXT, "signature": (await ask(f"sign/{kind}", {"input": _TEXT}))["signature"]}
        case "encrypt":
            return {"plaintext": _TEXT[:64]}
    return {"input": _TEXT}


@cache
def _libcrypto() -> str:
    """AWS-LC's library as the tests build it. Raises NotMeasuredError."""
    code = "import awslc; found = awslc._libcrypto(); print(found if not isinstance(found, str) else 'no ' + found)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": "."},
    )
    said = (done.stdout.strip().splitlines() or ["no AWS-LC could be built"])[-1]
    if done.returncode != 0 or said.startswith("no "):
        raise NotMeasuredError(said.removeprefix("no "))
    return said


def backend_of(name: str) -> "CryptoBackend":
    """A backend of this machine. Raises NotMeasuredError."""
    from svault.crypto.choice import backend
    from svault.crypto.unavailable import BackendUnavailableError

    try:
        return backend(name, libcrypto=_libcrypto() if name == "aws-lc" else None)
    except BackendUnavailableError as error:
        raise NotMeasuredError(error.message) from error


def slowest(name: str, kinds: Mapping[str, tuple[str, ...]]) -> Sample:
    """The p99 of the slowest operation, of each block of calls."""
    found = asyncio.run(_p99s(backend_of(name), kinds))
    told = ", ".join(f"{operation} {statistics.median(values):.2f}" for operation, values in found.items())
    values = [max(block) for block in zip(*found.values(), strict=True)]
    return Sample(values, f"p99 of {CALLS} calls over the API in process, the slowest of: {told}")


BENCHMARKS = (
    Benchmark("vault-classical", "vault: p99 of classical operations", "ms", partial(slowest, "openssl", CLASSICAL), 10),
    *(
        Benchmark(
            f"vault-pq-{name}", f"vault: p99 of post-quantum operations, {name}", "ms", partial(slowest, name, POST_QUANTUM), 20
        )
        for name in NATIVE
    ),
    Benchmark(
        "vault-pq-wasm", "vault: p99 of post-quantum operations, liboqs in wasm", "ms", partial(slowest, "oqs", POST_QUANTUM)
    ),
)

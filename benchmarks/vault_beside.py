"""The vault beside OpenBao 2.7.2 on the same machine: the same requests, 16 connections, file audit on, in turns.

OpenBao on raft, ours on the filesystem storage, both with fsync; then inmem and memory. A value of a row is one pair of loads.
"""

import base64
import json
import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks.measure import Benchmark, Sample
from benchmarks.server import workspace
from benchmarks.vault_load import ALL_KEYS, CONNECTIONS, Load, Plan, run
from benchmarks.vault_servers import VaultProcess, openbao, ours

GOAL = 1.5
ROUNDS, SECONDS = 2, 1.5
MEMORY_ROUNDS, MEMORY_SECONDS = 1, 1.0
READ_KEYS = 1000
_TEXT = base64.b64encode(os.urandom(256)).decode()
_SECRET = {"data": {"username": "app", "password": "correct-horse-battery"}}
KEYS = {"aes": "aes256-gcm96", "ecdsa": "ecdsa-p256", "ed25519": "ed25519"}
"""Transit keys by name, and their types."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked: one request, over and over. In a path `{}` is the number of the request."""

    name: str
    title: str
    method: str
    path: str
    body: str = ""


WRITE = Work("kv-write", "KV v2 writes of new keys", "POST", "secret/data/load/{}", json.dumps(_SECRET))
READ = Work("kv-read", "KV v2 reads", "GET", "secret/data/load/{}")
ENCRYPT = Work("encrypt", "transit encrypt, aes256-gcm96", "POST", "transit/encrypt/aes", json.dumps({"plaintext": _TEXT}))
SIGNS = tuple(
    Work(f"sign-{name}", f"transit sign, {KEYS[name]}", "POST", f"transit/sign/{name}", json.dumps({"input": _TEXT}))
    for name in ("ecdsa", "ed25519")
)
EVERY = (WRITE, READ, ENCRYPT, *SIGNS)
"""Writes first: what they wrote is read."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two loads of the same work, one right after the other."""

    ours: Load
    theirs: Load


class _Loaded:
    """A vault, and how many keys were written to it."""

    def __init__(self, vault: VaultProcess) -> None:
        self.vault = vault
        self._written = 0
        for name, kind in KEYS.items():
            vault.ask("POST", f"transit/keys/{name}", {"type": kind})

    def load(self, work: Work, seconds: float) -> Load:
        plan = Plan(
            self.vault.port,
            self.vault.token,
            work.method,
            work.path,
            work.body,
            first=self._written if work is WRITE else 0,
            keys=min(READ_KEYS, self._written) if work is READ else ALL_KEYS,
            seconds=seconds,
        )
        found = run(plan)
        self._written += found.sent if work is WRITE else 0
        return found


def _session(*, is_durable: bool, rounds: int, seconds: float) -> dict[str, list[Pair]]:
    """Every work, as often as `rounds` says, by whichever vault was second the time before."""
    with workspace() as folder, ExitStack() as running:
        pair = [_entered(running, make, folder / name, is_durable) for name, make in (("ours", ours), ("theirs", openbao))]
        found: dict[str, list[Pair]] = {work.name: [] for work in EVERY}
        for work in EVERY:
            for turn in range(rounds):
                order = pair if turn % 2 == 0 else pair[::-1]
                loads = {loaded.vault.name: loaded.load(work, seconds) for loaded in order}
                found[work.name].append(Pair(*(loads[loaded.vault.name] for loaded in pair)))
        return found


def _entered(
    running: ExitStack, make: Callable[..., AbstractContextManager[VaultProcess]], folder: Path, is_durable: bool
) -> _Loaded:
    return _Loaded(running.enter_context(make(folder, is_durable=is_durable)))


@cache
def durable() -> dict[str, list[Pair]]:
    """The loads with fsync, measured once for all rows."""
    return _session(is_durable=True, rounds=ROUNDS, seconds=SECONDS)


def faster(name: str) -> Sample:
    """Requests a second of ours over OpenBao's."""
    pairs = durable()[name]
    return Sample([_ratio(pair) for pair in pairs], _told(pairs))


def _ratio(pair: Pair) -> float:
    return pair.ours.per_second / pair.theirs.per_second


def _told(pairs: Sequence[Pair]) -> str:
    def figures(loads: Sequence[Load]) -> str:
        rate, p50, p99 = (
            statistics.median(values) for values in zip(*((x.per_second, x.p50, x.p99) for x in loads), strict=True)
        )
        return f"{rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms"

    return f"ours {figures([pair.ours for pair in pairs])}; OpenBao 2.7.2 on raft {figures([pair.theirs for pair in pairs])}"


def latency() -> Sample:
    """p99 of OpenBao over ours, of every work."""
    pairs = {name: found for name, found in durable().items() if found}
    values = [statistics.median(pair.theirs.p99 / pair.ours.p99 for pair in found) for found in pairs.values()]
    return Sample(values, f"OpenBao 2.7.2's p99 over ours: {', '.join(pairs)}")


def in_memory() -> Sample:
    """Requests a second of ours over OpenBao's, of every work, without a disk below the storage."""
    found = _session(is_durable=False, rounds=MEMORY_ROUNDS, seconds=MEMORY_SECONDS)
    values = [statistics.median(map(_ratio, pairs)) for pairs in found.values()]
    told = ", ".join(f"{name} {value:.2f}" for name, value in zip(found, values, strict=True))
    return Sample(values, f"memory beside OpenBao 2.7.2's inmem, file audit on: {told}")


BENCHMARKS = (
    *(
        Benchmark(
            f"vault-{work.name}",
            f"vault: {work.title}, {CONNECTIONS} connections, beside OpenBao 2.7.2",
            "x",
            partial(faster, work.name),
            GOAL,
            at_least=True,
        )
        for work in EVERY
    ),
    Benchmark("vault-p99", "vault: p99 of these, beside OpenBao 2.7.2", "x", latency, GOAL, at_least=True),
    Benchmark("vault-memory-storage", "vault: the same on memory storage, beside OpenBao 2.7.2", "x", in_memory),
)

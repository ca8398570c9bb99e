"""The vault's own limits: start, restart with many secrets, the time of a policy decision, and memory under load."""

import asyncio
import json
import time
from typing import Any

from benchmarks.measure import Benchmark, NotMeasuredError, Sample, milliseconds_async
from benchmarks.server import workspace
from benchmarks.vault_beside import ENCRYPT, KEYS, READ, SIGNS, WRITE, Work
from benchmarks.vault_load import Plan, run
from benchmarks.vault_servers import VaultProcess, ours

SECRETS = 10_000
RESTARTS = 3
STARTS = 5
ACL_POLICIES, RULES, CEDAR_POLICIES = 10, 20, 200
DECISIONS = 200
WARM_UP, REQUESTS = 20_000, 100_000
REWRITTEN = 50
"""Keys that the mixed load writes again and again: ten versions of each stay."""


def ready() -> Sample:
    """From the start of a new server's process to its first answer."""
    values = []
    with workspace() as folder, ours(folder / "vault") as vault:
        for _ in range(STARTS):
            vault.stop()
            started = time.perf_counter()
            vault.start()
            vault.wait()
            vault.ask("GET", "sys/seal-status")
            values.append((time.perf_counter() - started) * 1000)
    return Sample(values, "`svault server --config`: process start to the answer of sys/seal-status, sealed")


def restart() -> Sample:
    """From the start of the process to the value of a secret, unsealing between."""
    values = []
    with workspace() as folder, ours(folder / "vault") as vault:
        run(Plan(vault.port, vault.token, WRITE.method, WRITE.path, WRITE.body, requests=SECRETS))
        last = WRITE.path.format(f"{SECRETS - 1:08d}")
        for _ in range(RESTARTS):
            vault.stop()
            started = time.perf_counter()
            vault.start()
            vault.wait()
            vault.unseal()
            if vault.ask("GET", last)["data"]["data"] != json.loads(WRITE.body)["data"]:
                raise NotMeasuredError("a secret is not what was written")
            values.append(time.perf_counter() - started)
    return Sample(values, f"{SECRETS:,} secrets on the filesystem, file audit; process start to the value of one of them")


def _sent(vault: VaultProcess, work: Work, count: int) -> None:
    run(Plan(vault.port, vault.token, work.method, work.path, work.body, keys=REWRITTEN, requests=count))


def growth() -> Sample:
    """How much the server's memory grows over many requests, after enough to have filled what it keeps."""
    works = (WRITE, READ, ENCRYPT, *SIGNS)
    with workspace() as folder, ours(folder / "vault") as vault:
        for name, kind in KEYS.items():
            vault.ask("POST", f"transit/keys/{name}", {"type": kind})
        for work in works:
            _sent(vault, work, WARM_UP // len(works))
        before = vault.resident_bytes()
        for work in works:
            _sent(vault, work, REQUESTS // len(works))
        after = vault.resident_bytes()
    note = f"RSS {before / 1e6:.1f} MB after {WARM_UP:,} requests, {after / 1e6:.1f} MB after {REQUESTS:,} more of five kinds"
    return Sample([(after - before) / 1e6], note)


async def _decided(*, has_cedar: bool) -> list[float]:
    """Milliseconds of one decision: a mean of DECISIONS each, of paths that differ."""
    from svault.core.call import Call
    from svault.core.core import Core
    from svault.core.mount_entry import MountEntry
    from svault.core.settings import CoreSettings
    from svault.crypto.choice import backend
    from svault.logical.request import Operation, Request
    from svault.storage.memory import MemoryStorage

    settings = CoreSettings(mounts=(MountEntry("secret/", "kv", options={"version": "2"}),))
    core = Core(MemoryStorage(), crypto=backend("openssl"), settings=settings)
    await core.open()
    shares, root = await core.initialize(1, 1)
    await core.unseal(shares[0])

    async def ask(path: str, data: dict[str, Any]) -> Any:
        answer = await core.handle(Call("POST", path, data, root, remote_address="127.0.0.1"))
        if answer.status >= 300:
            raise NotMeasuredError(f"{path} was answered with {answer.status}")
        return answer.body

    for number in range(ACL_POLICIES):
        rules = (
            f'path "secret/data/team-{number}/+/app-{rule}/*" {{ capabilities = ["read", "update"] }}' for rule in range(RULES)
        )
        await ask(f"sys/policies/acl/team-{number}", {"policy": "\n".join(rules)})
    for number in range(CEDAR_POLICIES if has_cedar else 0):
        place = f'resource in Vault::Path::"secret/data/team-{number}/"'
        text = f'permit(principal, action == Vault::Action::"read", {place});'
        await ask(f"sys/policies/cedar/team-{number}", {"policy": text})
    made = await ask("auth/token/create", {"policies": [f"team-{number}" for number in range(ACL_POLICIES)]})
    active = core.running()
    token = await active.tokens.find(made["auth"]["client_token"])
    mounted = active.mounts.at("secret/")
    if token is None or mounted is None:
        raise NotMeasuredError("the token or the mount is not there")
    paths = [f"data/team-{turn % ACL_POLICIES}/west/app-{turn % RULES}/password-{turn}" for turn in range(DECISIONS)]

    async def decide() -> None:
        for path in paths:
            request = Request(Operation.READ, path, remote_address="127.0.0.1", mount_path="secret/")
            grant = await active.authorizer.grant(request, f"secret/{path}", mounted, token)
            if not grant.is_allowed:
                raise NotMeasuredError(f"{path} was denied: {grant.why}")

    values = await milliseconds_async(decide, runs=15, warm_up=2)
    await core.aclose()
    return [value * 1000 / DECISIONS for value in values]


def acl() -> Sample:
    """A decision by ACL policies."""
    rules = ACL_POLICIES * RULES
    return Sample(
        asyncio.run(_decided(has_cedar=False)), f"{ACL_POLICIES} policies of a token, {rules} globs; mean of {DECISIONS}"
    )


def cedar() -> Sample:
    """A decision by ACL and Cedar policies."""
    return Sample(asyncio.run(_decided(has_cedar=True)), f"the same, and {CEDAR_POLICIES} Cedar policies; mean of {DECISIONS}")


BENCHMARKS = (
    Benchmark("vault-ready", "vault: time to ready of `svault server`", "ms", ready, 1000),
    Benchmark("vault-restart", "vault: restart and unseal with 10,000 secrets", "s", restart, 2),
    Benchmark("vault-acl", "vault: a policy decision, ACL", "us", acl, 100),
    Benchmark("vault-cedar", "vault: a policy decision, ACL and 200 Cedar policies", "us", cedar, 100),
    Benchmark("vault-growth", "vault: growth of memory over 100,000 requests", "MB", growth, 5),
)

"""The main job: generate and validate, through the application's whole chain, with warm workers unless a row says otherwise."""

import asyncio
import subprocess
import sys
import time
from functools import partial

from benchmarks.measure import Benchmark, NotMeasuredError, Sample, milliseconds, milliseconds_async
from benchmarks.server import answer, application, environment, workspace

ONE_SERVER = '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }'
DESCRIPTIONS = (
    "a 3-node Kubernetes cluster with Cilium on UpCloud",
    "two m5.large web servers behind a load balancer with an encrypted PostgreSQL 16 database in us-east-1",
    "dos servidores web m5.large detrás de un balanceador con una base de datos PostgreSQL y un bucket privado en us-east-1",
    "un clúster de Kubernetes con tres nodos y una red 10.20.0.0/16 en Hetzner",
)
COLD = "import asyncio\nfrom benchmarks.configurations import first_generation\nprint(asyncio.run(first_generation()))\n"


def many_servers(count: int) -> str:
    """The Nickel text of a configuration with that many servers, each written out."""
    sizes = ("t3.micro", "t3.small", "m5.large", "m5.xlarge")
    rows = ",\n".join(
        f'    {{ name = "web-{number}", plan = "{sizes[number % len(sizes)]}", '
        f'spec = {{ disk_gb = {20 + number % 80}, os = {{ family = "ubuntu" }} }}, tags = {{ tier = "t{number % 7}" }} }}'
        for number in range(count)
    )
    return f'{{\n  provider = "aws",\n  region = "us-east-1",\n  servers = [\n{rows}\n  ],\n}}\n'


async def _validate(config: str, runs: int) -> Sample:
    async with application() as app:
        verdict = await answer(app, "validate_config", config=config)
        values = await milliseconds_async(lambda: answer(app, "validate_config", config=config), runs=runs)
    return Sample(values, f"{verdict.errors} errors, {verdict.warnings} warnings, {verdict.resources.get('server', 0)} servers")


def validate_one() -> Sample:
    """One server."""
    return asyncio.run(_validate(ONE_SERVER, 20))


def validate_thousand() -> Sample:
    """A thousand servers."""
    return asyncio.run(_validate(many_servers(1000), 5))


def validate_broken() -> Sample:
    """A thousand servers, each of which needs a finding with its place and the names that were meant."""
    return asyncio.run(_validate(many_servers(1000).replace('plan = "', 'plan = "x'), 5))


async def _generate() -> Sample:
    values: list[float] = []
    async with application() as app:
        for description in DESCRIPTIONS:
            values += await milliseconds_async(partial(answer, app, "generate_config", description=description), runs=5)
    return Sample(values, f"{len(DESCRIPTIONS)} descriptions in English and Spanish")


def generate() -> Sample:
    """Several descriptions."""
    return asyncio.run(_generate())


async def first_generation() -> float:
    """Milliseconds of the first generation of this process: it imports the models and reads the catalogues."""
    async with application() as app:
        started = time.perf_counter()
        await answer(app, "generate_config", description=DESCRIPTIONS[0])
        return (time.perf_counter() - started) * 1000


def generate_first() -> Sample:
    """The first call in each of some fresh processes."""
    values = []
    with workspace() as folder:
        for _ in range(5):
            done = subprocess.run(
                [sys.executable, "-c", COLD], env=environment(folder), capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise NotMeasuredError((done.stderr.strip().splitlines() or ["the process failed"])[-1])
            values.append(float(done.stdout))
    return Sample(values, "first call of a fresh process, workers warm")


def form() -> Sample:
    """One server through the models alone."""
    from prov_gen.model.infrastructure import InfrastructureConfig

    stated = {"provider": "aws", "servers": [{"name": "web", "plan": "t3.micro", "tags": {"tier": "web"}}]}
    values = milliseconds(lambda: InfrastructureConfig.model_validate(stated), runs=20, repeat=50)
    return Sample(values, "InfrastructureConfig.model_validate; a run is the mean of 50")


async def _worker() -> Sample:
    from prov_gen.nickel import Nickel

    values = []
    for turn in range(6):
        nickel = Nickel(size=1)
        try:
            started = time.perf_counter()
            await nickel.warm(wait=True)
            if turn:
                values.append((time.perf_counter() - started) * 1000)
        finally:
            await nickel.aclose()
    return Sample(values, "process, sandbox and evaluator, until it takes jobs")


def worker() -> Sample:
    """One worker from nothing."""
    return asyncio.run(_worker())


BENCHMARKS = (
    Benchmark("validate", "validate_config, one server", "ms", validate_one, 150),
    Benchmark("validate-1000", "validate_config, 1,000 servers", "ms", validate_thousand, 3000),
    Benchmark("validate-1000-broken", "validate_config, 1,000 servers with 1,000 findings", "ms", validate_broken, 3000),
    Benchmark("generate", "generate_config", "ms", generate, 500),
    Benchmark("generate-first", "generate_config, first call", "ms", generate_first),
    Benchmark("form", "form validation of one server", "ms", form, 1),
    Benchmark("worker", "start of a Nickel worker", "ms", worker),
)

"""Price, judge, compare: each through the application's whole chain, evaluation of the text included."""

import asyncio
import json
from typing import Any

from benchmarks.measure import Benchmark, Sample, milliseconds_async
from benchmarks.server import answer, application
from benchmarks.tokens import count

RESOURCES = 1000
"""In a configuration of every common kind."""

PLANS = ("t3.micro", "t3.large", "m5.large", "m5.4xlarge", "c6i.xlarge", "r5.large")


def mixed(count: int, *, changed: bool = False) -> str:
    """The Nickel text of a configuration with that many resources; `changed` differs in one of ten."""
    from prov_gen.nickel.literal import nickel_literal

    rows: dict[str, list[dict[str, Any]]] = {}
    for number in range(count):
        field, made = _resource(number)
        if changed and number % 10 == 0:
            made = {**made, **_change(field)}
        if not (changed and number % 50 == 1):
            rows.setdefault(field, []).append(made)
    return nickel_literal({"provider": "aws", "region": "us-east-1", "networking": {"nat": "single"}, **rows})


def _resource(number: int) -> tuple[str, dict[str, Any]]:
    name = f"r-{number}"
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("servers", {"name": name, "plan": PLANS[number % len(PLANS)], "spec": {"disk_gb": 20 + number % 80}}),
        ("volumes", {"name": name, "size_gb": 10 + number % 900, "type": ("gp2", "gp3", "ssd")[number % 3]}),
        ("servers", {"name": name, "spec": {"cpu": 2 + number % 6}, "networking": {"public_ip": number % 20 == 0}}),
        ("buckets", {"name": name, "versioning": number % 4 != 0, "size_gb": float(number)}),
        ("databases", {"name": name, "storage_gb": 20 + number % 100, "multi_az": number % 2 == 0}),
        ("security_groups", {"name": name, "rules": [{"from_port": 443, "cidrs": ["10.0.0.0/8"], "description": "clients"}]}),
        ("load_balancers", {"name": name, "listeners": [{"port": 443, "target_port": 8080}]}),
        ("queues", {"name": name, "encrypted": number % 3 != 0}),
        ("kms_keys", {"name": name}),
        ("log_groups", {"name": name, "retention_days": 30 + number % 400}),
    )  # fmt: skip
    return kinds[number % len(kinds)]


def _change(field: str) -> dict[str, Any]:
    return {"plan": "m6i.large"} if field == "servers" else {"tags": {"changed": "yes"}}


async def _called(tool: str, **arguments: Any) -> Sample:
    async with application() as app:
        found = await answer(app, tool, **arguments)
        values = await milliseconds_async(lambda: answer(app, tool, **arguments), runs=5)
    return Sample(values, f"{RESOURCES:,} resources of ten kinds; {_note(found)}")


def _note(found: Any) -> str:
    if hasattr(found, "totals"):
        return f"{found.totals[0].monthly:,.2f} {found.totals[0].currency} a month"
    return str(found.summary)


def estimate() -> Sample:
    """A thousand resources priced."""
    return asyncio.run(_called("estimate_cost", config=mixed(RESOURCES)))


def compliance() -> Sample:
    """A thousand resources judged by one framework."""
    return asyncio.run(_called("check_compliance", config=mixed(RESOURCES), framework="pci"))


def migration() -> Sample:
    """Two configurations of a thousand resources compared, priced and judged."""
    return asyncio.run(_called("plan_migration", current=mixed(RESOURCES), target=mixed(RESOURCES, changed=True)))


def review() -> Sample:
    """Everything about a thousand resources."""
    return asyncio.run(_called("review_config", config=mixed(RESOURCES)))


async def _review_size() -> Sample:
    values = []
    async with application() as app:
        for size in (1, 10, 100, RESOURCES):
            found = await answer(app, "review_config", config=mixed(size))
            text = json.dumps(found.model_dump(mode="json", exclude_none=True), separators=(",", ":"), ensure_ascii=False)
            values.append(float(count(text)))
    return Sample(values, "answers about 1, 10, 100 and 1,000 resources (o200k tokens, compact JSON)")


def review_size() -> Sample:
    """The answers that an assistant reads."""
    return asyncio.run(_review_size())


BENCHMARKS = (
    Benchmark("estimate-1000", "estimate_cost, 1,000 resources", "ms", estimate, 1000),
    Benchmark("compliance-1000", "check_compliance, 1,000 resources", "ms", compliance, 1000),
    Benchmark("migration-1000", "plan_migration, 1,000 and 1,000 resources", "ms", migration, 2000),
    Benchmark("review-1000", "review_config, 1,000 resources", "ms", review),
    Benchmark("review-tokens", "answer of review_config", "tokens", review_size, 600, inclusive=True),
)

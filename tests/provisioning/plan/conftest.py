"""What plans are made from in tests: configurations, records, a vault that seals."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.provisioning.workflow.world import Vault

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.things import things
from provisioning.plan.make import Maker, Wish, make_plan
from provisioning.plan.model import Plan
from provisioning.plan.steps import wanted_of
from provisioning.resource import Recorded
from provisioning.secrets import seal_values
from provisioning.state.model import Head

LINEAGE = "11111111-2222-3333-4444-555555555555"
KINDS = frozenset({"vpc", "subnet", "security_group", "server", "volume", "bucket", "database", "nat"})
MAKERS = {"aws": Maker("1", KINDS), "local": Maker("3", frozenset({"server", "vpc"}))}
SHOP = {
    "provider": "aws",
    "region": "eu-west-1",
    "networking": {"name": "shop", "subnets": [{"name": "public", "cidr": "10.0.1.0/24", "tier": "public"}]},
    "servers": [{"name": "web", "plan": "t3.micro", "networking": {"subnet": "public"}}],
    "databases": [
        {"name": "orders", "plan": "db.t3.medium", "password": "vault:secret/orders#password", "deletion_protection": False}
    ],
}

Make = Callable[..., Plan]


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def make(vault: Vault) -> Make:
    """Makes a plan from JSON values (None destroys) and what is recorded."""

    def made(config: dict[str, Any] | None, resources: Sequence[Recorded] = (), *, serial: int = 0, **more: Any) -> Plan:
        wish = Wish(
            kind="apply" if config is not None else "destroy",
            title="a test",
            head=Head(LINEAGE, serial, "h"),
            resources=resources,
            makers=MAKERS,
            config=None if config is None else InfrastructureConfig.model_validate(config),
            now=time.time(),
            today=date(2026, 11, 23),
            by="ana",
        )
        return asyncio.run(make_plan(replace(wish, **more), vault))

    return made


@pytest.fixture
def recorded(vault: Vault) -> Callable[[dict[str, Any]], list[Recorded]]:
    """What the state has after a configuration was applied."""

    def found(values: dict[str, Any]) -> list[Recorded]:
        config = InfrastructureConfig.model_validate(values)
        return [
            asyncio.run(_row(wanted_of(thing, config), vault))
            for thing in things(config).values()
            if thing.kind in KINDS and thing.provider in MAKERS
        ]

    return found


async def _row(shape: dict[str, Any], vault: Vault) -> Recorded:
    context = f"{LINEAGE}/{shape['address']}"
    return Recorded(
        address=shape["address"],
        kind=shape["kind"],
        provider=shape["provider"],
        region=shape["region"],
        id=f"id-{shape['name']}",
        values=await seal_values(shape["values"], vault, context),
        record=await seal_values(shape["record"], vault, f"{context}/record"),
        model=shape["model"],
        path=tuple(shape["path"]),
        names=tuple((field, target) for field, target in shape["names"]),
        status="running",
    )


@pytest.fixture(scope="session")
def price_book() -> Any:
    from prov_judge.prices.book import PriceBook

    return PriceBook.shipped()

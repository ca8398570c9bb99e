"""Waiting for an operation, or for a step of it, to be at some point."""

import asyncio

from provisioning.plan.model import RetryPolicy

from .world import LIMIT, World

PATIENT = RetryPolicy(max_retries=3, initial_delay_ms=60_000)


async def until(here: World, operation: str, status: str) -> None:
    """Wait until an operation is like that."""
    async with asyncio.timeout(LIMIT):
        async for event in here.control.follow(operation):
            if event.state.operation.status == status:
                return


async def until_waiting(here: World, operation: str, address: str) -> None:
    """Wait until a step waits for its next attempt."""
    async with asyncio.timeout(LIMIT):
        async for event in here.control.follow(operation):
            if event.step and event.step.address == address and event.step.status == "waiting":
                return

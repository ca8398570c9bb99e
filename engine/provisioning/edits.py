"""Putting the state right by hand: recording what exists, renaming, forgetting. Each under the lease; no machine is changed.

While an operation that was begun has not ended they raise ConflictError.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.things import things
from prov_judge.migration.words import value
from provisioning.drift import differences
from provisioning.plan.steps import wanted_of
from provisioning.providers.base import Provider
from provisioning.resource import Recorded
from provisioning.secrets import Secrets, reseal_values, seal_values
from provisioning.state.holder import this_process
from provisioning.state.model import Head, Lease
from provisioning.state.store import StateStore, Write
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was recorded, and in which words it differs from its configuration."""

    serial: int
    differs: tuple[str, ...]


class Edits:
    """The edits of one state. `provider` opens an account by name."""

    def __init__(self, store: StateStore, secrets: Secrets, provider: Callable[[str], Awaitable[Provider]]) -> None:
        self._store = store
        self._secrets = secrets
        self._provider = provider

    async def adopt(self, address: str, id: str, config: InfrastructureConfig, *, by: str) -> Adopted:  # noqa: A002 - the provider's word
        """Record what exists under an id as a resource of a configuration.

        Raises NotFoundError (no such address, nothing under that id), ConflictError (recorded already, an operation has not
        ended), StateLockedError.
        """
        thing = things(config).get(address)
        if thing is None:
            raise NotFoundError(f"the configuration describes no {address}", hint="`prov state import` wants its address there")
        if not thing.provider:
            raise InvalidInputError(f"{address} is at no provider", hint="only what a provider makes can be recorded")
        head, known = await asyncio.to_thread(self._store.moment)
        _require_new(address, id, known)
        shape = wanted_of(thing, config)
        context = f"{head.lineage}/{address}"
        one = Recorded(
            address=address,
            kind=thing.kind,
            provider=thing.provider,
            region=shape["region"],
            id=id,
            values=await seal_values(shape["values"], self._secrets, context),
            record=await seal_values(shape["record"], self._secrets, f"{context}/record"),
            model=shape["model"],
            path=thing.item.path,
            names=thing.names,
        )
        provider = await self._provider(thing.provider)
        found = await asyncio.to_thread(provider.read, one)
        if found is None:
            raise NotFoundError(f"there is no {thing.kind} {id} at {thing.provider}", hint="check the id and the region")
        differing = differences(one, found)
        whole = replace(
            one,
            outputs=dict(found.outputs),
            parts=dict(found.parts),
            status=found.status,
            checked_at=time.time(),
            observed={leaf.path: leaf.seen for leaf in differing},
        )
        async with self._leased() as lease:
            made = await asyncio.to_thread(self._store.put, whole, Write(lease, by=by, reason=f"import {id}"))
        words = (
            f"{leaf.path}: {value(leaf.path, leaf.recorded)} is described, {value(leaf.path, leaf.seen)} is there"
            for leaf in differing
        )
        return Adopted(made.serial, tuple(words))

    async def move(self, source: str, target: str, *, by: str) -> Head:
        """Give a resource another address. Raises NotFoundError, ConflictError (taken), InvalidInputError (another kind)."""
        one = await asyncio.to_thread(self._store.resource, source)
        if target.partition(".")[0] != one.kind or not target.partition(".")[2]:
            raise InvalidInputError(
                f"{source} is a {one.kind}, so {target!r} cannot be its address", hint=f"write {one.kind}.NAME"
            )
        head = await asyncio.to_thread(self._store.head)
        old, new = f"{head.lineage}/{source}", f"{head.lineage}/{target}"
        renamed = replace(
            one,
            address=target,
            # A sealed leaf opens only where it was sealed.
            values=await self._resealed(one.values, old, new),
            record=await self._resealed(one.record, f"{old}/record", f"{new}/record"),
            outputs=await self._resealed(one.outputs, f"{old}/outputs", f"{new}/outputs"),
        )
        async with self._leased() as lease:
            known = {other.address for other in await asyncio.to_thread(self._store.resources)}
            if target in known:
                raise ConflictError(f"{target} is recorded already", hint="`prov state rm` forgets it")
            write = Write(lease, by=by, reason=f"rename {source}")
            return await asyncio.to_thread(self._store.put_all, [renamed], [source], write)

    async def forget(self, address: str, *, by: str) -> Head:
        """Record a resource no longer. Raises NotFoundError, StateLockedError."""
        async with self._leased() as lease:
            return await asyncio.to_thread(self._store.remove, address, Write(lease, by=by, reason="forget"))

    async def _resealed(self, values: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
        return await reseal_values(values, self._secrets, old, new)

    def _require_nothing_begun(self) -> None:
        """What was begun goes on with what was approved: nobody may put something else under its addresses meanwhile."""
        for one in self._store.operations(is_open=True):
            if one.started_at or one.status in {"running", "rolling_back"}:
                raise ConflictError(
                    f"{one.id} was begun and has not ended ({one.status}): the state cannot be edited",
                    hint=f"prov workflow resume {one.id}, or prov workflow cancel {one.id}",
                )

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[Lease]:
        lease = await asyncio.to_thread(self._store.acquire, this_process(), f"edit-{uuid.uuid4().hex[:12]}")
        try:
            await asyncio.to_thread(self._require_nothing_begun)
            yield lease
        finally:
            await asyncio.to_thread(self._store.release, lease)


def _require_new(address: str, id: str, known: list[Recorded]) -> None:  # noqa: A002 - as above
    for one in known:
        if one.address == address:
            raise ConflictError(f"{address} is recorded already, as {one.id}", hint="`prov state rm` forgets it")
        if one.id == id:
            raise ConflictError(f"{id} is recorded already, as {one.address}", hint="`prov state mv` renames it")

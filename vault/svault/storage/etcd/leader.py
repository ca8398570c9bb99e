"""The leader's lock: a key that is bound to a lease. Its create revision is the fencing token."""

import asyncio
import contextlib
import math
from typing import Any

from aetcd import rpc  # type: ignore[import-untyped] # aetcd ships no types

from svault.errors import StorageError
from svault.storage.etcd.cluster import Endpoint, EtcdCluster, Metadata


class EtcdLeaderLock:
    """A `leadership.LeaderLock`. etcd counts leases in whole seconds, and at least its own election time (2 s by default).

    `fence` is the lock's key and the revision at which this server created it: None before the first leadership.
    """

    def __init__(self, cluster: EtcdCluster, key: bytes, *, lease: float) -> None:
        self._cluster = cluster
        self._key = key
        self._seconds = math.ceil(lease)
        self._lease = 0
        self._seen = 0
        self.fence: tuple[bytes, int] | None = None

    async def acquire(self, advertise: str) -> bool:
        """Take the lock when it is free. Raises StorageError."""
        if await self._find() is not None:
            return False
        request = rpc.LeaseGrantRequest(TTL=self._seconds)
        granted = await self._cluster.ask(lambda at, meta, limit: at.lease.LeaseGrant(request, metadata=meta, timeout=limit))
        txn = rpc.TxnRequest(
            compare=[rpc.Compare(target=rpc.Compare.CREATE, key=self._key, create_revision=0)],
            success=[rpc.RequestOp(request_put=rpc.PutRequest(key=self._key, value=advertise.encode(), lease=granted.ID))],
        )
        answer = await self._cluster.tell(lambda at, meta, limit: at.kv.Txn(txn, metadata=meta, timeout=limit))
        if not answer.succeeded:
            self._seen = answer.header.revision
            await self._revoke(granted.ID)
            return False
        self._lease, self.fence = granted.ID, (self._key, answer.header.revision)
        return True

    async def renew(self) -> bool:
        """Start the lease anew; False when it has run out, or when the key is not ours. Raises StorageError."""
        answer = await self._cluster.ask(self._keep_alive)
        found = await self._find() if answer.TTL > 0 else None
        return found is not None and (self._key, found.create_revision) == self.fence

    async def _keep_alive(self, at: Endpoint, metadata: Metadata, limit: float) -> Any:
        call = at.lease.LeaseKeepAlive(metadata=metadata, timeout=limit)
        try:
            await call.write(rpc.LeaseKeepAliveRequest(ID=self._lease))
            async for answer in call:
                return answer
            raise StorageError("etcd ended the renewal of the lease without an answer")
        finally:
            call.cancel()

    async def release(self) -> None:
        """Give the lease back: the key goes with it. Raises StorageError."""
        await self._revoke(self._lease)

    async def _revoke(self, lease: int) -> None:
        request = rpc.LeaseRevokeRequest(ID=lease)
        await self._cluster.ask(lambda at, meta, limit: at.lease.LeaseRevoke(request, metadata=meta, timeout=limit))

    async def holder(self) -> str | None:
        """The address of the holder. Raises StorageError."""
        found = await self._find()
        return found.value.decode() if found is not None else None

    async def _find(self) -> Any:
        request = rpc.RangeRequest(key=self._key)
        answer = await self._cluster.ask(lambda at, meta, limit: at.kv.Range(request, metadata=meta, timeout=limit))
        self._seen = answer.header.revision
        return answer.kvs[0] if answer.kvs else None

    async def changed(self, limit: float) -> None:
        """Wait until the key is deleted, at most `limit` seconds. Raises StorageError."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._cluster.ask(self._watch)

    async def _watch(self, at: Endpoint, metadata: Metadata, _: float) -> Any:
        # From the revision behind the one at which the key was seen: what happened in between is told too.
        creation = rpc.WatchCreateRequest(key=self._key, start_revision=self._seen + 1, filters=[rpc.WatchCreateRequest.NOPUT])
        call = at.watch.Watch(metadata=metadata)
        try:
            await call.write(rpc.WatchRequest(create_request=creation))
            async for answer in call:
                if answer.events or answer.canceled:
                    return answer
            raise StorageError("etcd ended the watch of the leader's lock")
        finally:
            call.cancel()

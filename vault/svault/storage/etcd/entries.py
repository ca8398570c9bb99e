"""The entries: a key each under a prefix, whose `mod_revision` is the version; a commit is one transaction."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aetcd import rpc  # type: ignore[import-untyped] # aetcd ships no types

from svault.errors import StorageError
from svault.storage.base import CommitConflictError, Election, Entry, Write
from svault.storage.etcd.cluster import EtcdCluster, UnknownOutcomeError
from svault.storage.etcd.leader import EtcdLeaderLock
from svault.storage.etcd.transactions import commit_request
from svault.storage.leadership import LEASE, LeasedElection

PAGE = 1000
"""Keys asked for at a time by a list."""

REQUEST_LIMIT = 3 << 19
"""Bytes: etcd's default of `--max-request-bytes`."""


class EtcdStorage:
    """A `base.SharedStorage` in an etcd cluster (3.4 or later).

    `endpoints` are `http://HOST:PORT` or `https://HOST:PORT`. With https, `ca_cert` verifies the servers (without it: gRPC's own
    public authorities), `client_cert` and `client_key` are shown to them. All entries are under `prefix`. `timeout` is for
    an operation, `lease` the time after which another server takes over from a leader that died; both in seconds.

    etcd itself bounds a commit: 1.5 MiB of values and keys (`--max-request-bytes`) and the number of writes (see `transactions`).
    What is larger is refused with StorageError, and nothing of it is written. etcd keeps what was overwritten until it is
    compacted: run it with `--auto-compaction-retention`, or its space runs out.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        prefix: str = "/svault/",
        ca_cert: str | Path | None = None,
        client_cert: str | Path | None = None,
        client_key: str | Path | None = None,
        username: str = "",
        password: str = "",
        timeout: float = 5.0,
        lease: float = LEASE,
    ) -> None:
        self._cluster = EtcdCluster(
            endpoints,
            ca_cert=Path(ca_cert) if ca_cert else None,
            client_cert=Path(client_cert) if client_cert else None,
            client_key=Path(client_key) if client_key else None,
            username=username,
            password=password,
            timeout=timeout,
        )
        root = prefix.rstrip("/").encode()
        self._base = root + b"/entries/"
        self._lock = EtcdLeaderLock(self._cluster, root + b"/leader", lease=lease)
        self._lease = lease

    async def open(self) -> None:
        """Connect and look whether entries can be read. Raises StorageError."""
        try:
            self._cluster.open()
            await self._range(rpc.RangeRequest(key=self._base, range_end=_after(self._base), limit=1, keys_only=True))
        except BaseException:
            await self._cluster.aclose()
            raise

    async def aclose(self) -> None:
        """Close the connections."""
        await self._cluster.aclose()

    async def get(self, key: str) -> Entry | None:
        """The entry of a key, as of the cluster's last commit. Raises StorageError."""
        answer = await self._range(rpc.RangeRequest(key=self._base + key.encode()))
        return Entry(value=answer.kvs[0].value, version=answer.kvs[0].mod_revision) if answer.kvs else None

    async def list(self, prefix: str) -> list[str]:
        """The names directly under a prefix, sorted by code points, as of one moment. Raises StorageError."""
        folder = self._base + prefix.encode()
        start, end, revision, names = folder, _after(folder), 0, set[bytes]()
        while True:
            answer = await self._range(rpc.RangeRequest(key=start, range_end=end, keys_only=True, limit=PAGE, revision=revision))
            for found in answer.kvs:
                name, slash, _ = found.key[len(folder) :].partition(b"/")
                names.add(name + slash)
            if not answer.more:
                return sorted(name.decode() for name in names)
            # What is left of a folder adds no name: the next page starts behind it.
            name, slash, _ = answer.kvs[-1].key[len(folder) :].partition(b"/")
            start = _after(folder + name + slash) if slash else folder + name + b"\0"
            revision = revision or answer.header.revision

    async def commit(self, writes: Sequence[Write], expect: Mapping[str, int] | None = None) -> dict[str, int]:
        """Do all writes or none in one transaction. Raises CommitConflictError, or StorageError.

        UnknownOutcomeError, a StorageError, means that the writes may have been done.
        """
        final = {write.key: write.value for write in writes}
        expected = expect or {}
        puts = {key: value for key, value in final.items() if value is not None}
        request = commit_request(
            {self._base + key.encode(): value for key, value in final.items()},
            {self._base + key.encode(): version for key, version in expected.items()},
            self._lock.fence,
        )
        before = self._cluster.revision
        try:
            answer = await self._cluster.tell(lambda at, meta, limit: at.kv.Txn(request, metadata=meta, timeout=limit))
        except StorageError as error:
            if request.ByteSize() > REQUEST_LIMIT:
                hint = "etcd bounds a request to 1.5 MiB, unless its --max-request-bytes says otherwise"
                raise StorageError(f"etcd does not take a commit of {request.ByteSize()} bytes: {error}", hint=hint) from error
            versions = await self._versions_if_done(puts, before) if isinstance(error, UnknownOutcomeError) else None
            if versions is None:
                raise
            return versions
        if not answer.succeeded:
            raise CommitConflictError(self._conflict(answer, expected))
        version: int = answer.header.revision
        return dict.fromkeys(puts, version)

    async def _versions_if_done(self, puts: Mapping[str, bytes], before: int) -> dict[str, int] | None:
        """The versions of a commit whose answer was lost, when it was done: one of its values is there, and is new.

        A value is ciphertext with a nonce of its own, so nobody else has written the same. None when the value is not there: the
        commit may still be on its way, or be done and overwritten.
        """
        if not puts:
            return None
        key, value = next(iter(puts.items()))
        entry = await self.get(key)
        if entry is None or entry.value != value or entry.version <= before:
            return None
        return dict.fromkeys(puts, entry.version)

    def _conflict(self, answer: Any, expected: Mapping[str, int]) -> str:
        """Which condition of a refused commit does not hold; the answer has one range for each, in order."""
        ranges = [response.response_range.kvs for response in answer.responses]
        if self._lock.fence is not None:
            found = ranges.pop(0)
            if not found or found[0].create_revision != self._lock.fence[1]:
                return "the leader's lock"
        for (key, version), found in zip(expected.items(), ranges, strict=True):
            if version != (found[0].mod_revision if found else 0):
                return key
        raise AssertionError

    async def _range(self, request: Any) -> Any:
        return await self._cluster.ask(lambda at, meta, limit: at.kv.Range(request, metadata=meta, timeout=limit))

    def election(self) -> Election:
        """The election among the servers that use this prefix."""
        return LeasedElection(self._lock, lease=self._lease)


def _after(folder: bytes) -> bytes:
    """The first key behind all keys of a folder; `0` follows `/`."""
    return folder[:-1] + b"0"

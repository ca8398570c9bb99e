"""One commit as one etcd transaction, within etcd's limit of operations.

A transaction has at most 128 comparisons and 128 operations (`--max-txn-ops`). An operation may be a transaction itself, with
at most as many operations as the outer one leaves of the limit. So 64 of them with 64 writes each, 4,096 writes, are one atomic
transaction.
"""

from collections.abc import Mapping
from typing import Any

from aetcd import rpc  # type: ignore[import-untyped] # aetcd ships no types

from svault.errors import StorageError

LIMIT = 128
"""etcd's default of `--max-txn-ops`."""


def commit_request(
    writes: Mapping[bytes, bytes | None], expect: Mapping[bytes, int], fence: tuple[bytes, int] | None = None
) -> Any:
    """The `TxnRequest` that does all writes when each expected key has its `mod_revision` (0: no entry).

    `fence` is a key and the revision that it must have been created at. When a comparison fails, the answer holds, one after the
    other, the fence's key (if there is a fence) and each expected key, without values. Raises StorageError when it is too large.
    """
    compares = [rpc.Compare(target=rpc.Compare.MOD, key=key, mod_revision=version) for key, version in expect.items()]
    looks = [rpc.RequestOp(request_range=rpc.RangeRequest(key=key, keys_only=True)) for key in expect]
    if fence is not None:
        key, created = fence
        compares.insert(0, rpc.Compare(target=rpc.Compare.CREATE, key=key, create_revision=created))
        looks.insert(0, rpc.RequestOp(request_range=rpc.RangeRequest(key=key, keys_only=True)))
    operations = [_operation(key, value) for key, value in writes.items()]
    outer = LIMIT
    if len(operations) > LIMIT:
        outer = max(len(compares), LIMIT // 2)
        operations = _nested(operations, max(1, LIMIT - outer))
    if len(compares) > LIMIT or len(operations) > outer:
        raise StorageError(
            f"etcd cannot do {len(writes)} writes with {len(expect)} conditions in one commit",
            hint=f"a transaction of etcd has at most {LIMIT} operations (--max-txn-ops)",
        )
    return rpc.TxnRequest(compare=compares, success=operations, failure=looks)


def _operation(key: bytes, value: bytes | None) -> Any:
    if value is None:
        return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key))
    return rpc.RequestOp(request_put=rpc.PutRequest(key=key, value=value))


def _nested(operations: list[Any], size: int) -> list[Any]:
    parts = (operations[start : start + size] for start in range(0, len(operations), size))
    return [rpc.RequestOp(request_txn=rpc.TxnRequest(success=part)) for part in parts]

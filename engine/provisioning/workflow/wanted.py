"""Between what is recorded and what a provider takes: resources as they shall be, and what became of them.

Secret leaves stay sealed in everything that is stored, in the contexts that a plan seals them in (`plan.model.PlanStep`), so that
nothing is sealed again on its way from the plan to the state.

A resource's *identity* is what its tag at the provider says: its address, but for one that was made beside the old one of the
same address, which gets `server.web~3f2a91c0`. So a look-up by tag never takes the old one for the new one.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from provisioning.plan.model import DEPOSED
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded, Ref, Wanted
from provisioning.state.store import StateStore
from provisioning.workflow.engine import Vault
from stratumops.errors import NotFoundError


def token_of(operation: str, step: str) -> str:
    """The same for every attempt of a step: an idempotency key."""
    return hashlib.sha256(f"{operation}/{step}".encode()).hexdigest()[:32]


def identity_of(one: Recorded) -> str:
    """What the tag of a recorded resource says."""
    return str(one.tags.get(TAG_ADDRESS) or home(one.address))


def identity_beside(address: str, token: str) -> str:
    """What the tag of a successor says while the old one is still there, and from then on."""
    return f"{address}~{token[:8]}"


def home(address: str) -> str:
    """The address that a resource has in its seals, also while its successor has taken it in the state."""
    return address.removesuffix(DEPOSED)


def wanted_of(shape: Mapping[str, Any], identity: str, store: StateStore, vault: Vault, *, lineage: str, token: str) -> Wanted:
    """A resource ready for its provider, from a step's `wanted` or from `shape_of` a recorded one. Raises StratumErrors."""
    values = vault.opened(shape["values"], f"{lineage}/{home(shape['address'])}")
    tags = {str(key): str(value) for key, value in (values.get("tags") or {}).items()}
    return Wanted(
        address=identity,
        kind=shape["kind"],
        name=shape["name"],
        provider=shape["provider"],
        region=shape["region"],
        values=values,
        tags={**tags, TAG_ADDRESS: identity, TAG_LINEAGE: lineage},
        refs=refs_of(shape["names"], store),
        token=token,
        secrets=vault.resolved(values),
    )


def refs_of(names: Any, store: StateStore) -> dict[str, tuple[Ref, ...]]:
    """The recorded resources that a resource names, by field; what no provider makes here is recorded nowhere and left out."""
    refs: dict[str, tuple[Ref, ...]] = {}
    for field, target in names:
        try:
            refs[field] = (*refs.get(field, ()), store.resource(target).ref)
        except NotFoundError:
            continue
    return refs


def recorded_of(
    shape: Mapping[str, Any], wanted: Wanted, found: Found, vault: Vault, *, lineage: str, before: Recorded | None = None
) -> Recorded:
    """What the state shall have of a resource that was made or changed; secret outputs of `before` stay."""
    address = home(shape["address"])
    kept = {key: value for key, value in (before.outputs if before else {}).items() if isinstance(value, Mapping)}
    sealed = {key: vault.sealed(text, f"{lineage}/{address}/outputs#{key}") for key, text in found.secret_outputs.items()}
    return Recorded(
        address=shape["address"],
        kind=wanted.kind,
        provider=wanted.provider,
        region=wanted.region,
        id=found.id,
        values=shape["values"],
        record=shape["record"],
        model=shape["model"],
        path=tuple(shape["path"]),
        names=tuple((field, target) for field, target in shape["names"]),
        outputs={**kept, **found.outputs, **sealed},
        parts=dict(found.parts),
        tags=dict(wanted.tags),
        status=found.status,
        checked_at=time.time(),
    )


def shape_of(one: Recorded) -> dict[str, Any]:
    """A recorded resource in the form of a step's `wanted`, to bring it back as it was."""
    return {
        "address": one.address,
        "kind": one.kind,
        "name": home(one.address).partition(".")[2],
        "provider": one.provider,
        "region": one.region,
        "values": one.values,
        "record": one.record,
        "model": one.model,
        "path": list(one.path),
        "names": [list(name) for name in one.names],
    }


def unrecorded(shape: Mapping[str, Any], identity: str, lineage: str, found: Found) -> Recorded:
    """Something found by its tag that the state does not have, as far as a provider must know it to delete it."""
    return Recorded(
        address=shape["address"],
        kind=shape["kind"],
        provider=shape["provider"],
        region=shape["region"],
        id=found.id,
        values=shape["values"],
        record=shape["record"],
        model=shape["model"],
        path=tuple(shape["path"]),
        outputs=dict(found.outputs),
        parts=dict(found.parts),
        tags={**found.tags, TAG_ADDRESS: identity, TAG_LINEAGE: lineage},
        status=found.status,
    )

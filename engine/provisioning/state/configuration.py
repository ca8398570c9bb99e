"""What is recorded, as things and as a configuration: what plans compare with, and what prices and checks judge.

A sealed leaf stands there as the handle `SEALED_LEAF`; who must compare secrets unseals the resources first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError

from prov_gen.effective import provider_of, region_of
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import INFRASTRUCTURE, KINDS, Item, Kind
from prov_gen.model.network import DnsZone, Networking
from prov_judge.changes.leaves import leaves
from prov_judge.changes.things import PARTS, Thing, order
from provisioning.resource import Recorded
from provisioning.secrets import SEALED
from stratumops.errors import ConflictError

SEALED_LEAF = "vault:sealed/state#value"
"""Stands for a secret that the state has sealed; a handle of the right form that names nothing."""

_KINDS = {kind.name: kind for kind in (INFRASTRUCTURE, *KINDS, *PARTS)}
_OWN = ("name", "description", "environment")
_REPAIRS = 50


def things_of(resources: Iterable[Recorded]) -> dict[str, Thing]:
    """The recorded things by address, in the order of `things.things`, for `compare.changes_of`.

    Raises ConflictError for a record that no model of this version takes.
    """
    found = {}
    for one in _in_order(resources):
        values = _opened(one.values)
        item = Item(tuple(one.path), _kind(one), _record(one, _opened(one.record)))
        found[one.address] = Thing(one.address, item, values, leaves(values), tuple(one.names))
    return found


def current_configuration(resources: Iterable[Recorded]) -> InfrastructureConfig:
    """The configuration of what is recorded, and of nothing else.

    Everything that was filled in stands in it (provider, region, versions, tags). A subnet, gateway, peering or further network
    is in it when the network that holds it in a configuration is recorded too, a DNS record when its zone is. Raises
    ConflictError as `things_of`.
    """
    every = _in_order(resources)
    by_kind: dict[str, list[Recorded]] = {}
    for one in every:
        by_kind.setdefault(one.kind, []).append(one)
    outer = _outer(every, by_kind)
    fields: dict[str, Any] = {}
    for kind in KINDS:
        if kind.name in {"networking", "dns"}:
            continue
        records = [_placed(one, outer) for one in by_kind.get(kind.name, [])]
        if records:
            fields[kind.field] = records if kind.is_list else records[0]
    network = _network(by_kind)
    if network is not None:
        fields["networking"] = network
    zones = [_zone(one, by_kind.get("dns_record", [])) for one in by_kind.get("dns", [])]
    if zones:
        fields["dns_zones"] = zones
    return outer.model_copy(update=fields)


def _in_order(resources: Iterable[Recorded]) -> list[Recorded]:
    every = list(resources)
    for one in every:
        _kind(one)  # what has no kind has no place either
    return sorted(every, key=lambda one: order(one.address))


def _outer(every: Sequence[Recorded], by_kind: Mapping[str, Sequence[Recorded]]) -> InfrastructureConfig:
    """The configuration without its resources: the provider and region that most of them are at, the tags that all share."""
    own = next((one for one in by_kind.get("vpc", []) if one.model == Networking.__name__), None)
    places = [(one.provider, one.region) for one in every if one.provider]
    provider = own.provider if own else _most(provider for provider, _ in places)
    region = own.region if own else _most(region for at, region in places if at == provider and region)
    tagged = [one.values["tags"].items() for one in every if isinstance(one.values.get("tags"), Mapping)]
    shared = dict(set(tagged[0]).intersection(*tagged)) if tagged else {}
    values: dict[str, Any] = {"tags": dict(sorted(shared.items()))}
    if provider:
        values["provider"] = provider
    if region:
        values["region"] = region
    for one in by_kind.get(INFRASTRUCTURE.name, []):
        values |= {name: one.record[name] for name in _OWN if one.record.get(name) is not None}
    return InfrastructureConfig.model_validate(values)


def _placed(one: Recorded, outer: InfrastructureConfig) -> Record:
    """A record with what holds for it written out, as far as its model takes that."""
    model = _model(one)
    values, record = _opened(one.values), _opened(one.record)
    filled = {name: values[name] if values.get(name) is not None else record.get(name) for name in model.model_fields}
    if isinstance(filled.get("tags"), Mapping):
        filled["tags"] = {key: value for key, value in filled["tags"].items() if outer.tags.get(key) != value}
    try:
        made: Record = model.model_validate({name: value for name, value in filled.items() if value is not None})
    except ValidationError:
        made = _record(one, record)  # what a provider calls a thing need not be a word of the configuration
    there = {"provider": one.provider, "region": one.region}
    asked = {"provider": provider_of(made, outer), "region": region_of(made, outer) if one.region else ""}
    missing = {name: there[name] for name in there if name in model.model_fields and there[name] and there[name] != asked[name]}
    return made.model_copy(update=missing) if missing else made


def _network(by_kind: Mapping[str, Sequence[Recorded]]) -> Networking | None:
    networks = by_kind.get("vpc", [])
    own = next((one for one in networks if one.model == Networking.__name__), None)
    if own is None:
        return None
    name = own.values["name"]
    subnets: dict[str, list[Record]] = {}
    for one in by_kind.get("subnet", []):
        subnets.setdefault(str(one.values["vpc"]), []).append(_bare(one))
    further = [
        _bare(one).model_copy(update={"subnets": subnets.get(str(one.values["name"]), [])}) for one in networks if one is not own
    ]
    nat = next((one.values["nat"] for one in by_kind.get("nat", []) if one.values["vpc"] == name), "none")
    whole = _record(own, _opened(own.record))
    assert isinstance(whole, Networking)
    parts = {"subnets": subnets.get(name, []), "vpcs": further, "nat": nat}
    return whole.model_copy(update={**parts, "peerings": [_bare(one) for one in by_kind.get("peering", [])]})


def _zone(one: Recorded, records: Sequence[Recorded]) -> Record:
    mine = [_bare(record) for record in records if record.values["zone"] == one.values["domain"]]
    zone = _record(one, _opened(one.record))
    assert isinstance(zone, DnsZone)
    return zone.model_copy(update={"records": mine, "provider": one.provider or None})


def _bare(one: Recorded) -> Record:
    return _record(one, _opened(one.record))


def _record(one: Recorded, values: dict[str, Any]) -> Record:
    """A record of a resource. What a sealed leaf cannot stand for, and what this version's model has no more, is left out."""
    model = _model(one)
    for _ in range(_REPAIRS):
        try:
            return model.model_validate(values)
        except ValidationError as error:
            if not any(_leave_out(values, problem["loc"]) for problem in error.errors(include_input=False)):
                break
    raise ConflictError(
        f"the record of {one.address} is none that this version's {one.model} takes",
        hint=f"look at `prov state show {one.address}`; remove it from the state and import it again",
    )


def _leave_out(values: Any, place: tuple[int | str, ...]) -> bool:
    """Take away what stands at a place, if something does that may be missing."""
    for step in place[:-1]:
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            return False
    last = place[-1] if place else ""
    if isinstance(values, dict) and last in values:
        del values[last]
        return True
    return False


def _opened(value: Any) -> Any:
    """A JSON value of our own to change, with `SEALED_LEAF` for what is sealed."""
    if isinstance(value, Mapping):
        return SEALED_LEAF if set(value) == {SEALED} else {key: _opened(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_opened(inner) for inner in value]
    return value


def _kind(one: Recorded) -> Kind:
    if one.kind not in _KINDS:
        raise ConflictError(
            f"{one.address} is of the kind {one.kind!r}, which this version does not know", hint="update stratumops"
        )
    return _KINDS[one.kind]


@cache
def _models() -> Mapping[str, type[Record]]:
    return {kind.model.__name__: kind.model for kind in _KINDS.values()}


def _model(one: Recorded) -> type[Record]:
    return _models().get(one.model) or _kind(one).model


def _most(values: Iterable[str]) -> str:
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], value)) if counted else ""

"""Predicates about production and what is not."""

from collections.abc import Iterator
from dataclasses import dataclass

from prov_gen.environments import is_known, is_production
from prov_judge.compliance.data_classes import Said, general_word, own_word
from prov_judge.compliance.evidence import Evidence, counted, failing, holding, unknown
from prov_judge.compliance.model import Path
from prov_judge.compliance.scope import Subject, World

_LYING = ("servers", "clusters", "databases", "caches", "load_balancers", "file_systems")
"""What lies in a network, by its field."""


@dataclass(frozen=True, slots=True)
class _Use:
    """An environment that a network is used for, and where that stands."""

    network: str
    environment: str
    path: Path


def in_production(_subject: Subject, world: World) -> Evidence:
    """Whether the configuration is production; nobody can tell from a name without a known word."""
    said = _general(world)
    name, path = said.text, said.path
    if not is_known(name):
        return unknown(path, name, f"whether the environment {name} is production is not known")
    return Evidence(is_production(name), path, name, f"the environment is {name}")


def has_several_environments(_subject: Subject, world: World) -> Evidence:
    """Whether production and something else are described together."""
    names = {use.environment for use in _uses(world)}
    shown = ", ".join(sorted(names))
    path = ("environment",)
    known = {is_production(name) for name in names if is_known(name)}
    if known == {True, False}:
        return holding(path, shown, f"it describes {shown}")
    if len(names) > 1 and (strange := sorted(name for name in names if not is_known(name))):
        return unknown(path, shown, f"whether {strange[0]} is production is not known")
    return failing(path, shown, f"it describes {shown}")


def environments_apart(_subject: Subject, world: World) -> Evidence:
    """Whether no network holds production and something else. A resource's tag Environment wins over its network's."""
    seen: dict[str, _Use] = {}
    doubt: Evidence | None = None
    for use in _uses(world):
        if not is_known(use.environment):
            words = f"whether {use.environment} is production is not known"
            doubt = doubt or unknown(use.path, use.environment, words)
            continue
        first = seen.setdefault(use.network, use)
        if is_production(first.environment) is not is_production(use.environment):
            words = f"the network {use.network} holds {first.environment} and {use.environment}"
            return failing(use.path, use.network, words)
    return doubt or holding(("networking",), counted(len(seen), "network"), "production has networks of its own")


def _uses(world: World) -> Iterator[_Use]:
    """Each network and each resource that lies in one: the network's name, the environment, and the place."""
    general = _general(world)
    main, own = world.main_network, world.config.networking
    environments = {main: general.text}
    yield _Use(main, general.text, general.path)
    for index, vpc in enumerate(own.vpcs if own else ()):
        path: Path = ("networking", "vpcs", index)
        said = own_word(vpc, path, field="environment", tag="Environment") or Said(general.text, path)
        environments[vpc.name] = said.text
        yield _Use(vpc.name, said.text, said.path)
    for field in _LYING:
        for index, record in enumerate(getattr(world.config, field)):
            network = world.network_of(record)
            path = (field, index)
            said = own_word(record, path, field="", tag="Environment") or Said(environments.get(network, general.text), path)
            yield _Use(network, said.text, said.path)


def _general(world: World) -> Said:
    """The configuration's environment, and where it stands."""
    return general_word(world, field="environment", tag="Environment") or Said(world.config.environment, ("environment",))

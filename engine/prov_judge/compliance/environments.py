"""Predicates about production and what is not."""

from prov_gen.model.kubernetes import KubernetesCluster
from prov_gen.model.server import Server
from prov_judge.compliance.evidence import Evidence, failing, holding
from prov_judge.compliance.scope import Subject, World

PRODUCTION = ("production", "prod", "live", "prd")


def in_production(_subject: Subject, world: World) -> Evidence:
    """Whether the configuration is production."""
    name = world.config.environment
    return Evidence(_is_production(name), ("environment",), name, f"the environment is {name}")


def has_several_environments(_subject: Subject, world: World) -> Evidence:
    """Whether production and something else are described together."""
    several = {is_production for _, is_production, _ in _uses(world)} == {True, False}
    return Evidence(several, ("environment",), world.config.environment, "it describes production and something else")


def environments_apart(_subject: Subject, world: World) -> Evidence:
    """Whether no network holds production and something else. A resource's tag Environment wins over its network's."""
    seen: dict[str, bool] = {}
    for network, is_production, path in _uses(world):
        if seen.setdefault(network, is_production) is not is_production:
            return failing(path, network, f"the network {network} holds production and something else")
    return holding(("networking",), f"{len(seen)} networks", "production has networks of its own")


def _uses(world: World) -> list[tuple[str, bool, tuple[str | int, ...]]]:
    """Each network and each machine in one: the network's name, whether it is production there, and the place."""
    own = world.config.networking
    main = own.name if own else "main"
    environments = {main: world.config.environment}
    uses: list[tuple[str, bool, tuple[str | int, ...]]] = [(main, _is_production(world.config.environment), ("environment",))]
    for index, vpc in enumerate(own.vpcs if own else ()):
        environments[vpc.name] = vpc.environment or world.config.environment
        uses.append((vpc.name, _is_production(environments[vpc.name]), ("networking", "vpcs", index, "environment")))
    machines: list[tuple[tuple[str | int, ...], Server | KubernetesCluster]] = [
        *((("servers", index), server) for index, server in enumerate(world.config.servers)),
        *((("clusters", index), cluster) for index, cluster in enumerate(world.config.clusters)),
    ]
    for path, machine in machines:
        network = machine.networking.vpc or main
        tag = next((value for key, value in machine.tags.items() if key.casefold() in {"environment", "env"}), None)
        name = tag or environments.get(network, world.config.environment)
        uses.append((network, _is_production(name), (*path, "tags" if tag else "networking")))
    return uses


def _is_production(name: str) -> bool:
    return name.casefold() in PRODUCTION

"""Predicates by name: what no operator of the checks' data can say. Each takes the subject, the world and its parameters."""

from collections.abc import Callable, Mapping, Sequence

from prov_gen.effective import is_managed, provider_of
from prov_judge.compliance.data_classes import holds_data, keeps_data, receives_logs, tagged
from prov_judge.compliance.environments import environments_apart, has_several_environments, in_production
from prov_judge.compliance.evidence import Evidence, failing, holding, value_in_words
from prov_judge.compliance.exposure import (
    closed_to_internet,
    few_ports_open,
    networks_apart,
    no_public_address,
    outside_public_subnets,
)
from prov_judge.compliance.identities import allows_no_everything
from prov_judge.compliance.lifetimes import kubernetes_supported, not_expired, os_supported
from prov_judge.compliance.places import in_adequate_country, is_at
from prov_judge.compliance.resilience import backed_up, copied_elsewhere, restore_tested
from prov_judge.compliance.scope import Subject, World
from prov_judge.compliance.zones import region_has_zones, spread_over_zones

Predicate = Callable[..., Evidence]


def no_plaintext_secret(subject: Subject, world: World) -> Evidence:
    """Whether no text of the resource looks like a secret; it is never repeated."""
    found = world.secrets.get(subject.path)
    if found is None:
        return holding(subject.path, "no secret", "no text of it looks like a secret")
    return failing(found.where, "(not shown)", found.message)


def has_taskserv(subject: Subject, world: World, *, names: Sequence[str]) -> Evidence:
    """Whether one of these services is installed on the server."""
    server = subject.record
    for index, taskserv in enumerate(world.config.taskservs):
        if taskserv.name in names and (not taskserv.targets or server.name in taskserv.targets):
            return holding(("taskservs", index), taskserv.name, f"{taskserv.name} is installed on it")
    own = next((name for name in server.taskservs if name in names), None)
    words = f"{own} is installed on it" if own else f"none of {', '.join(names)} is installed on it"
    return Evidence(own is not None, (*subject.path, "taskservs"), own or "none", words)


def names_nothing(subject: Subject, world: World, *, field: str, among: str) -> Evidence:
    """Whether a field names something that the configuration does not describe: `among` is the list where it should be."""
    name = getattr(subject.record, field)
    is_lost = name is not None and name not in world.names_of(among)
    return Evidence(is_lost, (*subject.path, field), value_in_words(name), f"{field} is {value_in_words(name)}")


def names_itself(subject: Subject, _world: World, *, field: str) -> Evidence:
    """Whether a field of the resource names the resource."""
    name = getattr(subject.record, field)
    return Evidence(
        name == subject.record.name, (*subject.path, field), value_in_words(name), f"{field} is {value_in_words(name)}"
    )


def control_plane_is_managed(subject: Subject, world: World) -> Evidence:
    """Whether the provider runs the cluster's control plane: as it says, else as is usual there."""
    provider = provider_of(subject.record, world.config)
    managed = is_managed(subject.record, provider)
    words = f"{provider} runs its control plane" if managed else "its control plane is your own"
    return Evidence(managed, (*subject.path, "managed"), value_in_words(managed), words)


PREDICATES: Mapping[str, Predicate] = {
    predicate.__name__: predicate
    for predicate in (
        *(is_at, in_production, has_several_environments, environments_apart, control_plane_is_managed),
        *(no_plaintext_secret, tagged, holds_data, keeps_data, in_adequate_country, receives_logs, has_taskserv),
        *(names_nothing, names_itself),
        *(backed_up, copied_elsewhere, restore_tested, spread_over_zones, region_has_zones),
        *(os_supported, kubernetes_supported, not_expired, allows_no_everything),
        *(closed_to_internet, few_ports_open, no_public_address, networks_apart, outside_public_subnets),
    )
}
